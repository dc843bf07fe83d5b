// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * --help of a verb's table, in the order of the table. argp's own loses and misplaces blanks where
 * its buffer ends within a line. Must never know what an option means.
 */
#include <string.h>
#include "options.h"

#define WIDTH  79
#define COLUMN 29 /* where what an option does begins */

/* One line, from `column` on; what is too long goes on at `margin`. */
static void print_line(FILE *to, const char *text, size_t len, size_t column, size_t margin)
{
	size_t lead = strspn(text, " ");

	while (column + len > WIDTH && len > lead) {
		size_t fits = WIDTH > column ? WIDTH - column : 0, at = fits;

		while (at > lead && text[at] != ' ')
			at--;
		if (at <= lead) /* a word that is longer than a line */
			at = lead + strcspn(text + lead, " \n");
		if (at >= len)
			break;
		fprintf(to, "%.*s\n%*s", (int)at, text, (int)margin, "");
		at += strspn(text + at, " ");
		text += at;
		len -= at;
		column = margin;
		lead = 0;
	}
	fprintf(to, "%.*s\n", (int)len, text);
}

static void print_text(FILE *to, const char *text, size_t column, size_t margin)
{
	for (;;) {
		size_t len = strcspn(text, "\n");

		print_line(to, text, len, column, margin);
		if (!text[len])
			return;
		text += len + 1;
		column = margin;
		fprintf(to, "%*s", *text && *text != '\n' ? (int)margin : 0, "");
	}
}

static void print_option(FILE *to, const struct xfn_option *o)
{
	char head[160], choices[96];
	const char *argument = o->argument;
	int len;

	if (o->choices) {
		xfn_option__choices(o, "|", "|", choices, sizeof(choices));
		argument = choices;
	}
	len = o->key ? snprintf(head, sizeof(head), "  -%c, --%s", o->key, o->name) :
		       snprintf(head, sizeof(head), "      --%s", o->name);
	if (argument)
		snprintf(head + len, sizeof(head) - (size_t)len, o->optional ? "[=%s]" : "=%s",
			 argument);
	if (strlen(head) + 2 > COLUMN)
		fprintf(to, "%s\n%*s", head, COLUMN, "");
	else
		fprintf(to, "%-*s", COLUMN, head);
	print_text(to, o->help, COLUMN, COLUMN);
}

void xfn_options__help(const struct xfn_verb *verb, bool brief, FILE *to)
{
	static const struct xfn_option own[] = {
		{ .name = "help", .key = '?', .help = "Give this help list" },
		{ .name = "usage", .help = "Give a short usage message" },
	};

	fprintf(to, "Usage: xfn %s [OPTION...]%s%s\n", verb->name, verb->arguments ? " " : "",
		verb->arguments ?: "");
	if (brief)
		return;
	print_text(to, verb->doc, 0, 0);
	fputs("\n", to);
	for (const struct xfn_option *o = verb->options; o->name || o->help; o++)
		if (o->type == XFN_HEADING)
			fprintf(to, "\n %s\n", o->help);
		else
			print_option(to, o);
	fputs("\n", to);
	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		print_option(to, &own[i]);
	fputs("\n", to);
	if (verb->notes) {
		print_text(to, verb->notes, 0, 0);
		fputs("\n", to);
	}
	fprintf(to, "Example: %s\n", verb->example);
}
