// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn scale`: more workers, or fewer. The running xfn does it; this only asks. */
#include "verbs.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "../../userspace/control/control.h"
#include "output.h"

enum key {
	KEY_QUEUE = 256
};

struct options {
	const char *name, *ifname;
	int queue, workers; /* -1: not given */
	bool json;
};

static const struct argp_option options[] = {
	{ "interface", 'i', "IFACE", 0, "The xfn that serves IFACE (default: the only one running)",
	  0 },
	{ "queue", KEY_QUEUE, "N", 0, "This queue only (default: all)", 0 },
	{ "json", 'j', NULL, 0, "Print JSON", 0 },
	{}
};

/* Decimal, 0 to 65535; -1: something else. */
static int number(const char *text)
{
	char *end;
	long n = isdigit((unsigned char)*text) ? strtol(text, &end, 10) : -1;

	return n >= 0 && n <= 65535 && !*end ? (int)n : -1;
}

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
	case KEY_QUEUE:
		opts->queue = number(arg);
		if (opts->queue < 0)
			argp_error(state, "--queue '%s': take the number of a queue", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (opts->workers >= 0)
			argp_error(state, "'%s': takes [NAME] WORKERS", arg);
		opts->workers = number(arg);
		if (opts->workers < 0 && opts->name)
			argp_error(state, "'%s': take a number of workers", arg);
		if (opts->workers < 0)
			opts->name = arg;
		return 0;
	case ARGP_KEY_END:
		if (opts->workers < 0)
			argp_error(state, "says not how many workers");
		if (opts->name && opts->queue >= 0)
			argp_error(state,
				   "--queue %d: a function's own workers are the same "
				   "number on all queues; leave one of them out",
				   opts->queue);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int verb_scale(int argc, char **argv)
{
	static const struct argp argp = {
		options,
		parse,
		"[NAME] WORKERS",
		"Let WORKERS of AF_XDP serve each queue; with NAME, so many of a queue serve that "
		"function alone (0: it shares the others' again). Nothing is restarted: a worker "
		"that is taken away answers what it has first.\v"
		"Example: xfn scale --queue 0 2 -i eth0; xfn scale regex 1",
		NULL,
		NULL,
		NULL
	};
	struct options opts = { .queue = -1, .workers = -1 };
	char err[XFN_CONTROL_ERROR] = "";
	json_t *data = NULL, *args;
	int ret;

	xfn_output__options(&argp, argc, argv, &opts);
	args = json_pack("{s:i}", "workers", opts.workers);
	if (opts.name)
		json_object_set_new(args, "name", json_string(opts.name));
	if (opts.queue >= 0)
		json_object_set_new(args, "queue", json_integer(opts.queue));
	ret = xfn_control__ask(opts.ifname, "scale", args, &data, err, sizeof(err));
	json_decref(args);
	if (ret)
		return xfn_output__fail("scale", opts.json, XFN_EXIT_FAILED, "%s", err);
	if (opts.json)
		return xfn_output__json(data);
	if (opts.name)
		printf("%s has %d worker%s of its own on each queue\n", opts.name, opts.workers,
		       opts.workers == 1 ? "" : "s");
	else
		printf("%d worker%s on %s\n", opts.workers, opts.workers == 1 ? "" : "s",
		       opts.queue < 0 ? "each queue" : "that queue");
	json_decref(data);
	return 0;
}
