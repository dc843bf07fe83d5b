// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One option's value: checked, and stored in the verb's struct. Must never print. */
#include <stdio.h>
#include <string.h>
#include "../arguments/number.h"
#include "../arguments/spec.h"
#include "options.h"

void xfn_option__choices(const struct xfn_option *option, const char *between, const char *last,
			 char *text, size_t len)
{
	size_t at = 0;

	*text = '\0';
	for (const struct xfn_choice *c = option->choices; c->name && at < len; c++)
		at += (size_t)snprintf(text + at, len - at, "%s%s",
				       c == option->choices ? "" :
				       c[1].name	    ? between :
							      last,
				       c->name);
}

static const struct xfn_choice *chosen(const struct xfn_option *option, const char *value)
{
	for (const struct xfn_choice *c = option->choices; c->name; c++)
		if (!strcmp(c->name, value))
			return c;
	return NULL;
}

/* A text, or one more of several. */
static const char *store_text(const struct xfn_option *option, const char *value, char *base,
			      char *next, size_t len)
{
	const char **to = (void *)(base + option->offset);
	unsigned *count = (void *)(base + option->count);

	if (option->choices && !chosen(option, value))
		return "";
	if (option->unfit && option->unfit(value))
		return option->unfit(value);
	if (!option->room) {
		*to = value;
		return NULL;
	}
	for (unsigned i = 0; option->once && i < *count; i++)
		if (!strcmp(to[i], value))
			return "given twice; leave one out";
	if (*count == option->room) {
		snprintf(next, len, "give at most %u", option->room);
		return next;
	}
	to[(*count)++] = value;
	return NULL;
}

static const char *store_address(const struct xfn_option *option, char *value, char *base,
				 char *next, size_t len)
{
	const char *text = value;

	if (!xfn_spec__address(&text, value, strlen(value) + 1))
		return "no IPv4 or IPv6 address; give one";
	return store_text(option, text, base, next, len);
}

/* True: it is one, and stored. */
static bool store_number(const struct xfn_option *option, const char *value, void *to)
{
	uint64_t min = (uint64_t)option->min, max = (uint64_t)option->max;
	unsigned *range = to;

	if (option->type == XFN_REAL)
		return xfn_number__real(value, option->min, option->max, to);
	if (option->type == XFN_RANGE)
		return xfn_number__range(value, (unsigned)min, (unsigned)max, &range[0], &range[1]);
	return xfn_number__whole(value, min, max, to) ||
	       (option->zero && xfn_number__whole(value, 0, 0, to));
}

static bool store_list(const struct xfn_option *option, const char *value, char *base)
{
	int n = xfn_number__list(value, (unsigned)option->max, option->once,
				 (void *)(base + option->offset), option->room);

	if (n < 0)
		return false;
	*(unsigned *)(void *)(base + option->count) = (unsigned)n;
	return true;
}

/* What to give instead, from the bounds. */
static const char *bounds(const struct xfn_option *option, char *next, size_t len)
{
	const char *unit = option->unit ?: "";
	int n = snprintf(next, len, "take %.10g to %.10g%s%s", option->min, option->max,
			 *unit ? " " : "", unit);

	if (option->type == XFN_RANGE)
		snprintf(next, len, "take %.10g to %.10g, or two of them, as 1-4", option->min,
			 option->max);
	else if (option->zero)
		snprintf(next + n, len - (size_t)n, ", or 0");
	return next;
}

const char *xfn_option__store(const struct xfn_option *option, char *value, void *opts, char *next,
			      size_t len)
{
	char *base = opts;
	const struct xfn_choice *choice;
	const char *wrong;

	switch (option->type) {
	case XFN_FLAG:
		*(bool *)(base + option->offset) = true;
		return NULL;
	case XFN_COUNT:
		++*(int *)(void *)(base + option->offset);
		return NULL;
	case XFN_VALUE:
		*(int *)(void *)(base + option->offset) = option->value;
		return NULL;
	case XFN_ADDRESS:
		return store_address(option, value, base, next, len);
	case XFN_LIST:
		if (store_list(option, value, base))
			return NULL;
		snprintf(
			next, len, "take %s and ranges of them up to %.10g, %s%u at most, as 2,4-7",
			option->unit, option->max, option->once ? "each once, " : "", option->room);
		return next;
	case XFN_TEXT:
		wrong = store_text(option, value, base, next, len);
		if (!wrong || *wrong)
			return wrong;
		break;
	case XFN_CHOICE:
		choice = chosen(option, value);
		if (!choice)
			break;
		*(int *)(void *)(base + option->offset) = choice->value;
		return NULL;
	default: /* XFN_NUMBER, XFN_REAL, XFN_RANGE */
		return store_number(option, value, base + option->offset) ?
			       NULL :
			       bounds(option, next, len);
	}
	snprintf(next, len, "take ");
	xfn_option__choices(option, ", ", " or ", next + 5, len - 5);
	return next;
}
