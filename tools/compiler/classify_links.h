/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The libraries that a source names by XFN_LINK, and the words of a compiler that they ask for. */
#ifndef XFN_CLASSIFY_LINKS_H
#define XFN_CLASSIFY_LINKS_H

#include "../../skel/error.h"

#define XFN_ARGUMENTS_MAX 128

struct xfn_verdict;

/* Words of an argv[], ended by NULL; zeroed before the first. What finds no place is left out. */
struct xfn_arguments {
	char *argv[XFN_ARGUMENTS_MAX];
	unsigned count;
	char *owned[XFN_ARGUMENTS_MAX]; /* to be freed */
	unsigned owned_count;
};

/* The word stays the caller's. */
void xfn_arguments__add(struct xfn_arguments *a, const char *arg);
/* FLAG DIR/REST in one word, made anew. */
void xfn_arguments__add_path(struct xfn_arguments *a, const char *flag, const char *dir,
			     const char *rest);
void xfn_arguments__free(struct xfn_arguments *a);

/*
 * Add the flags of every XFN_LINK("...") of the source; a library that is missing, or no name of
 * one, becomes v->refusal. 0, or -errno with one line in err where pkg-config could not be asked.
 */
int xfn_classify__links(const char *source, struct xfn_verdict *v, struct xfn_arguments *a,
			struct xfn_error *err);

#endif
