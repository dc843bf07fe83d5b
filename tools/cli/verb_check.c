// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn check`: prints what host.c finds out. Must never look for itself. */
#include "verbs.h"

#include "../../userspace/control/control.h"
#include "../../userspace/supervisor/ingress/nic_features.h"
#include "../host/host.h"
#include "output.h"

struct options {
	const char *ifname;
	bool json;
	bool undo;
};

#define KEY_UNDO 256

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *opts = state->input;

	switch (key) {
	case KEY_UNDO:
		opts->undo = true;
		return 0;
	case ARGP_KEY_END:
		if (opts->undo && !opts->ifname)
			argp_error(state, "--undo: on which interface? name it with -i");
		return 0;
	case 'i':
		opts->ifname = arg;
		return 0;
	case 'j':
		opts->json = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s': takes no argument; an interface is named by -i", arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static json_t *as_json(const struct xfn_host_facts *facts, bool serves)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < facts->count; i++) {
		const struct xfn_host_fact *fact = &facts->fact[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:b, s:b, s:s, s:s}", "thing", fact->thing,
						"ok", fact->ok, "needed", fact->needed, "value",
						fact->value, "fix", fact->fix));
	}
	return json_pack("{s:b, s:o}", "serves", serves, "facts", list);
}

int verb_check(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "interface", 'i', "IFACE", 0, "Check this interface as well", 0 },
		{ "undo", KEY_UNDO, NULL, 0,
		  "First change back what a run that was killed "
		  "left on the interface: settings, flow rules",
		  0 },
		{ "json", 'j', NULL, 0, "Print JSON", 0 },
		{}
	};
	static const struct argp argp = {
		options,
		parse,
		NULL,
		"Show what this host can do, and for each missing thing what to do. Exit status 0 "
		"where functions can be served, at least by UDP sockets.\v"
		"Example: xfn check -i eth0",
		NULL,
		NULL,
		NULL
	};
	static const char *const columns[] = { "", "thing", "value", "fix" };
	struct xfn_host_facts facts = {};
	struct options opts = {};
	struct xfn_table *table;
	char err[XFN_CONTROL_ERROR] = "";
	bool serves = true;

	xfn_output__options(&argp, argc, argv, &opts);
	if (opts.undo && xfn_links__undo(opts.ifname, err, sizeof(err)) < 0)
		return xfn_output__fail("check", opts.json, XFN_EXIT_FAILED, "%s", err);
	xfn_host__read(&facts);
	if (opts.ifname)
		xfn_host__interface(&facts, opts.ifname);
	for (unsigned i = 0; i < facts.count; i++)
		serves &= facts.fact[i].ok || !facts.fact[i].needed;
	if (opts.json) {
		xfn_output__json(as_json(&facts, serves));
		return serves ? 0 : XFN_EXIT_FAILED;
	}
	table = xfn_table__new(columns, sizeof(columns) / sizeof(columns[0]));
	for (unsigned i = 0; i < facts.count; i++) {
		const struct xfn_host_fact *fact = &facts.fact[i];

		xfn_table__row(table, fact->ok ? "ok" : "no", fact->thing, fact->value, fact->fix);
	}
	xfn_table__print(table, false);
	return serves ? 0 : XFN_EXIT_FAILED;
}
