/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The verbs of the control socket. A new one is a line here and a file that defines its
 * `const struct xfn_verb_ops xfn_verb_ops_NAME`: the JSON that comes is decoded into a struct, the
 * room whose matter it is is called with that, and what came of it is encoded as JSON.
 */
#ifndef XFN_SUPERVISOR_VERBS_H
#define XFN_SUPERVISOR_VERBS_H

#include <jansson.h>
#include <stddef.h>
#include "../../../skel/error.h"
#include "arguments.h"

#define XFN_SERVED_VERBS(VERB)                                                                     \
	VERB(ls)                                                                                   \
	VERB(stat)                                                                                 \
	VERB(invoke)                                                                               \
	VERB(release)                                                                              \
	VERB(scale)

#define XFN_VERB_LATER 1 /* of .call: xfn_control__later was called, and it answers by itself */

struct xfn_requests;

struct xfn_verb_ops {
	size_t size; /* of the struct of a request: its arguments, and what came of them */
	const struct xfn_argument *arguments; /* decode; NULL: it takes none */
	/* 0, XFN_VERB_LATER, or -errno with one line in err. NULL: there is nothing to be done. */
	int (*call)(struct xfn_requests *requests, void *request, struct xfn_error *err);
	/* A new reference, NULL: out of memory. */
	json_t *(*encode)(struct xfn_requests *requests, const void *request);
};

/* Answers every verb of the table: the handler of the control socket, whose `ctx` is the struct xfn_requests. */
json_t *xfn_verbs__answer(void *ctx, const char *name, json_t *args, struct xfn_error *err);

#endif
