/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers, ranges and lists of them as the command line has them. Must never print. */
#ifndef XFN_NUMBER_H
#define XFN_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* A whole decimal number, no sign and nothing behind it, of min to max. False: something else. */
bool xfn_number__whole(const char *text, uint64_t min, uint64_t max, unsigned *out);

/* The same with decimals. */
bool xfn_number__real(const char *text, double min, double max, double *out);

/* "N" or "N-MAX": first to last, both of min to max; of "N" both are N. */
bool xfn_number__range(const char *text, unsigned min, unsigned max, unsigned *first,
		       unsigned *last);

/*
 * "2,4-7" to out[room], in that order: numbers up to max, with `once` no number twice. How many, or
 * -EINVAL: no such list, or too long.
 */
int xfn_number__list(const char *text, unsigned max, bool once, uint16_t *out, unsigned room);

#endif
