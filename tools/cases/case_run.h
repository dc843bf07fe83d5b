/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Running a module's cases: natively in a process of its own, under a worker's sandbox and on its
 * call path; and through the loaded dispatcher by BPF_PROG_TEST_RUN. No interface is touched. Must
 * never know what a case expects.
 */
#ifndef XFN_CASE_RUN_H
#define XFN_CASE_RUN_H

#include "../../skel/error.h"
#include "../../skel/module.h"
#include "cases.h"

#define XFN_OUTCOME_MAX 65536

/* What one target did with one case. */
struct xfn_outcome {
	bool ran;
	char trouble[160]; /* where it did not run: why */
	int action;	   /* enum xfn_action */
	unsigned reason;   /* enum xfn_reason that was counted, 0 if none */
	/* the reply: a frame, or a payload alone where the request does not fit one */
	uint32_t frame_len, payload_off, payload_len;
	uint8_t frame[XFN_OUTCOME_MAX];
};

/* One per case each, native and of the kernel. */
struct xfn_outcomes {
	struct xfn_outcome *native;
	struct xfn_outcome *kernel;
	size_t bytes;	       /* of both mappings together */
	char native_only[768]; /* "": the kernel half ran too; else why not */
};

/*
 * Run all cases, or with `only` those of that name. 0, or -errno with one line in err where the
 * module's code cannot be loaded or set up. The caller frees in both cases.
 */
int xfn_case_run(const struct xfn_module *mod, const struct xfn_cases *cases, const char *only,
		 struct xfn_outcomes *out, struct xfn_error *err);
void xfn_case_run__free(struct xfn_outcomes *out);

#endif
