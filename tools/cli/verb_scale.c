// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn scale`: more workers, or fewer. The running xfn does it; this only asks. */
#include <stdio.h>
#include "../arguments/number.h"
#include "options.h"
#include "output.h"

struct options {
	const char *ifname;
	int queue; /* -1: not given */
	bool json;
};

static const struct xfn_option options[] = {
	XFN_OPTION_INTERFACE(struct options, ifname,
			     "The xfn that serves IFACE (default: the only one running)"),
	XFN_OPTION("queue", 0, "N", XFN_TO_INTEGER(struct options, queue, 0, 65535),
		   "This queue only (default: all)"),
	XFN_OPTION_JSON(struct options, json),
	{}
};

static int scale(void *input, struct xfn_words words)
{
	const struct options *opts = input;
	const char *name = words.count > 1 ? words.word[0] : NULL;
	const char *count = words.word[words.count - 1];
	unsigned workers;
	json_t *args;
	int status;

	if (!xfn_number__whole(count, 0, 65535, &workers))
		return xfn_options__bad("scale", opts->json, "workers", count,
					"take a number of them");
	if (name && opts->queue >= 0)
		return xfn_output__fail("scale", opts->json, XFN_EXIT_USAGE,
					"--queue %d: a function's own workers are the same "
					"number on all queues; leave one of them out",
					opts->queue);
	args = json_pack("{s:i}", "workers", (int)workers);
	if (name)
		json_object_set_new(args, "name", json_string(name));
	if (opts->queue >= 0)
		json_object_set_new(args, "queue", json_integer(opts->queue));
	if (!xfn_output__ask("scale", opts->ifname, opts->json, args, &status))
		return status;
	if (name)
		printf("%s has %u worker%s of its own on each queue\n", name, workers,
		       workers == 1 ? "" : "s");
	else
		printf("%u worker%s on %s\n", workers, workers == 1 ? "" : "s",
		       opts->queue < 0 ? "each queue" : "that queue");
	return status;
}

XFN_VERB(scale, struct options, options, scale,
	 .summary = "change the number of workers of a queue, or of a function",
	 XFN_WORDS("[NAME] WORKERS", 1, 2, "served", "says not how many workers; give a number"),
	 .doc = "Let WORKERS of AF_XDP serve each queue; with NAME, so many of a queue serve that "
		"function alone (0: it shares the others' again). Nothing is restarted: a worker "
		"that is taken away answers what it has first.",
	 .example = "xfn scale --queue 0 2 -i eth0; xfn scale regex 1",
	 .defaults = &(const struct options){ .queue = -1 });
