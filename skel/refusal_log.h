/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside skel/: a verifier log as rows with the author's lines. */
#ifndef XFN_REFUSAL_LOG_H
#define XFN_REFUSAL_LOG_H

#include <stddef.h>
#include <stdint.h>

struct xfn_log_row {
	const char *text; /* in the log, not ended by 0 */
	size_t len;
	uint32_t line; /* of the author's source that was being verified; 0: none yet */
};

/*
 * The rows of `log` (NUL-terminated; it must outlive them). `source` is the author's file: where
 * the log has no line numbers (before 6.10) the quoted text is looked up in it. NULL: no memory.
 * The caller frees.
 */
struct xfn_log_row *xfn_refusal_log__rows(const char *log, const char *source, size_t *count);

#endif
