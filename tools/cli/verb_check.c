// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn check`: prints what host.c finds out. Must never look for itself. */
#include "../../skel/error.h"
#include "../../userspace/control/control.h"
#include "../../userspace/supervisor/ingress/nic_features.h"
#include "../host/host.h"
#include "options.h"
#include "output.h"

struct options {
	const char *ifname;
	bool json;
	bool undo;
};

static const struct xfn_option options[] = {
	XFN_OPTION_INTERFACE(struct options, ifname, "Check this interface as well"),
	XFN_OPTION("undo", 0, NULL, XFN_TO_FLAG(struct options, undo),
		   "First change back what a run that was killed left on the interface: settings, "
		   "flow rules",
		   .needs = "interface"),
	XFN_OPTION_JSON(struct options, json),
	{}
};

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

static int check(void *input, struct xfn_words words)
{
	static const char *const columns[] = { "", "thing", "value", "fix" };
	struct xfn_host_facts facts = {};
	const struct options *opts = input;
	struct xfn_table *table;
	struct xfn_error err = { 0 };
	bool serves = true;

	(void)words;
	if (opts->undo && xfn_nic_features__undo(opts->ifname, &err) < 0)
		return xfn_output__fail("check", opts->json, XFN_EXIT_FAILED, "%s", err.line);
	xfn_host__read(&facts);
	if (opts->ifname)
		xfn_host__interface(&facts, opts->ifname);
	for (unsigned i = 0; i < facts.count; i++)
		serves &= facts.fact[i].ok || !facts.fact[i].needed;
	if (opts->json) {
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

XFN_VERB(check, struct options, options, check,
	 .summary = "what this host can do, and how to mend the rest",
	 .doc = "Show what this host can do, and for each missing thing what to do. Exit status 0 "
		"where functions can be served, at least by UDP sockets.",
	 .example = "xfn check -i eth0");
