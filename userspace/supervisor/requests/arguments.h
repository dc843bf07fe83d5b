/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The arguments of a verb, from JSON into a struct. Whatever is wrong, missing or not known is
 * refused by name. Must never know what an argument is for.
 */
#ifndef XFN_ARGUMENTS_H
#define XFN_ARGUMENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "../../../skel/error.h"

enum xfn_argument_type {
	XFN_ARGUMENT_TEXT, /* const char *, valid as long as the JSON; NULL where it is left out */
	XFN_ARGUMENT_NUMBER, /* int */
	XFN_ARGUMENT_FLAG    /* bool; false where it is left out */
};

struct xfn_argument {
	const char *key; /* NULL ends a list of them */
	enum xfn_argument_type type;
	size_t at; /* where it is in the struct */
	bool required;
	int min, max;	  /* of a number; both are allowed */
	int absent;	  /* the number that one left out is */
	const char *what; /* "VERB wants WHAT[, MIN to MAX]; NEXT" is the error line */
	const char *next;
};

/* Fill `out`. `all` may be NULL: there are none. 0 or -EINVAL with one line in err. */
int xfn_arguments__read(const char *verb, const struct xfn_argument *all, json_t *args, void *out,
			struct xfn_error *err);

#endif
