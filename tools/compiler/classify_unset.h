/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bytes that no code sets, and that would tell what the stack held. */
#ifndef XFN_CLASSIFY_UNSET_H
#include "../../skel/error.h"
#define XFN_CLASSIFY_UNSET_H

struct xfn_verdict;

/*
 * Arguments of the compiler: which structs have padding, and where one of more than 8 bytes is
 * passed by value. One register carries a struct whole, two carry up to 16 bytes in parts.
 */
#define XFN_UNSET_WARNINGS (char *)"-Wpadded", (char *)"-Wlarge-by-value-copy=8"
#define XFN_UNSET_TREE	   (char *)"-fsyntax-only", (char *)"-w", (char *)"-Xclang", (char *)"-ast-dump"

/* The same of structs in all headers, for a compiler that is to say nothing else. */
#define XFN_UNSET_PADDED (char *)"-Wno-everything", (char *)"-Wpadded", (char *)"-Wsystem-headers"

/*
 * `list`: the compiler's file of what it read (-MD); `warnings`: its words with XFN_UNSET_WARNINGS;
 * `tree`: what it says to -ast-dump; `source` as given to it. Sets v->refusal at the first finding.
 * 0, or -errno with one line in err.
 */
int xfn_classify__unset(const char *source, const char *list, const char *warnings,
			const char *tree, struct xfn_verdict *v, struct xfn_error *err);

#endif
