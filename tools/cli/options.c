// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A verb's table -> argp, values in the verb's struct, lines for completion. argp only collects:
 * values are checked when all are known, so that -j holds for every error line wherever it stands.
 * Must never know what an option means.
 */
#include "options.h"

#include <argp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "output.h"

#define LONG_ONLY 256 /* keys of options without a letter: this and their place in the table */
#define KEY_HELP  '?'
#define KEY_USAGE 255

struct given {
	const struct xfn_option *option;
	char *value;
};

struct parse {
	const struct xfn_verb *verb;
	struct given *given;
	unsigned count;
	struct xfn_words *words;
	bool json;
};

static bool is_end(const struct xfn_option *option)
{
	return !option->name && !option->help;
}

static const struct xfn_option *find(const struct xfn_verb *verb, const char *name, size_t len)
{
	for (const struct xfn_option *o = verb->options; !is_end(o); o++)
		if (o->name && strlen(o->name) == len && !memcmp(o->name, name, len))
			return o;
	return NULL;
}

static error_t collect(int key, char *arg, struct argp_state *state)
{
	static char none[] = "";
	struct parse *p = state->input;
	struct xfn_words *words = p->words;

	if (key == ARGP_KEY_ARG) {
		words->word[words->count++] = arg;
		while (p->verb->command && words->count > 1 && state->next < state->argc)
			words->word[words->count++] = state->argv[state->next++];
		return 0;
	}
	if (key == KEY_HELP || key == KEY_USAGE) {
		xfn_options__help(p->verb, key == KEY_USAGE, stdout);
		exit(fflush(stdout) ? XFN_EXIT_FAILED : 0);
	}
	for (const struct xfn_option *o = p->verb->options; !is_end(o); o++)
		if (o->name && key == (o->key ?: LONG_ONLY + (int)(o - p->verb->options))) {
			p->given[p->count++] = (struct given){ o, arg ?: none };
			return 0;
		}
	return ARGP_ERR_UNKNOWN;
}

/* The verb's argp is good until the next one is made. */
static const struct argp *make_argp(const struct xfn_verb *verb)
{
	static struct argp_option options[XFN_OPTIONS_MAX + 3];
	static const struct argp argp = { .options = options, .parser = collect };
	unsigned n = 0;

	options[n++] = (struct argp_option){ .name = "help", .key = KEY_HELP };
	options[n++] = (struct argp_option){ .name = "usage", .key = KEY_USAGE };
	for (const struct xfn_option *o = verb->options; !is_end(o) && n < XFN_OPTIONS_MAX + 2; o++)
		if (o->name)
			options[n++] = (struct argp_option){
				.name = o->name,
				.key = o->key ?: LONG_ONLY + (int)(o - verb->options),
				.arg = o->choices ? "CHOICE" : o->argument,
				.flags = o->optional ? OPTION_ARG_OPTIONAL : 0,
			};
	options[n] = (struct argp_option){};
	return &argp;
}

int xfn_options__bad(const char *verb, bool json, const char *name, const char *value,
		     const char *format, ...)
{
	char next[512];
	va_list args;

	va_start(args, format);
	vsnprintf(next, sizeof(next), format, args);
	va_end(args);
	return xfn_output__fail(verb, json, XFN_EXIT_USAGE,
				value ? "%s '%.100s': %s" : "%s%.0s: %s", name, value ?: "", next);
}

static int bad(const struct parse *p, const struct given *given, const char *next)
{
	const struct xfn_option *o = given->option;
	char name[40];

	snprintf(name, sizeof(name), "--%s", o->name);
	return xfn_options__bad(p->verb->name, p->json, name,
				o->argument || o->choices ? given->value : NULL, "%s", next);
}

/* Which of these names is given first, of a list with blanks between. NULL: none. */
static const struct given *any_of(const struct parse *p, const char *names)
{
	for (const char *at = names; at && *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");
		const struct xfn_option *o = find(p->verb, at, len);

		for (unsigned i = 0; i < p->count; i++)
			if (p->given[i].option == o)
				return &p->given[i];
		at += len;
	}
	return NULL;
}

/* "give one of --outstanding, --rate and --flood" */
static int exclusive(const struct parse *p, const struct xfn_option *option)
{
	char text[256];
	const char *at = option->excludes;
	int n = snprintf(text, sizeof(text), "give one of --%s", option->name);

	while (*at && n < (int)sizeof(text)) {
		int len = (int)strcspn(at, " ");

		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s--%.*s",
			      at[len] ? ", " : " and ", len, at);
		at += len + (at[len] == ' ');
	}
	return xfn_output__fail(p->verb->name, p->json, XFN_EXIT_USAGE, "%s", text);
}

/* Does each option have what it needs, and none that it excludes? Exit status. */
static int check_relations(const struct parse *p)
{
	for (unsigned i = 0; i < p->count; i++) {
		const struct xfn_option *o = p->given[i].option, *needed;
		char next[128];

		if (any_of(p, o->excludes))
			return exclusive(p, o);
		if (!o->needs || any_of(p, o->needs))
			continue;
		needed = find(p->verb, o->needs, strcspn(o->needs, " "));
		if (needed->needed)
			snprintf(next, sizeof(next), "needs %s", needed->needed);
		else
			snprintf(next, sizeof(next), "needs --%s; add it", needed->name);
		return bad(p, &p->given[i], next);
	}
	return 0;
}

static int check_words(const struct parse *p)
{
	const struct xfn_verb *verb = p->verb;

	if (p->words->count > verb->most)
		return xfn_output__fail(
			verb->name, p->json, XFN_EXIT_USAGE, "'%.60s': takes %s%s",
			p->words->word[verb->most], verb->arguments ?: "no argument",
			!verb->arguments && find(verb, "interface", strlen("interface")) ?
				"; name an interface with -i" :
				"");
	if (p->words->count < verb->least)
		return xfn_output__fail(verb->name, p->json, XFN_EXIT_USAGE, "%s", verb->missing);
	return 0;
}

int xfn_options__parse(const struct xfn_verb *verb, int argc, char **argv, void *opts,
		       struct xfn_words *words)
{
	struct parse p = { .verb = verb, .words = words };
	char name[32], next[256], *own = argv[0];
	size_t letters = 1; /* no option is shorter */
	int status = 0;

	for (int i = 1; i < argc; i++)
		letters += strlen(argv[i]);
	*words = (struct xfn_words){ .word = calloc((size_t)argc + 1, sizeof(char *)) };
	p.given = calloc(letters, sizeof(*p.given));
	if (!words->word || !p.given) {
		free(p.given);
		return xfn_output__fail(verb->name, false, XFN_EXIT_FAILED, "out of memory");
	}
	snprintf(name, sizeof(name), "xfn %s", verb->name);
	argv[0] = name;
	argp_err_exit_status = XFN_EXIT_USAGE;
	argp_parse(make_argp(verb), argc, argv, ARGP_NO_HELP | (verb->command ? ARGP_IN_ORDER : 0),
		   NULL, &p);
	argv[0] = own;
	p.json = any_of(&p, "json");
	for (unsigned i = 0; !status && i < p.count; i++) {
		const char *wrong = xfn_option__store(p.given[i].option, p.given[i].value, opts,
						      next, sizeof(next));

		if (wrong)
			status = bad(&p, &p.given[i], wrong);
	}
	status = status ?: check_words(&p) ?: check_relations(&p);
	free(p.given);
	return status;
}

int xfn_verb__run(const struct xfn_verb *verb, int argc, char **argv)
{
	struct xfn_words words = {};
	void *opts = calloc(1, verb->size);
	int status;

	if (!opts)
		return xfn_output__fail(verb->name, false, XFN_EXIT_FAILED, "out of memory");
	if (verb->defaults)
		memcpy(opts, verb->defaults, verb->size);
	status = xfn_options__parse(verb, argc, argv, opts, &words) ?: verb->run(opts, words);
	free(words.word);
	free(opts);
	return status;
}

void xfn_options__print(const struct xfn_verb *verb, FILE *to)
{
	char choices[128];

	for (const struct xfn_option *o = verb->options; !is_end(o); o++) {
		if (!o->name)
			continue;
		fprintf(to, "--%s", o->name);
		if (o->key)
			fprintf(to, " -%c", o->key);
		if (o->choices)
			xfn_option__choices(o, " ", " ", choices, sizeof(choices));
		fprintf(to, "\t%s%s\n", o->choices ? "=" : "",
			o->choices   ? choices :
			o->completes ? o->completes :
			o->argument  ? "?" :
				       "-");
	}
	fprintf(to, ":\t%s\n", verb->completes ?: "-");
}
