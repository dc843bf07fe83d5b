// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn ls`, `xfn stat`: ask the running xfn and print what it says. Must never compute of its own.
 */
#include <stdio.h>
#include <string.h>
#include <linux/types.h>
#include "../../skel/error.h"
#include "../../userspace/control/control.h"
#include "../../userspace/protocol/engine_stats.h"
#include "../../xdp/abi.h"
#include "options.h"
#include "output.h"

struct options {
	const char *ifname;
	bool json;
	bool audit;
};

#define OPTION_INTERFACE                                                                           \
	XFN_OPTION_INTERFACE(struct options, ifname,                                               \
			     "The xfn that serves IFACE (default: all that run)")

static const struct xfn_option options[] = { OPTION_INTERFACE,
					     XFN_OPTION_JSON(struct options, json),
					     {} };

static const struct xfn_option stat_options[] = {
	OPTION_INTERFACE,
	XFN_OPTION("verbose", 'v', NULL, XFN_TO_FLAG(struct options, audit),
		   "Ask workers of AF_XDP where their frames are, too"),
	XFN_OPTION_JSON(struct options, json),
	{}
};

/* Text of a member; numbers in decimal. The buffer is the caller's. */
static const char *member(json_t *object, const char *key, char *buf, size_t len)
{
	json_t *value = json_object_get(object, key);

	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		snprintf(buf, len, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		snprintf(buf, len, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_real(value))
		snprintf(buf, len, "%.1f", json_real_value(value));
	else
		snprintf(buf, len, "%s", json_is_null(value) ? "-" : value ? "?" : "");
	return buf;
}

#define COLUMNS 32 /* of a table, at most */

/* One column per key, named after it; the cells are the members of that name. */
static struct xfn_table *table_of(const char *const *columns, unsigned count, json_t *rows)
{
	struct xfn_table *table = xfn_table__new(columns, count);
	const char *cell[COLUMNS];
	char buf[COLUMNS][32];
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		for (unsigned c = 0; c < count; c++)
			cell[c] = member(row, columns[c] + (*columns[c] == '>'), buf[c],
					 sizeof(buf[c]));
		xfn_table__cells(table, cell);
	}
	return table;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int ask(const struct options *opts, const char *ifname, const char *verb, json_t **data,
	       struct xfn_error *err)
{
	json_t *args = opts->audit ? json_pack("{s:b}", "audit", 1) : NULL;
	int ret = xfn_control__ask(ifname, verb, args, data, err);

	json_decref(args);
	return ret;
}

/* One of several, which may have ended meanwhile. */
static json_t *ask_one(const struct options *opts, const char *ifname, const char *verb,
		       int *status)
{
	struct xfn_error err = { 0 };
	json_t *data;

	if (!ask(opts, ifname, verb, &data, &err))
		return data;
	*status = XFN_EXIT_FAILED;
	if (!opts->json)
		xfn_output__fail(verb, false, *status, "%s", err.line);
	return json_pack("{s:s, s:o}", "interface", ifname, "error", xfn_control__error(err.line));
}

/* Ask, and print: one as it is; several below each other, or as members of "interfaces". */
static int show(const struct options *opts, const char *verb,
		void (*print)(json_t *data, const char *title))
{
	char names[XFN_CONTROL_RUNNING][XFN_CONTROL_NAME], title[XFN_CONTROL_NAME + 24];
	struct xfn_error err = { 0 };
	json_t *data = NULL, *all;
	int count = 1, status = 0;

	if (!opts->ifname)
		count = xfn_control__running(names, XFN_CONTROL_RUNNING, &err);
	/* of none, the one that asks says so */
	if (count < 0 || (count < 2 && ask(opts, opts->ifname, verb, &data, &err)))
		return xfn_output__fail(verb, opts->json, XFN_EXIT_FAILED, "%s", err.line);
	if (count < 2 && opts->json)
		return xfn_output__json(data);
	if (count < 2) {
		print(data, NULL);
		json_decref(data);
		return 0;
	}
	all = json_array();
	for (int i = 0; i < count && i < XFN_CONTROL_RUNNING; i++) {
		data = ask_one(opts, names[i], verb, &status);
		json_array_append_new(all, data);
		if (opts->json || json_object_get(data, "error"))
			continue;
		if (i)
			putchar('\n');
		snprintf(title, sizeof(title), "%.*s", XFN_CONTROL_NAME - 1, names[i]);
		if (strchr(names[i], ':')) /* in another network namespace: how to get there */
			snprintf(title, sizeof(title), "%.*s (pid %d)", XFN_CONTROL_NAME - 1,
				 names[i], (int)json_integer_value(json_object_get(data, "pid")));
		print(data, title);
	}
	if (opts->json) {
		xfn_output__json(json_pack("{s:o}", "interfaces", all));
		return status;
	}
	json_decref(all);
	return status;
}

/* Of functions that mostly do not run where their tier says. */
static void print_warnings(json_t *functions)
{
	json_t *function;
	size_t i;

	json_array_foreach(functions, i, function) {
		const char *warning = json_string_value(json_object_get(function, "warning"));

		if (warning && *warning)
			printf("%s: %s\n", json_string_value(json_object_get(function, "name")),
			       warning);
	}
}

/* "eth0: mode native (why), engine afxdp (why), zero copy (why)", or what it waits for. */
static void print_ls_head(json_t *data, const char *title)
{
	static const char *const keys[] = { "mode", "engine" };
	const char *ifname = json_string_value(json_object_get(data, "interface"));
	const char *waits = json_string_value(json_object_get(data, "state_reason")) ?: "";
	int missing = (int)json_integer_value(json_object_get(data, "sockets_missing"));

	printf("%s", *waits ? waits : title ?: ifname ?: "no interface");
	for (unsigned i = 0; i < COUNT(keys) && !*waits; i++) {
		char key[32], a[32], b[32];
		const char *value = member(data, keys[i], a, sizeof(a)), *why;

		snprintf(key, sizeof(key), "%s_reason", keys[i]);
		why = member(data, key, b, sizeof(b));
		printf("%s %s %s%s%s%s", i ? "," : ":", keys[i], *value ? value : "none",
		       *why ? " (" : "", why, *why ? ")" : "");
	}
	if (json_is_boolean(json_object_get(data, "zero_copy")))
		printf(", %s (%s)",
		       json_is_true(json_object_get(data, "zero_copy")) ? "zero copy" : "copies",
		       json_string_value(json_object_get(data, "zero_copy_reason")) ?: "");
	if (missing)
		printf(", %d UDP sockets cannot be had (its messages tell why)", missing);
	putchar('\n');
}

static void print_ls(json_t *data, const char *title)
{
	static const char *const columns[] = { "name", ">port", "tier", "mode", "reason" };
	struct xfn_table *table = xfn_table__new(columns, COUNT(columns));
	json_t *function;
	size_t i;

	print_ls_head(data, title);
	json_array_foreach(json_object_get(data, "functions"), i, function) {
		const char *state =
			json_string_value(json_object_get(function, "state_reason")) ?: "";
		char port[80], name[32], number[32], tier[32], mode[32], reason[32];
		const char *addr = json_string_value(json_object_get(function, "address")) ?: "";

		snprintf(port, sizeof(port), "%s%s%s%s%s", strchr(addr, ':') ? "[" : "", addr,
			 strchr(addr, ':') ? "]" : "", *addr ? ":" : "",
			 member(function, "port", number, sizeof(number)));
		xfn_table__row(table, member(function, "name", name, sizeof(name)), port,
			       member(function, "tier", tier, sizeof(tier)),
			       member(function, "mode", mode, sizeof(mode)),
			       *state ? state : member(function, "reason", reason, sizeof(reason)));
	}
	xfn_table__print(table, false);
	print_warnings(json_object_get(data, "functions"));
}

/* What functions count themselves: "name.counter". */
static void print_counters(json_t *functions)
{
	static const char *const columns[] = { "counter", ">value" };
	struct xfn_table *table = xfn_table__new(columns, COUNT(columns));
	json_t *function, *value;
	const char *counter;
	size_t i;

	json_array_foreach(functions, i, function)
		json_object_foreach(json_object_get(function, "counters"), counter, value) {
			char name[128], number[32], text[32];

			snprintf(name, sizeof(name), "%s.%s",
				 member(function, "name", text, sizeof(text)), counter);
			snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
				 json_integer_value(value));
			xfn_table__row(table, name, number);
		}
	xfn_table__print(table, true);
}

static void print_stat(json_t *data, const char *title)
{
#define COUNTER(name, ...)	     ">" #name,
#define FRAMES(type, name, sentence) ">frames_" #name,
	static const char *const functions[] = { "name", "tier", XFN_SLOT_COUNTERS(COUNTER) };
	static const char *const reasons[] = { "name", "verdict", ">count", "sentence" };
	static const char *const workers[] = {
		">pid",	     ">queue",	    ">thread",
		"engine",    "serves",	    XFN_ENGINE_COUNTERS(COUNTER) ">cpu_ms",
		">restarts", ">cpu",	    "zero_copy",
		"state",     "state_reason"
	};
	static const char *const frames[] = { ">pid", ">queue", XFN_ENGINE_FRAMES(FRAMES) };
#undef COUNTER
#undef FRAMES
	_Static_assert(COUNT(functions) <= COLUMNS && COUNT(workers) <= COLUMNS, "raise COLUMNS");
	json_t *seen = json_array(), *reason;
	size_t i;

	if (title)
		printf("%s:\n", title);
	json_array_foreach(json_object_get(data, "reasons"), i, reason)
		if (json_integer_value(json_object_get(reason, "count")) > 0)
			json_array_append(seen, reason);
	xfn_table__print(table_of(functions, COUNT(functions), json_object_get(data, "functions")),
			 false);
	print_counters(json_object_get(data, "functions"));
	print_warnings(json_object_get(data, "functions"));
	xfn_table__print(table_of(reasons, COUNT(reasons), seen), true);
	xfn_table__print(table_of(workers, COUNT(workers), json_object_get(data, "workers")), true);
	xfn_table__print(table_of(frames, COUNT(frames), json_object_get(data, "frames")), true);
	json_decref(seen);
}

#define ABOUT_SEVERAL                                                                               \
	"Of several that run, -j prints {\"interfaces\": [...]}. Where several network namespaces " \
	"have an IFACE that is served, -i IFACE is this one's, and IFACE:NAMESPACE another one's."

static int run_ls(void *opts, struct xfn_words words)
{
	(void)words;
	return show(opts, "ls", print_ls);
}

XFN_VERB(ls, struct options, options, run_ls, .summary = "list the functions served",
	 .doc = "List the functions that are served: port, tier, and why that tier, or why "
		"its requests are dropped.",
	 .notes = ABOUT_SEVERAL, .example = "xfn ls -i eth0");

static int run_stat(void *opts, struct xfn_words words)
{
	(void)words;
	return show(opts, "stat", print_stat);
}

XFN_VERB(
	stat, struct options, stat_options, run_stat, .summary = "show what was counted",
	.doc = "Show what was counted: requests and replies per function, drops and passes by reason, "
	       "workers. With -v also where the frames of AF_XDP are; frames_lost is 0, or xfn has a "
	       "defect. Counts go on when an interface goes and comes back; those of workers by process "
	       "do not.",
	.notes = ABOUT_SEVERAL, .example = "xfn stat -i eth0 -j");
