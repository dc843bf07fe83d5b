// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Excerpts of a source and the figures of a verdict, for readers. Must never judge. */
#include <stdlib.h>
#include <string.h>
#include "explain.h"
#include "output.h"
#include "../compiler/source_text.h"

#define TAB  8
#define WIDE 160 /* of a row, what is shown */

/* A source's line, blanks in front left out as the caret's line leaves them out. */
static void print_row(FILE *to, const char *row, uint32_t line, uint32_t column)
{
	size_t lead = strspn(row, " \t"), len = lead + strnlen(row + lead, WIDE);
	unsigned at = 0, caret = 0;
	char shown[WIDE * TAB + 1];

	for (size_t i = lead; i < len; i++) {
		unsigned wide = row[i] == '\t' ? TAB - at % TAB : 1;

		if (i + 1 == column)
			caret = at;
		memset(shown + at, ' ', wide);
		if ((unsigned char)row[i] >= ' ')
			shown[at] = row[i];
		at += wide;
	}
	shown[at] = 0;
	fprintf(to, "%6u | ", line);
	xfn_output__text(to, shown);
	fputs(row[len] ? "...\n" : "\n", to);
	if (column > lead && column <= len)
		fprintf(to, "       | %*s^\n", (int)caret, "");
}

void xfn_explain__excerpt(FILE *to, const struct xfn_refusal *refusal)
{
	char *row = refusal->line ? xfn_source_text__row(refusal->file, refusal->line) : NULL;

	if (row)
		print_row(to, row, refusal->line, refusal->column);
	free(row);
	if (refusal->story[0]) {
		fputs("  ", to);
		xfn_output__text(to, refusal->story);
		fputc('\n', to);
	}
}

static const char *action_name(uint32_t action)
{
	static const char *const names[] = {
		[XFN_DROP] = "drop", [XFN_REPLY] = "reply", [XFN_CONSUME] = "consume",
		[XFN_PASS] = "pass", [XFN_PUNT] = "punt",
	};

	return action < sizeof(names) / sizeof(names[0]) ? names[action] : "unknown";
}

/* "12, 40, -": ns at each size, of the kernel or of a worker. */
static void print_ns(FILE *to, const struct xfn_module_meta *meta, bool kernel)
{
	for (unsigned i = 0; i < XFN_COSTS; i++) {
		uint32_t ns = kernel ? meta->cost[i].kernel_ns : meta->cost[i].native_ns;

		fprintf(to, ns || kernel ? "%s%u" : "%s-", i ? ", " : "", ns);
	}
	fputs(kernel ? " in the kernel, " : " in a worker", to);
}

void xfn_explain__cost(FILE *to, const struct xfn_module_meta *meta)
{
	bool kernel = false, native = false, same = true;

	for (unsigned i = 0; i < XFN_COSTS; i++) {
		kernel |= meta->cost[i].kernel_ns != 0;
		native |= meta->cost[i].native_ns != 0;
		same &= meta->cost[i].action == meta->cost[0].action;
	}
	if (kernel || native) {
		fputs("  ns per request of", to);
		for (unsigned i = 0; i < XFN_COSTS; i++)
			fprintf(to, "%s %u", i ? "," : "", meta->cost[i].payload);
		fputs(" bytes: ", to);
		if (kernel)
			print_ns(to, meta, true);
		else if (!meta->rule[0] || !strcmp(meta->rule, "budget"))
			fputs("not measured here in the kernel, ", to);
		if (native)
			print_ns(to, meta, false);
		else
			fputs("not measured in a worker", to);
		for (unsigned i = 0; i < (same ? 1 : XFN_COSTS); i++)
			fprintf(to, "%s%s", i ? ", " : " (", action_name(meta->cost[i].action));
		fputs(")\n", to);
	}
	if (meta->cost_note[0])
		fprintf(to, "  cost: %s\n", meta->cost_note);
}

static json_t *measured(uint32_t ns)
{
	return ns ? json_integer(ns) : json_null();
}

json_t *xfn_explain__cost_json(const struct xfn_module_meta *meta)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < XFN_COSTS && meta->cost[i].payload; i++) {
		const struct xfn_module_cost *cost = &meta->cost[i];
		bool any = cost->kernel_ns || cost->native_ns;

		json_array_append_new(all, json_pack("{s:i, s:o, s:o, s:s?}", "payload",
						     (int)cost->payload, "kernel_ns",
						     measured(cost->kernel_ns), "native_ns",
						     measured(cost->native_ns), "action",
						     any ? action_name(cost->action) : NULL));
	}
	return all;
}
