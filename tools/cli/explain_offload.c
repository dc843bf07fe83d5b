// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn explain --offload`: what stands between a function and a network card. Must never judge. */
#include <stdio.h>
#include <string.h>
#include "../../skel/error.h"
#include "../../userspace/control/control.h"
#include "../compiler/offload.h"
#include "../../skel/loader.h"
#include "explain.h"
#include "output.h"

static json_t *as_json(const char *name, const char *source, const struct xfn_obstacles *found)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < found->count; i++) {
		const struct xfn_obstacle *o = &found->list[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:o, s:o, s:i, s:s}", "kind", o->kind,
						"what", xfn_control__text(o->what), "remedy",
						xfn_control__text(o->remedy), "line", (int)o->line,
						"cards", o->nfp ? "nfp" : "all"));
	}
	return json_pack("{s:s, s:o, s:b, s:b, s:o}", "name", name, "file",
			 xfn_control__text(source), "offload", !xfn_obstacles__first(found), "nfp",
			 !found->count, "obstacles", list);
}

static void print(const char *name, const char *source, const struct xfn_obstacles *found)
{
	const struct xfn_obstacle *first = xfn_obstacles__first(found);

	printf("%s: %s\n", name,
	       first	    ? "no card could take it" :
	       found->count ? "the offload path takes it, but today's cards (nfp) would not" :
			      "a card could take it");
	for (unsigned i = 0; i < found->count; i++) {
		const struct xfn_obstacle *o = &found->list[i];

		/* where no card could take it, one kind of card is of no matter */
		if (first && o->nfp)
			continue;
		fputs("  ", stdout);
		xfn_output__text(stdout, source);
		if (o->line)
			printf(":%u", o->line);
		fputs(": ", stdout);
		xfn_output__text(stdout, o->what);
		printf("%s%s\n", *o->remedy ? "; " : "", o->remedy);
	}
}

int xfn_explain__offload(const char *source, bool json, json_t *all)
{
	char name[XFN_NAME_MAX + 1] = "";
	struct xfn_error err = { 0 };
	struct xfn_obstacles found;
	size_t len = strlen(source);

	if (len < 3 || strcmp(source + len - 2, ".c"))
		return xfn_output__fail_one(all, "explain", json, XFN_EXIT_USAGE,
					    "%s: --offload judges sources; give NAME.c", source);
	if (xfn_offload__judge(source, name, &found, &err))
		return xfn_output__fail_one(all, "explain", json, XFN_EXIT_FAILED, "%s", err.line);
	if (json)
		json_array_append_new(all, as_json(name, source, &found));
	else
		print(name, source, &found);
	return 0;
}
