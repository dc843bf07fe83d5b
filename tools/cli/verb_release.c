// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn release`: end a function's quarantine, or load it again. The running xfn does it; this only
 * asks. */
#include <stdio.h>
#include "options.h"
#include "output.h"

struct options {
	const char *ifname;
	bool json;
};

static const struct xfn_option options[] = {
	XFN_OPTION_INTERFACE(struct options, ifname,
			     "The xfn that serves IFACE (default: the only one running)"),
	XFN_OPTION_JSON(struct options, json),
	{}
};

static int release(void *input, struct xfn_words words)
{
	const struct options *opts = input;
	const char *name = words.word[0];
	int status;

	if (xfn_output__ask("release", opts->ifname, opts->json, json_pack("{s:s}", "name", name),
			    &status))
		printf("%s is released\n", name);
	return status;
}

XFN_VERB(release, struct options, options, release,
	 .summary = "let a quarantined function run again",
	 XFN_WORDS("NAME", 1, 1, "served", "names no function; `xfn ls` lists them"),
	 .doc = "Let a function run again that ended its worker too often. Its workers hear of it "
		"within about 0.1 s; nothing is restarted, no other function notices. One that was "
		"set aside, since it could not be loaded, is loaded again by new workers.",
	 .example = "xfn release regex -i eth0");
