// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The arguments of a verb, from JSON into a struct. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "arguments.h"

static int wrong(const char *verb, const struct xfn_argument *arg, struct xfn_error *err)
{
	if (arg->type == XFN_ARGUMENT_NUMBER)
		return xfn_fail(err, -EINVAL, "%s wants %s, %d to %d; %s", verb, arg->what,
				arg->min, arg->max, arg->next);
	return xfn_fail(err, -EINVAL, "%s wants %s; %s", verb, arg->what, arg->next);
}

static int read_one(const char *verb, const struct xfn_argument *arg, const json_t *value,
		    void *out, struct xfn_error *err)
{
	char *at = (char *)out + arg->at;
	json_int_t number = value ? json_integer_value(value) : arg->absent;

	if (!value && arg->required)
		return wrong(verb, arg, err);
	switch (arg->type) {
	case XFN_ARGUMENT_TEXT:
		if (value && !json_is_string(value))
			return wrong(verb, arg, err);
		*(const char **)at = json_string_value(value);
		return 0;
	case XFN_ARGUMENT_NUMBER:
		if (value && (!json_is_integer(value) || number < arg->min || number > arg->max))
			return wrong(verb, arg, err);
		*(int *)at = (int)number;
		return 0;
	case XFN_ARGUMENT_FLAG:
		if (value && !json_is_boolean(value))
			return wrong(verb, arg, err);
		*(bool *)at = json_is_true(value);
		return 0;
	}
	return -EINVAL;
}

static int unknown(const char *verb, const struct xfn_argument *all, const char *key,
		   struct xfn_error *err)
{
	char known[128] = "";
	size_t len = 0;

	for (const struct xfn_argument *arg = all; arg && arg->key && len < sizeof(known); arg++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s",
					arg == all ? "" : ", ", arg->key);
	return xfn_fail(err, -EINVAL, "%s knows no argument '%.32s'; it takes %s", verb, key,
			known[0] ? known : "none");
}

int xfn_arguments__read(const char *verb, const struct xfn_argument *all, json_t *args, void *out,
			struct xfn_error *err)
{
	const struct xfn_argument *arg;
	const char *key;
	json_t *value;
	int ret = 0;

	json_object_foreach(args, key, value) {
		for (arg = all; arg && arg->key && strcmp(arg->key, key); arg++)
			;
		if (!arg || !arg->key)
			return unknown(verb, all, key, err);
	}
	for (arg = all; !ret && arg && arg->key; arg++)
		ret = read_one(verb, arg, json_object_get(args, arg->key), out, err);
	return ret;
}
