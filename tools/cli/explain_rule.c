// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The rules' pages: `xfn explain --rule`. Their texts are tools/rules/ID.txt, embedded by the
 * build: what it means, an example that meets the rule, one that passes, with "---" between.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "../../skel/refusal.h"
#include "explain.h"
#include "output.h"

static const char *const pages[XFN_RULE_COUNT] = {
#include "rule_pages.h"
};

const char *xfn_explain__page(unsigned rule, unsigned part, size_t *len)
{
	const char *at = rule < XFN_RULE_COUNT ? pages[rule] : NULL, *end;

	for (; at && part; part--) {
		at = strstr(at, "---\n");
		at = at ? at + 4 : NULL;
	}
	*len = 0;
	if (!at)
		return "";
	end = strstr(at, "---\n");
	*len = end ? (size_t)(end - at) : strlen(at);
	return at;
}

/* Indented, so that examples keep their form wherever the page is put. */
static void print_part(const char *heading, unsigned rule, unsigned part)
{
	const char *indent = part ? "        " : "    ";
	size_t len;
	const char *text = xfn_explain__page(rule, part, &len);

	if (!len)
		return;
	printf("\n%s\n", heading);
	for (const char *end = text + len; text < end; text += strcspn(text, "\n") + 1) {
		int wide = (int)strcspn(text, "\n");

		printf("%s%.*s\n", wide ? indent : "", wide, text);
	}
}

static const char *effect(const struct xfn_rule_text *rule)
{
	return rule->fatal ? "The build fails, in every tier." :
			     "The function runs in a worker instead of the kernel.";
}

static void print_page(unsigned i, const struct xfn_rule_text *rule)
{
	printf("%s: a function that %s\n", rule->id, rule->sentence);
	printf("\nEFFECT\n    %s\n", effect(rule));
	print_part("MEANING", i, 0);
	print_part("EXAMPLE", i, 1);
	printf("\nREMEDY\n    %s\n", rule->remedy);
	print_part("EXAMPLE THAT PASSES", i, 2);
}

static json_t *page_json(unsigned i, const struct xfn_rule_text *rule)
{
	static const char *const keys[] = { "meaning", "example", "passes" };
	json_t *page = json_pack("{s:s, s:b, s:s, s:s}", "rule", rule->id, "fails", rule->fatal,
				 "sentence", rule->sentence, "remedy", rule->remedy);
	size_t len;

	for (unsigned part = 0; part < 3; part++) {
		const char *text = xfn_explain__page(i, part, &len);

		json_object_set_new(page, keys[part], json_stringn(text, len));
	}
	return page;
}

int xfn_explain__rule(const char *id, bool json, json_t *all)
{
	static const char *const columns[] = { "RULE", "EFFECT", "A FUNCTION THAT" };
	struct xfn_table *table = xfn_table__new(columns, 3);
	bool found = false;

	for (unsigned i = 0; i < XFN_RULE_COUNT; i++) {
		const struct xfn_rule_text *rule = xfn_refusal__rule(i);

		if (id && strcmp(id, rule->id))
			continue;
		found = true;
		if (json)
			json_array_append_new(all, page_json(i, rule));
		else if (id)
			print_page(i, rule);
		else
			xfn_table__row(table, rule->id, rule->fatal ? "fails" : "worker",
				       rule->sentence);
	}
	xfn_table__print(table, false);
	if (found)
		return 0;
	return xfn_output__fail_one(all, "explain", json, XFN_EXIT_FAILED,
				    "%s: no such rule; see them all with `xfn explain --rule`", id);
}
