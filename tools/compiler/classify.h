/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The classifier: one function source -> native code, kernel code where it may be had, and the tier
 * with its reason. Loads into the verifier, never attaches. Runs the function for its cost only:
 * natively in a process of its own.
 */
#ifndef XFN_CLASSIFY_H
#define XFN_CLASSIFY_H

#include <limits.h>
#include <stdbool.h>
#include "../../skel/error.h"
#include "../../skel/module.h"
#include "../../skel/refusal.h"

/* The judgement of one source, and what was made on the way. */
struct xfn_verdict {
	struct xfn_module_meta meta;
	struct xfn_attributes attr; /* zeroes where it did not compile */
	unsigned counters;	    /* XFN_COUNTERs of the native half */
	struct xfn_refusal refusal; /* rule "": no obstacle */
	char *log;		/* raw words of the compiler or verifier that refused; or NULL */
	char folder[256];	/* private, with what was compiled; removed by xfn_verdict__free */
	char support[PATH_MAX]; /* where xfn.h and its implementations lie */
	void *bpf;		/* the kernel half, where there is one */
	size_t bpf_len;
};

/*
 * Judge `source`. Returns 0 with a verdict (.refusal.fatal: the build fails, in every tier), or
 * -errno with one line in err where nothing could be judged (no such file, no clang). The caller
 * frees the verdict in both cases.
 */
int xfn_classify(const char *source, struct xfn_verdict *out, struct xfn_error *err);
void xfn_verdict__free(struct xfn_verdict *v);

/* The same, with another budget: ns of a CPU per request in the kernel; 0: none. */
int xfn_classify__within(const char *source, uint32_t budget_ns, struct xfn_verdict *out,
			 struct xfn_error *err);
#define XFN_BUDGET_NS 5000 /* where none is given */

struct xfn_build_options {
	const char *source;
	const char *out; /* module to write */
};

/* Judge and write the module. 0, or -errno with one line in err: also where the build fails. */
int xfn_build_module(const struct xfn_build_options *how, struct xfn_error *err);
/*
 * May `out` be written from what was judged: is it no device, link or the like, and none of the
 * files that went into it? 0, or -errno with one line in err.
 */
int xfn_verdict__output(const struct xfn_verdict *v, const char *out, struct xfn_error *err);
/* Write the module of a verdict that is not fatal. */
int xfn_verdict__write(const struct xfn_verdict *v, const char *out, struct xfn_error *err);
/* "reason (FILE:LINE); remedy" */
void xfn_verdict__sentence(const struct xfn_verdict *v, char *text, size_t len);

/* The steps; each sets v->refusal at the first obstacle. 0, or -errno with err where it cannot be
 * done. */
int xfn_classify__native(const char *source, struct xfn_verdict *v, struct xfn_error *err);
int xfn_classify__bpf(const char *source, struct xfn_verdict *v, struct xfn_error *err);
/*
 * Measure what a request costs, into v->meta; sets v->refusal where the kernel half is beyond the
 * budget (0: none). What cannot be measured here stays 0. Some 100 ms.
 */
int xfn_classify__cost(const char *source, uint32_t budget_ns, struct xfn_verdict *v,
		       struct xfn_error *err);

/*
 * The attributes of a shared object, as compiled from XFN_FUNCTION; and, unless NULL, how many
 * XFN_COUNTERs it has. 0 or -ENOENT.
 */
int xfn_classify__attributes(const char *so, struct xfn_attributes *attr, unsigned *counters);

/* SHA-256 of the file, as modules carry it. 0, or -errno with one line in err. */
int xfn_classify__hash(const char *source, char hex[65], struct xfn_error *err);

/* A compiler's diagnostic. */
struct xfn_diagnostic {
	char file[PATH_MAX];
	uint32_t line;	 /* of the author's source: where it is, or is included from; 0 unknown */
	uint32_t at;	 /* the line of `file` */
	uint32_t column; /* counted from 1; 0 unknown */
	bool in_source;	 /* the diagnostic itself is in the author's source */
	char text[512];
};
/*
 * The next diagnostic of `kind` ("error", "warning") in clang's words from *at on. `source` as
 * given to clang. Advances *at; false: none left.
 */
bool xfn_classify__diagnostic(const char **at, const char *source, const char *kind,
			      struct xfn_diagnostic *out);
/* Is it in a header that lies with the source? */
bool xfn_classify__in_own_header(const struct xfn_diagnostic *d, const char *source);
/*
 * Does the function return a constant that is `wanted`, as far as the compiler's IR tells (text of
 * an optimized build)? *value is the first such.
 */
bool xfn_classify__returns(const char *ir, bool (*wanted)(int value, void *ctx), void *ctx,
			   int *value);
/* The author's line that returns the constant, by the IR of a build without optimization, with
 * debug information; 0: unknown. */
uint32_t xfn_classify__returned_at(const char *ir, const char *source, int value);
/* Complete what is said of it by its column, or by such a header's name and line. */
void xfn_classify__place(const struct xfn_diagnostic *d, const char *source,
			 struct xfn_refusal *out);

#endif
