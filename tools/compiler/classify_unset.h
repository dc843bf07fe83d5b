/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bytes that no code sets, and that would tell what the stack held. */
#ifndef XFN_CLASSIFY_UNSET_H
#define XFN_CLASSIFY_UNSET_H

struct xfn_verdict;

/*
 * `warnings`: the compiler's words with -Wpadded; `tree`: what it says to -ast-dump; `source` as
 * given to it. Sets v->refusal at the first finding.
 */
void xfn_classify__unset(const char *source, const char *warnings, const char *tree,
			 struct xfn_verdict *v);

#endif
