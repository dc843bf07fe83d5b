// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Declarations that a jump leads past: nothing is set where they are not come by. Labels are known
 * by name, cases by their switch; a goto back into a block is not seen. Must never judge other
 * files than the author's.
 */
#include <stdio.h>
#include <string.h>
#include "unset_inside.h"

static void add_jump(struct xfn_unset_walk *w, const char *label, unsigned from, unsigned to)
{
	struct xfn_jump *j = &w->jumps[w->jump_count];

	if (w->jump_count == JUMPS_MAX)
		return;
	w->jump_count++;
	snprintf(j->label, sizeof(j->label), "%s", label);
	j->from = from;
	j->to = to;
}

/* The label of a goto, or of the place it leads to. */
static void label_of(const struct xfn_unset_row *r, char label[64])
{
	const char *quote = memchr(r->rest, '\'', (size_t)(r->text + r->len - r->rest));

	snprintf(label, 64, "%.*s", quote ? (int)strcspn(quote + 1, "'\n") : 0,
		 quote ? quote + 1 : "");
}

/* "AddrLabelExpr ... 'void *' NAME 0x...": `goto *` may lead there. */
static void take_label(struct xfn_unset_walk *w, const struct xfn_unset_row *r)
{
	const char *end = r->text + r->len, *name = memrchr(r->rest, '\'', (size_t)(end - r->rest));
	char *to = w->labels[w->label_count];

	if (name && w->label_count < LABELS_MAX && sscanf(name, "' %63s", to) == 1)
		w->label_count++;
}

static void check_jumps(struct xfn_unset_walk *w, const struct xfn_unset_row *r)
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
	} else if (!strcmp(r->kind, "AddrLabelExpr")) {
		take_label(w, r);
	} else if (!strcmp(r->kind, "IndirectGotoStmt")) {
		for (unsigned i = 0; i < w->label_count; i++) {
			memcpy(label, w->labels[i], sizeof(label));
			add_jump(w, label, r->number, 0);
		}
	} else if (!strcmp(r->kind, "LabelStmt")) {
		label_of(r, label);
		for (unsigned i = 0; i < w->jump_count; i++)
			if (!w->jumps[i].to && !strcmp(w->jumps[i].label, label))
				w->jumps[i].to = r->number;
	}
}

/* A lone number or pointer, by its type. */
static bool is_number(const char *type)
{
	static const char *const words[] = { "_Bool", "char",	  "double",   "float",	"int",
					     "long",  "short",	  "unsigned", "signed", "enum",
					     "void",  "__int128", "_Float16" };
	size_t len = strcspn(type, " ");

	if (strchr(type, '*'))
		return true;
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == len && !memcmp(words[i], type, len))
			return true;
	return false;
}

static void add_variable(struct xfn_unset_walk *w, const struct xfn_unset_row *r)
{
	const char *end = r->text + r->len;
	struct xfn_unset_variable *var = &w->vars[w->var_count];
	char type[256];

	if (!w->own || r->depth < 2 || w->var_count == VARS_MAX ||
	    memmem(r->rest, end - r->rest, "' static", 8) ||
	    memmem(r->rest, end - r->rest, "' extern", 8) ||
	    !xfn_unset__last_type(r, type, sizeof(type)))
		return;
	w->var_count++;
	memcpy(var->address, r->address, sizeof(var->address));
	var->row = r->number;
	var->number = !memmem(r->rest, end - r->rest, "]'", 2) && is_number(type);
}

/* Has a jump from before its declaration led past it? */
static bool jumped_over(const struct xfn_unset_walk *w, const struct xfn_unset_variable *var)
{
	for (unsigned i = 0; i < w->jump_count; i++)
		if (w->jumps[i].from <= var->row && w->jumps[i].to >= var->row)
			return true;
	return false;
}

/*
 * A use of a variable behind a place to which a jump from before its declaration leads. Of a number
 * the compiler says so itself, unless its address is given to others.
 */
static void check_use(struct xfn_unset_walk *w, const struct xfn_unset_row *r)
{
	const char *end = r->text + r->len, *at = memmem(r->rest, end - r->rest, " Var 0x", 7);
	char text[300], name[64];

	for (unsigned i = 0; at && i < w->var_count; i++) {
		const struct xfn_unset_variable *var = &w->vars[i];

		if (strncmp(at + 5, var->address, strlen(var->address)) ||
		    (var->number && !(r->depth && w->taken[r->depth - 1])) || !jumped_over(w, var))
			continue;
		at = memchr(at, '\'', (size_t)(end - at));
		snprintf(name, sizeof(name), "%.*s", at ? (int)strcspn(at + 1, "'\n") : 0,
			 at ? at + 1 : "");
		snprintf(text, sizeof(text),
			 "uses %s where a jump has led past its declaration: it holds what "
			 "the stack held",
			 name);
		xfn_unset__refuse(w, XFN_RULE_jumped_over, text, r->line);
		return;
	}
}

void xfn_unset__jumps(struct xfn_unset_walk *w, const struct xfn_unset_row *r)
{
	for (unsigned d = r->depth; d < XFN_UNSET_DEPTH && w->switch_row[d]; d++)
		w->switch_row[d] = 0;
	w->taken[r->depth] = (!strcmp(r->kind, "UnaryOperator") &&
			      memmem(r->rest, r->text + r->len - r->rest, "prefix '&'", 10)) ||
			     (!strcmp(r->kind, "ParenExpr") && r->depth && w->taken[r->depth - 1]);
	check_jumps(w, r);
	if (!strcmp(r->kind, "VarDecl"))
		add_variable(w, r);
	else if (!strcmp(r->kind, "DeclRefExpr"))
		check_use(w, r);
}

void xfn_unset__function(struct xfn_unset_walk *w)
{
	w->var_count = w->jump_count = w->label_count = 0;
}
