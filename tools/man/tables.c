// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The lists of xfn-rules(7), xfn-reasons(7) and xfn-stat(1), out of the tables that the program itself uses. */
#include <stdio.h>
#include <string.h>
#include "../../skel/array_size.h"
#include <linux/types.h>
#include "../../skel/reason_text.h"
#include "../../skel/refusal.h"
#include "../../userspace/protocol/engine_stats.h"
#include "../../xdp/abi.h"

static const struct {
	const char *id, *verdict, *sentence, *remedy;
} rules[] = {
#define XFN_RULE(id, verdict, sentence, remedy, ...) { #id, #verdict, sentence, remedy },
	XFN_RULES(XFN_RULE)
#undef XFN_RULE
};

/* Meaning, an example, and one that passes, with "---" between. */
static const char *const pages[] = {
#include "rule_pages.h"
};

/* Up to the next "---", as roff takes it for itself. Returns what stands behind that. */
static const char *print_part(const char *text)
{
	while (*text && strncmp(text, "---\n", 4)) {
		if (*text == '.' || *text == '\'')
			fputs("\\&", stdout);
		for (; *text && *text != '\n'; text++)
			*text == '\\' ? fputs("\\e", stdout) : putchar(*text);
		putchar('\n');
		text += *text == '\n';
	}
	return text + (*text ? 4 : 0);
}

static void print_example(const char *heading, const char **text)
{
	if (!**text || !strncmp(*text, "---\n", 4)) {
		*text += **text ? 4 : 0;
		return;
	}
	printf(".Pp\n%s\n.Bd -literal -offset indent\n", heading);
	*text = print_part(*text);
	puts(".Ed");
}

static void print_rules(const char *verdict)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
		const char *text = pages[i];

		if (strcmp(rules[i].verdict, verdict))
			continue;
		printf(".It %s\nThe function %s.\nRemedy: %s.\n.Pp\n", rules[i].id,
		       rules[i].sentence, rules[i].remedy);
		text = print_part(text);
		print_example("This meets the rule:", &text);
		print_example("This passes:", &text);
	}
}

static void print_reasons(const char *verdict)
{
	for (unsigned i = 1; i < XFN_REASON_COUNT; i++)
		if (!strcmp(xfn_reason_texts[i].verdict, verdict))
			printf(".It %s\n%s\n", xfn_reason_texts[i].name,
			       xfn_reason_texts[i].sentence);
}

static void print_counters(void)
{
#define COUNTER(name, any, sentence) ".It Cm " #name "\n" sentence "\n"
#define FRAMES(type, name, sentence) ".It Cm frames_" #name "\n" sentence "\n"
	puts(".Pp\nOf each function are counted:\n.Bl -tag -width Ds\n" XFN_SLOT_COUNTERS(
		COUNTER) ".El");
	puts(".Pp\nOf each thread of a worker:\n.Bl -tag -width Ds\n" XFN_ENGINE_COUNTERS(
		COUNTER) ".El");
	puts(".Pp\nWith\n.Fl v ,\nof each worker behind AF_XDP:\n.Bl -tag -width Ds\n" XFN_ENGINE_FRAMES(
		FRAMES) ".El");
#undef COUNTER
#undef FRAMES
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "rules")) {
		puts(".Ss Too much for the kernel: the function runs in a worker\n"
		     ".Bl -tag -width Ds");
		print_rules("DEMOTE");
		puts(".El\n.Ss Wrong in every tier: the build fails\n.Bl -tag -width Ds");
		print_rules("FAIL");
		puts(".El");
	} else if (argc == 2 && !strcmp(argv[1], "reasons")) {
		puts(".Ss Dropped\n.Bl -tag -width Ds");
		print_reasons("DROP");
		puts(".El\n.Ss Left to the host's stack\n.Bl -tag -width Ds");
		print_reasons("PASS");
		puts(".El\n.Ss Handed to the worker\n.Bl -tag -width Ds");
		print_reasons("WORK");
		puts(".El");
	} else if (argc == 2 && !strcmp(argv[1], "counters")) {
		print_counters();
	} else {
		fprintf(stderr, "usage: %s rules|reasons|counters\n", argv[0]);
		return 2;
	}
	return 0;
}
