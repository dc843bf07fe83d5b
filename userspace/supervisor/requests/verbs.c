// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The table of verbs, and the way of a request through one. Must never know what a verb does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "verbs.h"

#define VERB(name) extern const struct xfn_verb_ops xfn_verb_ops_##name;
XFN_SERVED_VERBS(VERB)
#undef VERB

static const struct {
	const char *name;
	const struct xfn_verb_ops *ops;
} verbs[] = {
#define VERB(name) { #name, &xfn_verb_ops_##name },
	XFN_SERVED_VERBS(VERB)
#undef VERB
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void unknown(const char *name, struct xfn_error *err)
{
	char known[256] = "";
	size_t len = 0;

	for (unsigned i = 0; i < VERBS && len < sizeof(known); i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s",
					!i	       ? "" :
					i == VERBS - 1 ? " and " :
							 ", ",
					verbs[i].name);
	xfn_error__set(err, "%.64s: unknown verb; this xfn knows %s", name, known);
}

json_t *xfn_verbs__answer(void *ctx, const char *name, json_t *args, struct xfn_error *err)
{
	const struct xfn_verb_ops *ops;
	json_t *data = NULL;
	void *request;
	unsigned i = 0;
	int ret;

	while (i < VERBS && strcmp(verbs[i].name, name))
		i++;
	if (i == VERBS) {
		unknown(name, err);
		return NULL;
	}
	ops = verbs[i].ops;
	request = calloc(1, ops->size ?: 1);
	if (!request) {
		xfn_error__set(err, "%s: out of memory; try again", name);
		return NULL;
	}
	ret = xfn_arguments__read(name, ops->arguments, args, request, err);
	if (!ret && ops->call)
		ret = ops->call(ctx, request, err);
	if (!ret) {
		data = ops->encode(ctx, request);
		if (!data)
			xfn_error__set(err, "done, but out of memory for the answer; `xfn stat` "
					    "tells of it");
	}
	free(request);
	return data;
}
