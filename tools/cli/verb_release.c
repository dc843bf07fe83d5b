// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn release`: end a function's quarantine, or load it again. The running xfn does it; this only
 * asks. */
#include "verbs.h"

#include <errno.h>
#include <stdio.h>
#include "../../userspace/control/control.h"
#include "output.h"

struct options {
	const char *name, *ifname;
	bool json;
};

static const struct argp_option options[] = {
	{ "interface", 'i', "IFACE", 0, "The xfn that serves IFACE (default: the only one running)",
	  0 },
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{}
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *opts = state->input;

	switch (key) {
	case 'i':
		opts->ifname = arg;
		return 0;
	case 'j':
		opts->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (opts->name)
			argp_error(state, "'%s': takes one function", arg);
		opts->name = arg;
		return 0;
	case ARGP_KEY_END:
		if (!opts->name)
			argp_error(state, "names no function; `xfn ls` lists them");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int verb_release(int argc, char **argv)
{
	static const struct argp argp = {
		options,
		parse,
		"NAME",
		"Let a function run again that ended its worker too often. Its workers hear of it "
		"within about 0.1 s; nothing is restarted, no other function notices. One that was "
		"set aside, since it could not be loaded, is loaded again by new workers.\v"
		"Example: xfn release regex -i eth0",
		NULL,
		NULL,
		NULL
	};
	struct options opts = {};
	char err[XFN_CONTROL_ERROR] = "";
	json_t *data = NULL, *args;
	int ret;

	xfn_output__options(&argp, argc, argv, &opts);
	args = json_pack("{s:s}", "name", opts.name);
	ret = xfn_control__ask(opts.ifname, "release", args, &data, err, sizeof(err));
	json_decref(args);
	if (ret)
		return xfn_output__fail("release", opts.json, XFN_EXIT_FAILED, "%s", err);
	if (opts.json)
		return xfn_output__json(data);
	printf("%s is released\n", opts.name);
	json_decref(data);
	return 0;
}
