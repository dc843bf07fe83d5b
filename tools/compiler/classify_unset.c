// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Bytes that no code sets, though every variable begins as zeroes (tools/compiler/compiler.h): what is no
 * variable is not begun so. The padding of a compound literal is what the stack held, a
 * struct that is passed in two registers leaves its padding behind, a declaration that is jumped
 * over zeroes nothing, and an attribute asks for that. clang's own syntax tree tells where they
 * are; the compiler's warnings tell which structs have padding, and which go in two registers. Must
 * never judge other files than the author's.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../skel/error.h"
#include "../../skel/loader.h"
#include "../process/output_file.h"
#include "classify_unset.h"
#include "unset_inside.h"

/* The text without the words that qualify a type. */
static const char *unqualified(const char *begin, const char *end)
{
	static const char *const words[] = { "const ", "volatile ", "restrict ", "static " };

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(end - begin) > len && !strncmp(begin, words[i], len))
			return unqualified(begin + len, end);
	}
	return begin;
}

bool xfn_unset__last_type(const struct xfn_unset_row *r, char *type, size_t len)
{
	const char *end = NULL, *begin = NULL, *p;
	char *bracket;

	for (p = r->rest; p < r->text + r->len; p++) {
		if (*p != '\'')
			continue;
		begin = p + 1;
		end = memchr(begin, '\'', (size_t)(r->text + r->len - begin));
		if (!end)
			return false;
		p = end;
		if (p + 1 >= r->text + r->len || p[1] != ':')
			break;
	}
	if (!end)
		return false;
	begin = unqualified(begin, end);
	snprintf(type, len, "%.*s", (int)(end - begin), begin);
	bracket = strrchr(type, '[');
	if (bracket && type[strlen(type) - 1] == ']')
		type[strcspn(type, "[")] = 0;
	return true;
}

/*
 * Is the file the source, a header that lies with it, or one that the compiler did not read: a name
 * that only #line gives?
 */
static bool is_own(const struct xfn_unset_walk *w)
{
	struct xfn_diagnostic place = { .line = 1, .in_source = !strcmp(w->file, w->source) };
	struct xfn_error err;

	snprintf(place.file, sizeof(place.file), "%s", w->file);
	return place.in_source || xfn_classify__in_own_header(&place, w->source) ||
	       !xfn_output_file__not_listed(w->file, w->list, &err);
}

/* The same, asked once for each file. */
static bool is_own_file(struct xfn_unset_walk *w)
{
	unsigned i = 0;

	while (i < w->file_count && strcmp(w->files[i], w->file))
		i++;
	if (i < w->file_count)
		return w->owned[i];
	if (i == FILES_MAX)
		return is_own(w);
	w->files[i] = strdup(w->file);
	if (!w->files[i])
		return is_own(w);
	w->file_count++;
	return w->owned[i] = is_own(w);
}

/* "line:12:3", "FILE:12:3", "col:3" at `at`: what it leaves out is as in the place before. */
static void take_place(struct xfn_unset_walk *w, const char *at, size_t len)
{
	const char *colon = NULL, *before = NULL;
	uint32_t line;

	/* the last two numbers are line and column */
	for (size_t i = 0; i < len; i++)
		if (at[i] == ':') {
			before = colon;
			colon = at + i;
		}
	if (!before || !isdigit((unsigned char)before[1]))
		return;
	line = strtoul(before + 1, NULL, 10);
	w->line = line;
	if (before - at == 4 && !strncmp(at, "line", 4))
		return;
	snprintf(w->file, sizeof(w->file), "%.*s", (int)(before - at), at);
	w->own = is_own_file(w);
}

/* The places of a row, "<BEGIN, END> NAME": where it begins, and w where the next one goes on. */
static void take_places(struct xfn_unset_walk *w, struct xfn_unset_row *r, const char *at)
{
	const char *end = r->text + r->len, *close;

	r->rest = at;
	r->line = w->line;
	if (at >= end || *at != '<' || at[1] == '<')
		return;
	close = memchr(at, '>', (size_t)(end - at));
	if (!close)
		return;
	for (const char *p = at + 1; p < close;) {
		const char *comma = memmem(p, (size_t)(close - p), ", ", 2) ?: close;

		take_place(w, p, (size_t)(comma - p));
		if (p == at + 1)
			r->line = w->line;
		p = comma + (comma < close ? 2 : 0);
	}
	/* where the name stands */
	at = close + 1 + (close[1] == ' ');
	for (close = at; close < end && *close != ' '; close++)
		;
	if (memchr(at, ':', (size_t)(close - at)) && *at != '\'')
		take_place(w, at, (size_t)(close - at));
	r->rest = at;
}

void xfn_unset__refuse(struct xfn_unset_walk *w, enum xfn_rule rule, const char *text,
		       uint32_t line)
{
	struct xfn_refusal *out = &w->v->refusal;
	bool in_source = !strcmp(w->file, w->source);
	size_t len;

	xfn_refusal__set(out, rule, text, w->source, in_source ? line : 0);
	len = strlen(out->reason);
	if (!in_source)
		snprintf(out->reason + len, sizeof(out->reason) - len, ", in %s:%u", w->file, line);
}

/* What asks by name that memory stay as it was. */
static void check_wishes(struct xfn_unset_walk *w, const struct xfn_unset_row *r)
{
	static const char call[] =
		"_uninitialized'"; /* __builtin_alloca_uninitialized and the like */

	if (w->own &&
	    (!strcmp(r->kind, "UninitializedAttr") ||
	     (!strcmp(r->kind, "DeclRefExpr") &&
	      memmem(r->rest, (size_t)(r->text + r->len - r->rest), call, sizeof(call) - 1))))
		xfn_unset__refuse(w, XFN_RULE_left_unset, NULL, w->line);
}

/* Split "| `-KIND 0xADDRESS <PLACES> ..." */
static bool take_row(struct xfn_unset_walk *w, struct xfn_unset_row *r)
{
	size_t at = strspn(r->text, " |`-"), len;
	const char *p = r->text + at;

	r->depth = at / 2;
	len = strcspn(p, " \n");
	if (at >= r->len || r->depth >= XFN_UNSET_DEPTH || len >= sizeof(r->kind) ||
	    p[len] != ' ' || strncmp(p + len, " 0x", 3))
		return false;
	snprintf(r->kind, sizeof(r->kind), "%.*s", (int)len, p);
	p += len + 1;
	snprintf(r->address, sizeof(r->address), "%.*s", (int)strcspn(p, " \n"), p);
	p += strcspn(p, " \n");
	while (!strncmp(p, " prev 0x", 8) || !strncmp(p, " parent 0x", 10))
		p += 1 + strcspn(p + 1, " "), p += 1 + strcspn(p + 1, " \n");
	take_places(w, r, p + (*p == ' '));
	return true;
}

static void free_walk(struct xfn_unset_walk *w)
{
	for (unsigned i = 0; i < w->file_count; i++)
		free(w->files[i]);
	for (unsigned i = 0; i < w->type_count; i++)
		free(w->types[i]);
	for (unsigned i = 0; i < w->bare_count; i++)
		free(w->bare[i].file);
	free(w);
}

int xfn_classify__unset(const char *source, const char *list, const char *warnings,
			const char *tree, struct xfn_verdict *v, struct xfn_error *err)
{
	struct xfn_unset_walk *w = calloc(1, sizeof(*w));
	struct xfn_unset_row r = {};

	if (!w) {
		return xfn_fail(err, -ENOMEM, "out of memory; free some");
	}
	w->source = source;
	w->list = list;
	w->v = v;
	xfn_unset__warnings(w, warnings);
	for (const char *at = tree; *at && !v->refusal.rule[0]; at += r.len + (at[r.len] == '\n')) {
		r.number++;
		r.text = at;
		r.len = strcspn(at, "\n");
		if (!take_row(w, &r))
			continue;
		if (!strcmp(r.kind, "FunctionDecl"))
			xfn_unset__function(w);
		xfn_unset__types(w, &r);
		check_wishes(w, &r);
		xfn_unset__jumps(w, &r);
	}
	free_walk(w);
	return 0;
}
