/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is in the objects that the compiler made of a source. */
#ifndef XFN_CLASSIFY_OBJECT_H
#define XFN_CLASSIFY_OBJECT_H

struct xfn_verdict;

/* Sections of the shared object that no native half may have: v->refusal. */
void xfn_classify__native_object(const char *source, const char *so, struct xfn_verdict *v);
/* Sections and symbols that no kernel program can have, of which v->attr.name is the function:
 * v->refusal. */
void xfn_classify__kernel_object(const char *source, const char *object, struct xfn_verdict *v);

#endif
