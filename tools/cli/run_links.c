// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Options of `xfn run` on what a NIC and its driver do. Must never ask the interface. */
#include "run_links.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MAX 1000000 /* us */

enum key {
	KEY_ZERO_COPY = 1024, /* beside those of verb_run.c */
	KEY_STEER,
	KEY_BUSY_POLL,
	KEY_DEFER
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "What NIC and driver do for AF_XDP workers:", 10 },
	{ "zero-copy", KEY_ZERO_COPY, "WHEN", 0,
	  "Let the NIC use workers' frames without a copy: auto (default: with drivers known to do it "
	  "well, else copies), never, or always, which fails where the driver refuses",
	  10 },
	{ "steer", KEY_STEER, "QUEUES", 0,
	  "Have the NIC direct each function's requests to one of these receive queues in turn, as "
	  "2-3, by flow rules (ethtool -N); workers are on those queues only. Run with an emulated "
	  "NIC, never with a card",
	  10 },
	{ "busy-poll", KEY_BUSY_POLL, "USECS", 0,
	  "Workers work their queues off themselves, in place of the kernel's interrupts, and sleep "
	  "after USECS in vain",
	  10 },
	{ "defer-interrupts", KEY_DEFER, "USECS", 0,
	  "Hold the interface's interrupts back for USECS while its queues are worked off; without "
	  "it --busy-poll rarely comes first. As before when the run ends",
	  10 },
	{}
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct xfn_run_links *links = state->input;

	switch (key) {
	case KEY_ZERO_COPY:
		links->zero_copy = arg;
		return 0;
	case KEY_STEER:
		links->steer = arg;
		return 0;
	case KEY_BUSY_POLL:
		links->busy_poll = arg;
		return 0;
	case KEY_DEFER:
		links->defer = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp xfn_run_links_argp = { options, parse, NULL, NULL, NULL, NULL, NULL };

static bool take_zero_copy(struct xfn_run_links *links)
{
	static const char *const names[] = { [XFN_ZERO_COPY_AUTO] = "auto",
					     [XFN_ZERO_COPY_NEVER] = "never",
					     [XFN_ZERO_COPY_ALWAYS] = "always" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(links->zero_copy, names[i])) {
			links->opts.zero_copy = (enum xfn_zero_copy)i;
			return true;
		}
	return false;
}

/* "2,4-7": each once. */
static bool take_queues(struct xfn_run_links *links)
{
	struct xfn_link_options *opts = &links->opts;
	const char *text = links->steer;
	bool taken[XFN_QUEUES] = {};

	do {
		unsigned long first, last;
		char *end;

		if (!isdigit((unsigned char)*text))
			return false;
		first = last = strtoul(text, &end, 10);
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return false;
			last = strtoul(end + 1, &end, 10);
		}
		if (last < first || last >= XFN_QUEUES)
			return false;
		for (; first <= last; first++) {
			if (taken[first])
				return false;
			taken[first] = true;
			opts->steer[opts->steer_count++] = (uint16_t)first;
		}
		text = end;
	} while (*text++ == ',');
	return !text[-1];
}

static bool take_usecs(const char *text, unsigned *out)
{
	char *end;
	unsigned long n = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;

	*out = (unsigned)n;
	return n && !*end && n <= POLL_MAX;
}

const char *xfn_run_links__take(struct xfn_run_links *links, int interface, char *err,
				size_t errlen)
{
	const char *given[][2] = { { "--zero-copy", links->zero_copy },
				   { "--steer", links->steer },
				   { "--busy-poll", links->busy_poll },
				   { "--defer-interrupts", links->defer } };
	const char *next[] = { "take auto, never or always",
			       "take queues and ranges of them below 64, each once, as 2,4-7",
			       "take 1 to 1000000 microseconds", "take 1 to 1000000 microseconds" };
	bool good[] = { !links->zero_copy || take_zero_copy(links),
			!links->steer || take_queues(links),
			!links->busy_poll || take_usecs(links->busy_poll, &links->opts.busy_poll),
			!links->defer || take_usecs(links->defer, &links->opts.defer) };

	for (unsigned i = 0; i < 4; i++) {
		if (good[i] && (interface || !given[i][1]))
			continue;
		snprintf(err, errlen, "%s '%.100s': %s", given[i][0], given[i][1],
			 good[i] ? "wants an interface; name it with -i" : next[i]);
		return err;
	}
	return NULL;
}
