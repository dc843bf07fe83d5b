// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a function returns, as far as the compiler knows it: constants that reach its end in LLVM's
 * own words (the text form of its IR, LangRef). Pure text work; must never judge.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "classify.h"
#include "source_text.h"

#define SEEN_MAX 256 /* values followed; more are not looked at */

struct walk {
	const char *ir;
	bool (*wanted)(int value, void *ctx);
	void *ctx;
	const char *seen[SEEN_MAX];
	unsigned count;
	bool found;
	int value;
};

/* A function's lines. */
struct body {
	const char *begin, *end;
};

static size_t line_len(const char *line)
{
	return strcspn(line, "\n");
}

static bool find_body(const char *ir, const char *name, size_t len, struct body *out)
{
	for (const char *line = ir; *line;
	     line += line_len(line) + (line[line_len(line)] == '\n')) {
		const char *at =
			strncmp(line, "define ", 7) ? NULL : memchr(line, '@', line_len(line));

		if (!at || strncmp(at + 1, name, len) || at[1 + len] != '(')
			continue;
		out->begin = line + line_len(line);
		out->end = strstr(out->begin, "\n}");
		return out->end != NULL;
	}
	return false;
}

/* The line "  %NAME = ..." of the value, from behind its '='. NULL: an argument, or none. */
static const char *definition(const struct body *body, const char *name, size_t len)
{
	for (const char *at = body->begin; at && at < body->end; at = strchr(at + 1, '\n'))
		if (!strncmp(at, "\n  ", 3) && !strncmp(at + 3, name, len) &&
		    !strncmp(at + 3 + len, " = ", 3))
			return at + 3 + len + 3;
	return NULL;
}

static void walk_function(struct walk *w, const char *name, size_t len);

/* Follow one operand to the constants that it may be. */
static void walk_value(struct walk *w, const struct body *body, const char *operand)
{
	size_t len = strcspn(operand, " ,)]\n");
	const char *def, *end, *at;

	if (w->found)
		return;
	if (isdigit((unsigned char)*operand) || *operand == '-') {
		w->value = (int)strtol(operand, NULL, 10);
		w->found = w->wanted(w->value, w->ctx);
		return;
	}
	def = *operand == '%' ? definition(body, operand, len) : NULL;
	for (unsigned i = 0; def && i < w->count; i++)
		if (w->seen[i] == def)
			return;
	if (!def || w->count == SEEN_MAX)
		return;
	w->seen[w->count++] = def;
	end = def + line_len(def);
	if (!strncmp(def, "phi i32 ", 8)) {
		for (at = def; (at = memchr(at, '[', (size_t)(end - at))); at++)
			walk_value(w, body, at + 2);
	} else if (!strncmp(def, "select i1 ", 10)) {
		for (at = def; (at = memmem(at, (size_t)(end - at), ", i32 ", 6)); at += 6)
			walk_value(w, body, at + 6);
	} else if (!strncmp(def, "freeze i32 ", 11)) {
		walk_value(w, body, def + 11);
	} else if (strstr(def, "call ") && strstr(def, "call ") < end) {
		at = memchr(def, '@', (size_t)(end - def));
		if (at)
			walk_function(w, at + 1, strcspn(at + 1, "(\n"));
	}
}

static void walk_function(struct walk *w, const char *name, size_t len)
{
	static const char ret[] = "\n  ret i32 ";
	struct body body;

	if (!find_body(w->ir, name, len, &body))
		return;
	for (const char *at = body.begin; (at = strstr(at, ret)) && at < body.end; at++)
		walk_value(w, &body, at + strlen(ret));
}

bool xfn_classify__returns(const char *ir, bool (*wanted)(int value, void *ctx), void *ctx,
			   int *value)
{
	static const char entry[] = "xfn_body_entry";
	struct walk w = { .ir = ir, .wanted = wanted, .ctx = ctx };

	walk_function(&w, entry, strlen(entry));
	*value = w.value;
	return w.found;
}

/* Is the constant an operand in this line? */
static bool mentions(const char *line, size_t len, int value)
{
	char forms[2][24];

	snprintf(forms[0], sizeof(forms[0]), " i32 %d", value);
	snprintf(forms[1], sizeof(forms[1]), "[ %d", value);
	for (unsigned i = 0; i < 2; i++) {
		size_t n = strlen(forms[i]);
		const char *at = memmem(line, len, forms[i], n);

		if (at && strchr(",) ]\n", at[n]))
			return true;
	}
	return false;
}

/* The text behind "!ID = " where the line has "KEY!ID"; NULL: none. */
static const char *metadata(const char *ir, const char *line, const char *key)
{
	const char *at = memmem(line, line_len(line), key, strlen(key));
	char mark[40];

	if (!at)
		return NULL;
	at += strlen(key);
	snprintf(mark, sizeof(mark), "\n!%.*s = ", (int)strspn(at, "0123456789"), at);
	at = strstr(ir, mark);
	return at ? at + strlen(mark) : NULL;
}

/* Is `file`, as far as its quote, how the compiler names `source`? It takes its folder apart. */
static bool names(const char *file, const char *source)
{
	size_t len = strcspn(file, "\""), all = strlen(source);

	return len && len <= all && !strncmp(source + all - len, file, len) &&
	       (len == all || source[all - len - 1] == '/');
}

/* The line of `source` that the line of IR was made of; 0: of another file, or unknown. */
static uint32_t origin(const char *ir, const char *line, const char *source)
{
	static const char begin[] = "!DILocation(line: ", name[] = "!DIFile(filename: \"";
	const char *location = metadata(ir, line, "!dbg !");
	const char *scope = location ? metadata(ir, location, "scope: !") : NULL;
	const char *file = scope ? metadata(ir, scope, "file: !") : NULL;

	if (!file || strncmp(location, begin, strlen(begin)) || strncmp(file, name, strlen(name)) ||
	    !names(file + strlen(name), source))
		return 0;
	return (uint32_t)strtoul(location + strlen(begin), NULL, 10);
}

uint32_t xfn_classify__returned_at(const char *ir, const char *source, int value)
{
	uint32_t first = 0;

	for (const char *line = ir; *line;
	     line += line_len(line) + (line[line_len(line)] == '\n')) {
		bool returns;
		uint32_t at;
		char *row;

		if (strncmp(line, "  ", 2) || !mentions(line, line_len(line) + 1, value))
			continue;
		at = origin(ir, line, source);
		row = at ? xfn_source_text__row(source, at) : NULL;
		returns = row && strstr(row, "return");
		free(row);
		if (returns)
			return at;
		first = first ?: at;
	}
	return first;
}
