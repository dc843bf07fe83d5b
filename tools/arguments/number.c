// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Numbers, ranges and lists of them as the command line has them. Must never print. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include "number.h"

/* The number at *text, which moves behind it; more than UINT_MAX stands for whatever is larger. */
static bool next(const char **text, uint64_t *out)
{
	*out = 0;
	if (!isdigit((unsigned char)**text))
		return false;
	for (; isdigit((unsigned char)**text); ++*text)
		if (*out <= UINT_MAX)
			*out = *out * 10 + (unsigned)(**text - '0');
	return true;
}

/* "N" or "N-MAX" at *text, which moves behind it. */
static bool next_range(const char **text, uint64_t *first, uint64_t *last)
{
	if (!next(text, first))
		return false;
	*last = *first;
	if (**text != '-')
		return true;
	++*text;
	return next(text, last) && *last >= *first;
}

bool xfn_number__whole(const char *text, uint64_t min, uint64_t max, unsigned *out)
{
	uint64_t n;

	if (!next(&text, &n) || *text || n < min || n > max || n > UINT_MAX)
		return false;
	*out = (unsigned)n;
	return true;
}

bool xfn_number__real(const char *text, double min, double max, double *out)
{
	char *end;
	double n = strtod(text, &end);

	if (end == text || *end || !(n >= min && n <= max))
		return false;
	*out = n;
	return true;
}

bool xfn_number__range(const char *text, unsigned min, unsigned max, unsigned *first,
		       unsigned *last)
{
	uint64_t from, to;

	if (!next_range(&text, &from, &to) || *text || from < min || to > max)
		return false;
	*first = (unsigned)from;
	*last = (unsigned)to;
	return true;
}

static bool has(const uint16_t *list, unsigned n, uint64_t number)
{
	while (n--)
		if (list[n] == number)
			return true;
	return false;
}

int xfn_number__list(const char *text, unsigned max, bool once, uint16_t *out, unsigned room)
{
	unsigned n = 0;

	do {
		uint64_t first, last;

		if (!next_range(&text, &first, &last) || last > max)
			return -EINVAL;
		for (; first <= last; first++) {
			if (n == room || (once && has(out, n, first)))
				return -EINVAL;
			out[n++] = (uint16_t)first;
		}
	} while (*text++ == ',');
	return text[-1] ? -EINVAL : (int)n;
}
