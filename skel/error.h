/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why a call failed, in one line for whoever called. Every room may include this header. */
#ifndef XFN_ERROR_H
#define XFN_ERROR_H

/*
 * One line without a newline: it names the thing that failed, then "; ", then the next step. A call
 * writes the line only where it fails: begin with {0} where an empty line is to mean success.
 */
struct xfn_error {
	char line[512];
};

/* A longer line is cut. */
void xfn_error__set(struct xfn_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same, and returns `code`: `return xfn_fail(err, -EINVAL, "...");`. */
int xfn_fail(struct xfn_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
