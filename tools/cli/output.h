/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What verbs print: tables, JSON, errors. Data goes to stdout; errors go to stderr, with -j to
 * stdout as {"error": {"message", "next"}}. Must never know of any verb.
 */
#ifndef XFN_OUTPUT_H
#define XFN_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define XFN_EXIT_FAILED 1
#define XFN_EXIT_USAGE	2

/* Print an error line "what is wrong; the next step" of the verb. Returns `status`. */
int xfn_output__fail(const char *verb, bool json, int status, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same where the host failed, and what was given is not judged: with -j, "cause": "host".
 * Returns XFN_EXIT_FAILED. */
int xfn_output__fail_host(const char *verb, bool json, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same of one of several things: where `all` is given and -j is, it takes {"error": ...}. */
int xfn_output__fail_one(json_t *all, const char *verb, bool json, int status, const char *format,
			 ...) __attribute__((format(printf, 5, 6)));

/*
 * Ask the running xfn to do something (`args` is dropped), and print its error, or with json what it
 * answered. True: it is done and nothing was printed, the caller says so. *status is the verb's.
 */
bool xfn_output__ask(const char *verb, const char *ifname, bool json, json_t *args, int *status);

/* Write text of unknown origin, a line at most: what would steer a terminal is a '?'. */
void xfn_output__text(FILE *to, const char *text);

/* Print the data and drop the reference. Returns 0. */
int xfn_output__json(json_t *data);

/* Print what was gathered of several things: a lone one as it is, nothing of none. Drops the
 * reference. */
void xfn_output__all(json_t *all);

/*
 * A table. Columns are named once; a name that begins with '>' is set flush right. Cells are
 * copied; what would steer the terminal prints as '?' in them, whatever text is out of a module.
 */
struct xfn_table;
struct xfn_table *xfn_table__new(const char *const *columns, unsigned count);
/* As many `const char *` as there are columns. */
void xfn_table__row(struct xfn_table *table, ...);
/* The same from an array. */
void xfn_table__cells(struct xfn_table *table, const char *const *cells);
/* Print to stdout (nothing where there is no row) and free; `gap`: with an empty line before it. */
void xfn_table__print(struct xfn_table *table, bool gap);

/* Print a payload: text as it is, with a newline at its end, else (or with `dump`) rows of bytes. */
void xfn_output__payload(const uint8_t *data, size_t len, bool dump);

/* A payload's hexadecimal text; the caller frees. Without memory the program ends with status 1. */
char *xfn_output__hex(const uint8_t *data, size_t len);

#endif
