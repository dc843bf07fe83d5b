// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Verifier log -> rule and author's line. Pure text work: must never load or run anything. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "array_size.h"
#include "refusal.h"
#include "refusal_log.h"

static const struct xfn_rule_text rules[] = {
#define DEMOTE 0
#define FAIL   1
#define XFN_RULE(id, verdict, sentence, remedy)                                                    \
	[XFN_RULE_##id] = { #id, verdict, sentence, remedy },
	XFN_RULES(XFN_RULE)
#undef XFN_RULE
};

/*
 * The verifier's messages, in the order of their precedence. Before 6.12 a "back-edge" means a
 * recursive call: whoever may load XDP programs may use loops.
 */
static const struct {
	const char *text;
	enum xfn_rule rule;
} obstacles[] = {
	{ "call stack of", XFN_RULE_recursion },
	{ "recursive call", XFN_RULE_recursion },
	{ "combined stack size", XFN_RULE_stack_limit },
	{ "invalid stack", XFN_RULE_stack_limit },
	{ "jumps is too complex", XFN_RULE_unbounded_loop },
	{ "infinite loop", XFN_RULE_unbounded_loop },
	{ "back-edge", XFN_RULE_recursion },
	{ "BPF program is too large", XFN_RULE_too_many_insns },
	{ "program too large", XFN_RULE_too_many_insns },
	{ "mem_or_null'", XFN_RULE_unchecked_pointer },
	{ "_or_null'", XFN_RULE_unchecked_pointer },
	{ "invalid mem access 'scalar'", XFN_RULE_pointer_lost },
	{ "invalid access to packet", XFN_RULE_variable_access },
	{ "invalid variable-offset", XFN_RULE_variable_access },
	{ "variable stack access", XFN_RULE_variable_access },
	{ "unbounded memory access", XFN_RULE_variable_access },
	{ "invalid access to map value", XFN_RULE_variable_access },
	{ "math between pkt pointer", XFN_RULE_variable_access },
	{ "min value is negative", XFN_RULE_variable_access },
	{ "GPL-restricted function from non-GPL", XFN_RULE_licence },
	{ "cannot call GPL", XFN_RULE_licence },
	{ "unknown func", XFN_RULE_calls_unknown },
	{ "cannot use helper", XFN_RULE_calls_unknown },
	{ "invalid func", XFN_RULE_calls_unknown },
	{ "unknown opcode 8d", XFN_RULE_function_pointer }, /* callx: an indirect call */
	{ "BPF_ATOMIC stores into", XFN_RULE_atomic_payload },
	{ "BPF_ATOMIC loads from", XFN_RULE_atomic_payload },
};

const struct xfn_rule_text *xfn_refusal__rule(enum xfn_rule rule)
{
	return &rules[rule];
}

const struct xfn_rule_text *xfn_refusal__by_id(const char *id)
{
	for (unsigned i = 0; i < XFN_RULE_COUNT; i++)
		if (!strcmp(rules[i].id, id))
			return &rules[i];
	return NULL;
}

void xfn_refusal__set(struct xfn_refusal *out, enum xfn_rule rule, const char *detail,
		      const char *file, uint32_t line)
{
	snprintf(out->rule, sizeof(out->rule), "%s", rules[rule].id);
	snprintf(out->reason, sizeof(out->reason), "%s", detail ?: rules[rule].sentence);
	snprintf(out->remedy, sizeof(out->remedy), "%s", rules[rule].remedy);
	snprintf(out->file, sizeof(out->file), "%s", file ?: "");
	out->line = line;
	out->column = 0;
	out->story[0] = 0;
	out->fatal = rules[rule].fatal;
}

bool xfn_refusal__host_failed(int ret)
{
	return ret == -ENOMEM || ret == -EAGAIN || ret == -EINTR || ret == -EMFILE ||
	       ret == -ENFILE || ret == -ENOBUFS;
}

#define ROUNDS 17  /* of a loop that are compared: more than unrolling puts into one round */
#define WALKED 256 /* lines that are compared */

/*
 * Where a loop begins that the verifier did not follow to its end: the first of the lines that it
 * walked again and again at the end of the log. The line on which it gave up is chance, and differs
 * from compiler to compiler.
 */
static uint32_t loop_head(const struct xfn_log_row *rows, size_t count)
{
	uint32_t last = rows[count - 1].line, head = last, walked[WALKED];
	unsigned n = 0, rounds = 0;

	for (; count && n < WALKED && rounds < ROUNDS; count--) {
		const struct xfn_log_row *row = &rows[count - 1];

		if (strncmp(row->text, "; ", 2) || !row->line || (n && walked[n - 1] == row->line))
			continue;
		walked[n++] = row->line;
		rounds += row->line == last;
	}
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = i + 1; j < n; j++)
			if (walked[i] == walked[j] && walked[i] < head)
				head = walked[i];
	return head;
}

/* The author's line that was being verified at the end of the log, or that of the loop around it
 * where the loop is the obstacle; 0: none. */
static uint32_t find_line(const char *log, const char *source, bool loop)
{
	size_t count;
	struct xfn_log_row *rows = xfn_refusal_log__rows(log, source, &count);
	uint32_t line = 0;

	if (rows && count)
		line = loop ? loop_head(rows, count) : rows[count - 1].line;
	free(rows);
	return line;
}

/*
 * Is the row a message of the verifier, and not an instruction, a state, a source line or a figure?
 * The text of a source must not be taken for a message.
 */
static bool is_message(const char *row)
{
	static const char *const others[] = { "; ",	      "from ",	    "verification time",
					      "stack depth",  "func#",	    "cur state",
					      "old state",    "processed ", "last_idx ",
					      "mark_precise", "regs=",	    "parent ",
					      "Live regs",    "caller:",    "frame" };
	size_t digits = strspn(row, "0123456789");

	if (!row[0] || row[0] == '\n' || (digits && row[digits] == ':'))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!strncmp(row, others[i], strlen(others[i])))
			return false;
	return true;
}

static const char *next_row(const char *row)
{
	row = strchr(row, '\n');
	return row ? row + 1 : NULL;
}

/* Can the row name the obstacle of `rule`? That of too_many_insns may follow an instruction's
 * number. */
static bool may_name(const char *row, enum xfn_rule rule)
{
	return is_message(row) ||
	       (rule == XFN_RULE_too_many_insns && strspn(row, "0123456789") > 0);
}

/* The first of the obstacles that the verifier names, with its row; -1: none. */
static int find_obstacle(const char *log, const char **row)
{
	for (size_t i = 0; i < ARRAY_SIZE(obstacles); i++)
		for (*row = log; *row && **row; *row = next_row(*row))
			if (may_name(*row, obstacles[i].rule) &&
			    memmem(*row, strcspn(*row, "\n"), obstacles[i].text,
				   strlen(obstacles[i].text)))
				return (int)i;
	return -1;
}

/* The verifier's last message. */
static void last_words(const char *log, char *out, size_t len)
{
	out[0] = 0;
	for (const char *row = log; row && *row; row = next_row(row))
		if (is_message(row))
			snprintf(out, len, "is refused by the verifier: %.*s",
				 (int)strcspn(row, "\n"), row);
}

/*
 * "invalid access to packet, off=8 size=1, R2(id=60,off=8,r=4)": is the access behind the range
 * that was checked, or before it?
 */
static bool beyond_range(const char *row, char *text, size_t len)
{
	const char *range = strstr(row, ",r=");
	long off, size, have;

	if (sscanf(row, "invalid access to packet, off=%ld size=%ld", &off, &size) != 2 || !range ||
	    range > row + strcspn(row, "\n"))
		return false;
	have = strtol(range + 3, NULL, 10);
	if (have <= 0 || (off >= 0 && off + size <= have))
		return false;
	if (off < 0) {
		snprintf(text, len, "uses bytes that begin %ld before a pointer of xfn_at", -off);
		return true;
	}
	snprintf(text, len,
		 "uses bytes %ld to %ld behind a pointer for which xfn_at was asked for %ld", off,
		 off + size - 1, have);
	return true;
}

void xfn_refusal__from_log(const char *log, const char *source, int err, struct xfn_refusal *out)
{
	const char *row;
	int i = find_obstacle(log, &row);
	bool loop = i >= 0 && (obstacles[i].rule == XFN_RULE_unbounded_loop ||
			       obstacles[i].rule == XFN_RULE_too_many_insns);
	uint32_t line = find_line(log, source, loop);
	const char *file = line ? source : "";
	char words[300];

	if (i >= 0 && beyond_range(row, words, sizeof(words))) {
		xfn_refusal__set(out, XFN_RULE_out_of_bounds, words, file, line);
	} else if (i >= 0) {
		xfn_refusal__set(out, obstacles[i].rule, NULL, file, line);
	} else {
		last_words(log, words, sizeof(words));
		if (!words[0])
			snprintf(words, sizeof(words), "is refused by the verifier: %s",
				 strerror(err));
		xfn_refusal__set(out, XFN_RULE_verifier_other, words, file, line);
	}
	xfn_refusal__story(log, source, out);
}

void xfn_refusal__figures(const char *log, struct xfn_verifier_figures *out)
{
	const char *processed = strstr(log, "processed "), *depth = strstr(log, "stack depth ");

	memset(out, 0, sizeof(*out));
	if (processed)
		out->processed = strtoul(processed + strlen("processed "), NULL, 10);
	if (depth) {
		char *end = (char *)depth + strlen("stack depth ");

		do /* one figure per subprogram, joined by '+' */
			out->stack_bytes += strtoul(end, &end, 10);
		while (*end++ == '+');
	}
}
