/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The running kernel's verdict on a function's kernel half. Must never know of interfaces. */
#ifndef XFN_TRIAL_H
#define XFN_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "error.h"
#include "refusal.h"

/* The verdict on a BPF object; nothing stays loaded. */
struct xfn_trial {
	bool permitted; /* false: this process may not load BPF programs */
	bool accepted;
	uint32_t insns;
	struct xfn_verifier_figures figures;
	struct xfn_refusal refusal; /* where !accepted */
	char *log;		    /* verifier log, NULL if none; the caller frees it */
};

/*
 * Load (never attach) the BPF object bytes of a function, as the loader would, and report. `source`
 * is the author's file, for line numbers. Returns 0 whenever a verdict or "not permitted" was
 * reached, else -errno with one line in err.
 */
int xfn_trial__run(const void *obj, size_t len, const char *source, struct xfn_trial *out,
		   struct xfn_error *err);
/*
 * The same, but where the verifier gave up on the length of the path, out->refusal has the rule
 * without its line: to name the line the verifier walks the whole path again, and logs it.
 */
int xfn_trial__run_briefly(const void *obj, size_t len, const char *source, struct xfn_trial *out,
			   struct xfn_error *err);

#endif
