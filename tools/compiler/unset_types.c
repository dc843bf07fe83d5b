// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Types with padding, and where it holds what the stack held: in a compound literal, and in what is
 * passed in two registers. The compiler's warnings tell which structs have padding, system headers'
 * among them; what holds such a one is one as well. Must never judge other files than the author's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "unset_inside.h"

/* Newer compilers name the struct of a typedef "struct NAME", and others NAME. */
static size_t tag_len(const char *name)
{
	return !strncmp(name, "struct ", 7) ? 7 : !strncmp(name, "union ", 6) ? 6 : 0;
}

static void add_type(struct xfn_unset_walk *w, const char *name, size_t len, bool gaps)
{
	size_t tag = len > 7 ? tag_len(name) : 0;

	name += tag;
	len -= tag;
	if (!len || w->type_count == TYPES_MAX)
		return;
	w->gaps[w->type_count] = gaps;
	w->types[w->type_count++] = strndup(name, len);
}

static void add_bare(struct xfn_unset_walk *w, const char *file, size_t len, uint32_t line,
		     bool gaps)
{
	if (w->bare_count < TYPES_MAX)
		w->bare[w->bare_count++] = (struct xfn_bare){ strndup(file, len), line, gaps };
}

static bool is_bare(const struct xfn_unset_walk *w, const char *file, size_t len, uint32_t line,
		    bool gaps)
{
	for (unsigned i = 0; line && i < w->bare_count; i++)
		if (w->bare[i].line == line && w->bare[i].gaps >= gaps && w->bare[i].file &&
		    strlen(w->bare[i].file) == len && !memcmp(w->bare[i].file, file, len))
			return true;
	return false;
}

/*
 * Where the struct stands that is called "struct outer::(unnamed at FILE:LINE:COLUMN)": its line
 * and its file. 0: it has a name.
 */
static uint32_t bare_place(const char *text, const char **file, size_t *len)
{
	const char *begin = strstr(text, "(unnamed"), *end = begin ? strchr(begin, ')') : NULL;
	const char *column = end ? memrchr(begin, ':', (size_t)(end - begin)) : NULL;
	const char *line = column ? memrchr(begin, ':', (size_t)(column - begin)) : NULL;
	const char *at = line ? strstr(begin, " at ") : NULL;

	if (!at || at + 4 > line)
		return 0;
	*file = at + 4;
	*len = (size_t)(line - *file);
	return strtoul(line + 1, NULL, 10);
}

/* Is it such a type; or (gaps) one with bytes between its members? */
static bool padded(const struct xfn_unset_walk *w, const char *type, bool gaps)
{
	const char *file;
	size_t len;
	uint32_t line = bare_place(type, &file, &len);

	if (line)
		return is_bare(w, file, len, line, gaps);
	type += tag_len(type);
	for (unsigned i = 0; i < w->type_count; i++)
		if (w->gaps[i] >= gaps && !strcmp(w->types[i], type))
			return true;
	return false;
}

/* A record's definition. */
static void check_record(struct xfn_unset_walk *w, const struct xfn_unset_row *r)
{
	static const char defined[] = " definition";
	const char *end = r->text + r->len;
	const char *name = memmem(r->rest, (size_t)(end - r->rest), "struct", 6);
	const char *sum = memmem(r->rest, (size_t)(end - r->rest), "union", 5);
	const char *stop;

	name = name ?: sum;
	stop = name ? memmem(name, (size_t)(end - name), defined, sizeof(defined) - 1) : NULL;
	w->record_len[r->depth] = 0;
	w->bare_padded[r->depth] = false;
	if (!stop)
		return;
	w->record_line[r->depth] = r->line;
	if (memchr(name, ' ', (size_t)(stop - name))) {
		w->record_name[r->depth] = name;
		w->record_len[r->depth] = (size_t)(stop - name);
	}
	/* Which members of other unions are of one size nobody tells. */
	if (name == sum && !w->own)
		return;
	if (name == sum)
		add_type(w, name, w->record_len[r->depth], false);
	if (w->record_len[r->depth])
		return;
	if (name == sum)
		add_bare(w, w->file, strlen(w->file), r->line, false);
	else if (!is_bare(w, w->file, strlen(w->file), r->line, true))
		return;
	w->bare_padded[r->depth] = true;
	if (r->depth && w->record_len[r->depth - 1])
		add_type(w, w->record_name[r->depth - 1], w->record_len[r->depth - 1], name != sum);
}

/* What has a member of such a type is one as well. */
static void check_member(struct xfn_unset_walk *w, const struct xfn_unset_row *r)
{
	char type[256];

	if (!r->depth || !xfn_unset__last_type(r, type, sizeof(type)) || !padded(w, type, false))
		return;
	add_type(w, w->record_name[r->depth - 1], w->record_len[r->depth - 1],
		 padded(w, type, true));
	if (w->record_len[r->depth - 1])
		return;
	w->bare_padded[r->depth - 1] = true;
	add_bare(w, w->file, strlen(w->file), w->record_line[r->depth - 1], padded(w, type, true));
}

static void check_typedef(struct xfn_unset_walk *w, const struct xfn_unset_row *r)
{
	const char *end = r->text + r->len, *stop, *name;
	char type[256];

	if (!xfn_unset__last_type(r, type, sizeof(type)) ||
	    (!w->bare_padded[r->depth] && !padded(w, type, false)))
		return;
	stop = memchr(r->rest, '\'', (size_t)(end - r->rest));
	/* its name stands before its type */
	for (name = stop; name && name - 1 > r->rest && name[-2] != ' ';)
		name--;
	if (name)
		add_type(w, name - 1, (size_t)(stop - name),
			 w->bare_padded[r->depth] || padded(w, type, true));
	w->bare_padded[r->depth] = false;
}

/* A compound literal; or a part of one, whose type its own may hide: that of `typeof(v)[2]`. */
static void check_literal(struct xfn_unset_walk *w, const struct xfn_unset_row *r)
{
	char type[256], text[384];

	if (w->literal && r->depth <= w->literal)
		w->literal = 0;
	if (!strcmp(r->kind, "CompoundLiteralExpr"))
		w->literal = w->literal ?: r->depth;
	else if (!w->literal || strcmp(r->kind, "InitListExpr"))
		return;
	if (!w->own || !xfn_unset__last_type(r, type, sizeof(type)) || !padded(w, type, false))
		return;
	snprintf(text, sizeof(text),
		 "makes a %.100s without a name, whose padding holds what the stack held", type);
	xfn_unset__refuse(w, XFN_RULE_padded_literal, text, r->line);
}

/* A function that takes or gives a struct in two registers: they hold its members only. */
static void check_value(struct xfn_unset_walk *w, const struct xfn_unset_row *r)
{
	bool gives = !strcmp(r->kind, "FunctionDecl"), split = false;
	char type[256], text[384];

	if (!w->own || (!gives && strcmp(r->kind, "ParmVarDecl")) ||
	    !xfn_unset__last_type(r, type, sizeof(type)))
		return;
	if (gives && !strstr(type, "(unnamed"))
		type[strcspn(type, "(")] = 0;
	for (size_t len = strlen(type); len && type[len - 1] == ' '; len--)
		type[len - 1] = 0;
	if (!padded(w, type, true))
		return;
	for (unsigned i = 0; !split && i < w->split_count; i++)
		split = w->split[i] == r->line || w->split[i] == w->line;
	if (!split)
		return;
	snprintf(text, sizeof(text),
		 "%s a %.100s by value, whose padding is left behind: there is what the stack held",
		 gives ? "returns" : "passes", type);
	xfn_unset__refuse(w, XFN_RULE_padded_value, text, r->line);
}

void xfn_unset__types(struct xfn_unset_walk *w, const struct xfn_unset_row *r)
{
	if (!strcmp(r->kind, "RecordDecl"))
		check_record(w, r);
	else if (!strcmp(r->kind, "FieldDecl"))
		check_member(w, r);
	else if (!strcmp(r->kind, "TypedefDecl"))
		check_typedef(w, r);
	check_literal(w, r);
	check_value(w, r);
}

void xfn_unset__warnings(struct xfn_unset_walk *w, const char *warnings)
{
	struct xfn_diagnostic found;

	while (xfn_classify__diagnostic(&warnings, w->source, "warning", &found)) {
		const char *name =
			strstr(found.text, "padding s") ? strchr(found.text, '\'') : NULL;
		const char *file;
		uint32_t line;
		unsigned bytes;
		size_t len;

		if (strstr(found.text, "pass-by-value") && w->split_count < SPLIT_MAX &&
		    sscanf(strstr(found.text, "large (") ?: "", "large (%u bytes)", &bytes) == 1 &&
		    bytes <= 16)
			w->split[w->split_count++] = found.at;
		if (!name || !strstr(found.text, "-Wpadded"))
			continue;
		line = bare_place(found.text, &file, &len);
		if (line)
			add_bare(w, file, len, line, true);
		else
			add_type(w, name + 1, strcspn(name + 1, "'"), true);
	}
}
