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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "classify.h"
#include "classify_unset.h"

#define DEPTH_MAX 256
#define TYPES_MAX 512
#define VARS_MAX  512
#define JUMPS_MAX 512
#define SPLIT_MAX 512

/* A place that is jumped to, and from where first. */
struct jump {
	char label[64]; /* "": a case of a switch */
	unsigned from, to;
};

struct variable {
	char address[20]; /* as the tree names it */
	unsigned row;
};

struct walk {
	const char *source;
	struct xfn_verdict *v;
	char file[PATH_MAX]; /* of the row */
	uint32_t line;
	bool own; /* that file is the author's */
	/* types with bytes between their members, or members of several sizes */
	char *types[TYPES_MAX];
	bool gaps[TYPES_MAX]; /* the former */
	unsigned type_count;
	uint32_t split[SPLIT_MAX]; /* lines of what takes or gives a struct in two registers */
	unsigned split_count;
	uint32_t bare[TYPES_MAX]; /* lines of such that have no name */
	unsigned bare_count;
	const char *record_name[DEPTH_MAX]; /* of the records around the row */
	size_t record_len[DEPTH_MAX];
	bool bare_padded[DEPTH_MAX];	/* the last record there has no name, and is such a type */
	unsigned switch_row[DEPTH_MAX]; /* of the switches around the row, 0: none */
	struct variable vars[VARS_MAX];
	unsigned var_count;
	struct jump jumps[JUMPS_MAX];
	unsigned jump_count;
};

/* One row of the tree. */
struct row {
	unsigned number, depth;
	char kind[32], address[20];
	const char *text, *rest; /* whole; behind the place */
	size_t len;
	uint32_t line; /* where it begins */
};

/* Newer compilers name the struct of a typedef "struct NAME", and others NAME. */
static size_t tag_len(const char *name)
{
	return !strncmp(name, "struct ", 7) ? 7 : !strncmp(name, "union ", 6) ? 6 : 0;
}

static void add_type(struct walk *w, const char *name, size_t len, bool gaps)
{
	size_t tag = len > 7 ? tag_len(name) : 0;

	name += tag;
	len -= tag;
	if (!len || w->type_count == TYPES_MAX)
		return;
	w->gaps[w->type_count] = gaps;
	w->types[w->type_count++] = strndup(name, len);
}

/* The type that a row names last: as it is, where a typedef stands for it. */
static bool last_type(const struct row *r, char *type, size_t len)
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
	while (end - begin > 6 && (!strncmp(begin, "const ", 6) || !strncmp(begin, "static", 6)))
		begin += 6;
	snprintf(type, len, "%.*s", (int)(end - begin), begin);
	bracket = strrchr(type, '[');
	if (bracket && type[strlen(type) - 1] == ']')
		type[strcspn(type, "[")] = 0;
	return true;
}

/* Is it such a type; or (gaps) one with bytes between its members? */
static bool padded(const struct walk *w, const char *type, bool gaps)
{
	type += tag_len(type);
	for (unsigned i = 0; i < w->type_count; i++)
		if (w->gaps[i] >= gaps && !strcmp(w->types[i], type))
			return true;
	return false;
}

/* Is the file the source, or a header that lies with it? */
static bool is_own(const struct walk *w)
{
	struct xfn_diagnostic place = { .line = 1, .in_source = !strcmp(w->file, w->source) };

	snprintf(place.file, sizeof(place.file), "%s", w->file);
	return place.in_source || xfn_classify__in_own_header(&place, w->source);
}

/* "line:12:3", "FILE:12:3", "col:3" at `at`: what it leaves out is as in the place before. */
static void take_place(struct walk *w, const char *at, size_t len)
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
	w->own = is_own(w);
}

/* The places of a row, "<BEGIN, END> NAME": where it begins, and w where the next one goes on. */
static void take_places(struct walk *w, struct row *r, const char *at)
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

static void refuse(struct walk *w, enum xfn_rule rule, const char *text, uint32_t line)
{
	struct xfn_diagnostic place = { .line = line,
					.at = line,
					.in_source = !strcmp(w->file, w->source) };

	snprintf(place.file, sizeof(place.file), "%s", w->file);
	xfn_refusal__set(&w->v->refusal, rule, text, w->source, place.in_source ? line : 0);
	xfn_classify__place(&place, w->source, &w->v->refusal);
}

/* A record's definition: one without a name is padded where the compiler warned of its line. */
static void check_record(struct walk *w, const struct row *r)
{
	static const char defined[] = " definition";
	const char *end = r->text + r->len, *stop;
	const char *sum = memmem(r->rest, (size_t)(end - r->rest), "union", 5);
	const char *name = memmem(r->rest, (size_t)(end - r->rest), "struct", 6) ?: sum;
	bool found = false;

	stop = name ? memmem(name, (size_t)(end - name), defined, sizeof(defined) - 1) : NULL;
	w->record_len[r->depth] = 0;
	w->bare_padded[r->depth] = false;
	if (!stop)
		return;
	if (memchr(name, ' ', (size_t)(stop - name))) {
		w->record_name[r->depth] = name;
		w->record_len[r->depth] = (size_t)(stop - name);
	}
	if (!w->own)
		return;
	if (name == sum)
		add_type(w, name, w->record_len[r->depth], false);
	for (unsigned i = 0; !w->record_len[r->depth] && i < w->bare_count; i++)
		found |= w->bare[i] == r->line;
	if (name != sum && !found)
		return;
	w->bare_padded[r->depth] = !w->record_len[r->depth];
	if (r->depth && w->record_len[r->depth - 1])
		add_type(w, w->record_name[r->depth - 1], w->record_len[r->depth - 1], name != sum);
}

/* Another name for a type. */
static void check_typedef(struct walk *w, const struct row *r, const char *type)
{
	const char *end = r->text + r->len;
	const char *stop = memchr(r->rest, '\'', (size_t)(end - r->rest)), *name = stop;

	/* its name stands before its type */
	while (name - 1 > r->rest && name[-2] != ' ')
		name--;
	add_type(w, name - 1, (size_t)(stop - name),
		 w->bare_padded[r->depth] || padded(w, type, true));
	w->bare_padded[r->depth] = false;
}

/* A record's definition, and its members. */
static void check_types(struct walk *w, const struct row *r)
{
	char type[256];

	if (!strcmp(r->kind, "RecordDecl")) {
		check_record(w, r);
	} else if (!strcmp(r->kind, "FieldDecl") && r->depth && last_type(r, type, sizeof(type)) &&
		   padded(w, type, false)) {
		add_type(w, w->record_name[r->depth - 1], w->record_len[r->depth - 1],
			 padded(w, type, true));
		w->bare_padded[r->depth - 1] |= !w->record_len[r->depth - 1];
	} else if (!strcmp(r->kind, "TypedefDecl") && w->own && last_type(r, type, sizeof(type)) &&
		   (w->bare_padded[r->depth] || padded(w, type, false))) {
		check_typedef(w, r, type);
	}
}

static void check_literal(struct walk *w, const struct row *r)
{
	char type[256], text[384];

	if (strcmp(r->kind, "CompoundLiteralExpr") || !w->own ||
	    !last_type(r, type, sizeof(type)) || !padded(w, type, false))
		return;
	snprintf(text, sizeof(text),
		 "makes a %.100s without a name, whose padding holds what the stack held", type);
	refuse(w, XFN_RULE_padded_literal, text, r->line);
}

/* A function that takes or gives a struct in two registers: they hold its members only. */
static void check_value(struct walk *w, const struct row *r)
{
	bool gives = !strcmp(r->kind, "FunctionDecl"), split = false;
	char type[256], text[384];

	if (!w->own || (!gives && strcmp(r->kind, "ParmVarDecl")) ||
	    !last_type(r, type, sizeof(type)))
		return;
	if (gives)
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
	refuse(w, XFN_RULE_padded_value, text, r->line);
}

/* What asks by name that memory stay as it was. */
static void check_wishes(struct walk *w, const struct row *r)
{
	static const char call[] =
		"_uninitialized'"; /* __builtin_alloca_uninitialized and the like */

	if (w->own &&
	    (!strcmp(r->kind, "UninitializedAttr") ||
	     (!strcmp(r->kind, "DeclRefExpr") &&
	      memmem(r->rest, (size_t)(r->text + r->len - r->rest), call, sizeof(call) - 1))))
		refuse(w, XFN_RULE_left_unset, NULL, w->line);
}

static void add_jump(struct walk *w, const char *label, unsigned from, unsigned to)
{
	struct jump *j = &w->jumps[w->jump_count];

	if (w->jump_count == JUMPS_MAX)
		return;
	w->jump_count++;
	snprintf(j->label, sizeof(j->label), "%s", label);
	j->from = from;
	j->to = to;
}

/* The label of a goto, or of the place it leads to. */
static void label_of(const struct row *r, char label[64])
{
	const char *quote = memchr(r->rest, '\'', (size_t)(r->text + r->len - r->rest));

	snprintf(label, 64, "%.*s", quote ? (int)strcspn(quote + 1, "'\n") : 0,
		 quote ? quote + 1 : "");
}

static void check_jumps(struct walk *w, const struct row *r)
{
	char label[64];

	if (!strcmp(r->kind, "SwitchStmt")) {
		w->switch_row[r->depth] = r->number;
	} else if (!strcmp(r->kind, "CaseStmt") || !strcmp(r->kind, "DefaultStmt")) {
		for (unsigned d = r->depth; d--;)
			if (w->switch_row[d]) {
				add_jump(w, "", w->switch_row[d], r->number);
				break;
			}
	} else if (!strcmp(r->kind, "GotoStmt")) {
		label_of(r, label);
		add_jump(w, label, r->number, 0);
	} else if (!strcmp(r->kind, "LabelStmt")) {
		label_of(r, label);
		for (unsigned i = 0; i < w->jump_count; i++)
			if (!w->jumps[i].to && !strcmp(w->jumps[i].label, label))
				w->jumps[i].to = r->number;
	}
}

/* Arrays and records: of a single number the compiler itself says that nobody has set it. */
static bool is_variable(const struct row *r)
{
	const char *end = r->text + r->len;
	char type[256];

	if (strcmp(r->kind, "VarDecl") || r->depth < 2 ||
	    memmem(r->rest, end - r->rest, "' static", 8) ||
	    memmem(r->rest, end - r->rest, "' extern", 8) || !last_type(r, type, sizeof(type)))
		return false;
	return memmem(r->rest, end - r->rest, "]'", 2) ||
	       (!strchr(type, '*') &&
		(!strncmp(type, "struct ", 7) || !strncmp(type, "union ", 6)));
}

/* A use of a variable behind a place to which a jump from before its declaration leads. */
static void check_variables(struct walk *w, const struct row *r)
{
	const char *end = r->text + r->len, *at;
	char text[300], name[64];

	if (w->own && is_variable(r) && w->var_count < VARS_MAX) {
		struct variable *var = &w->vars[w->var_count++];

		memcpy(var->address, r->address, sizeof(var->address));
		var->row = r->number;
	}
	at = strcmp(r->kind, "DeclRefExpr") ? NULL : memmem(r->rest, end - r->rest, " Var 0x", 7);
	for (unsigned i = 0; at && i < w->var_count; i++) {
		const struct variable *var = &w->vars[i];

		if (strncmp(at + 5, var->address, strlen(var->address)))
			continue;
		for (unsigned j = 0; j < w->jump_count; j++) {
			const struct jump *jump = &w->jumps[j];

			if (jump->from > var->row || jump->to < var->row)
				continue;
			at = memchr(at, '\'', (size_t)(end - at));
			snprintf(name, sizeof(name), "%.*s", at ? (int)strcspn(at + 1, "'\n") : 0,
				 at ? at + 1 : "");
			snprintf(text, sizeof(text),
				 "uses %s where a jump has led past its declaration: it holds what "
				 "the stack held",
				 name);
			refuse(w, XFN_RULE_jumped_over, text, r->line);
			return;
		}
	}
}

/* Split "| `-KIND 0xADDRESS <PLACES> ..." */
static bool take_row(struct walk *w, struct row *r)
{
	size_t at = strspn(r->text, " |`-"), len;
	const char *p = r->text + at;

	r->depth = at / 2;
	len = strcspn(p, " \n");
	if (at >= r->len || r->depth >= DEPTH_MAX || len >= sizeof(r->kind) || p[len] != ' ' ||
	    strncmp(p + len, " 0x", 3))
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

/* The line of a struct that is called "struct outer::(unnamed at FILE:LINE:COLUMN)"; 0: it has a
 * name. */
static uint32_t bare_line(const char *text)
{
	const char *begin = strstr(text, "(unnamed"), *end = begin ? strchr(begin, ')') : NULL;
	const char *column = end ? memrchr(begin, ':', (size_t)(end - begin)) : NULL;
	const char *line = column ? memrchr(begin, ':', (size_t)(column - begin)) : NULL;

	return line ? strtoul(line + 1, NULL, 10) : 0;
}

/* The author's structs that the compiler had to pad, and functions that pass such as two registers
 * hold. */
static void take_warnings(struct walk *w, const char *warnings)
{
	struct xfn_diagnostic found;

	while (xfn_classify__diagnostic(&warnings, w->source, "warning", &found)) {
		const char *name =
			strstr(found.text, "padding s") ? strchr(found.text, '\'') : NULL;
		uint32_t line = bare_line(found.text);
		unsigned bytes;

		if (strstr(found.text, "pass-by-value") && w->split_count < SPLIT_MAX &&
		    sscanf(strstr(found.text, "large (") ?: "", "large (%u bytes)", &bytes) == 1 &&
		    bytes <= 16)
			w->split[w->split_count++] = found.at;
		if (!name || !strstr(found.text, "-Wpadded") ||
		    !(found.in_source || xfn_classify__in_own_header(&found, w->source)))
			continue;
		if (!line)
			add_type(w, name + 1, strcspn(name + 1, "'"), true);
		else if (w->bare_count < TYPES_MAX)
			w->bare[w->bare_count++] = line;
	}
}

void xfn_classify__unset(const char *source, const char *warnings, const char *tree,
			 struct xfn_verdict *v)
{
	struct walk *w = calloc(1, sizeof(*w));
	struct row r = {};

	if (!w)
		return;
	w->source = source;
	w->v = v;
	take_warnings(w, warnings);
	for (const char *at = tree; *at && !v->refusal.rule[0]; at += r.len + (at[r.len] == '\n')) {
		r.number++;
		r.text = at;
		r.len = strcspn(at, "\n");
		if (!take_row(w, &r))
			continue;
		for (unsigned d = r.depth; d < DEPTH_MAX && w->switch_row[d]; d++)
			w->switch_row[d] = 0;
		if (!strcmp(r.kind, "FunctionDecl"))
			w->var_count = w->jump_count = 0;
		check_types(w, &r);
		check_literal(w, &r);
		check_value(w, &r);
		check_wishes(w, &r);
		check_jumps(w, &r);
		check_variables(w, &r);
	}
	for (unsigned i = 0; i < w->type_count; i++)
		free(w->types[i]);
	free(w);
}
