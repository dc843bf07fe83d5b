/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The walk over clang's syntax tree that looks for bytes which no code sets: what its parts share. */
#ifndef XFN_UNSET_INSIDE_H
#define XFN_UNSET_INSIDE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include "classify.h"

#define XFN_UNSET_DEPTH 1024
#define FILES_MAX	1024
#define TYPES_MAX	4096
#define VARS_MAX	4096
#define JUMPS_MAX	4096
#define LABELS_MAX	512
#define SPLIT_MAX	512

/* A struct without a name: where it stands. */
struct xfn_bare {
	char *file;
	uint32_t line;
	bool gaps; /* bytes between its members; else members of several sizes */
};

/* A place that is jumped to, and from where first. */
struct xfn_jump {
	char label[64]; /* "": a case of a switch */
	unsigned from, to;
};

struct xfn_unset_variable {
	char address[20]; /* as the tree names it */
	unsigned row;
	bool number; /* of which the compiler itself says that nobody has set it */
};

struct xfn_unset_walk {
	const char *source;
	const char *list; /* file of the compiler's: what it has read */
	struct xfn_verdict *v;
	char file[PATH_MAX]; /* of the row */
	uint32_t line;
	bool own; /* that file is the author's */
	/* files that were asked for, and whose they are */
	char *files[FILES_MAX];
	bool owned[FILES_MAX];
	unsigned file_count;
	/* types with bytes between their members, or members of several sizes */
	char *types[TYPES_MAX];
	bool gaps[TYPES_MAX]; /* the former */
	unsigned type_count;
	uint32_t split[SPLIT_MAX]; /* lines of what takes or gives a struct in two registers */
	unsigned split_count;
	struct xfn_bare bare[TYPES_MAX]; /* such that have no name */
	unsigned bare_count;
	/* of the records around the row */
	const char *record_name[XFN_UNSET_DEPTH];
	size_t record_len[XFN_UNSET_DEPTH];
	uint32_t record_line[XFN_UNSET_DEPTH];
	bool bare_padded[XFN_UNSET_DEPTH]; /* the last record there has no name, and is such a type
					    */
	unsigned literal;		   /* depth of the literal around the row, 0: none is */
	bool taken[XFN_UNSET_DEPTH];	   /* the address of what stands below is */
	unsigned switch_row[XFN_UNSET_DEPTH]; /* of the switches around the row, 0: none */
	struct xfn_unset_variable vars[VARS_MAX];
	unsigned var_count;
	struct xfn_jump jumps[JUMPS_MAX];
	unsigned jump_count;
	char labels[LABELS_MAX][64]; /* of this function, whose addresses are taken */
	unsigned label_count;
};

/* One row of the tree. */
struct xfn_unset_row {
	unsigned number, depth;
	char kind[32], address[20];
	const char *text, *rest; /* whole; behind the place */
	size_t len;
	uint32_t line; /* where it begins */
};

/* Set the refusal of what stands at that line of the row's file. `text` NULL: the rule's own. */
void xfn_unset__refuse(struct xfn_unset_walk *w, enum xfn_rule rule, const char *text,
		       uint32_t line);
/* The type that a row names last, as it is where a typedef stands for it, without what it is
 * qualified by; an array's is that of its elements. */
bool xfn_unset__last_type(const struct xfn_unset_row *r, char *type, size_t len);

/* Take what the compiler warns of: structs that it padded, and those passed in two registers. */
void xfn_unset__warnings(struct xfn_unset_walk *w, const char *warnings);
/* Look at a row: for types with padding, and where one of them is made or passed. */
void xfn_unset__types(struct xfn_unset_walk *w, const struct xfn_unset_row *r);
/* Look at a row: for jumps past a declaration, and what is used behind them. */
void xfn_unset__jumps(struct xfn_unset_walk *w, const struct xfn_unset_row *r);
/* A function begins at the row. */
void xfn_unset__function(struct xfn_unset_walk *w);

#endif
