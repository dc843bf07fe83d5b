// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Verifier log -> rule and author's line. Pure text work: must never load or run anything. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "refusal.h"

static const struct {
	const char *id;
	int fatal;
	const char *sentence, *remedy;
} rules[] = {
#define DEMOTE 0
#define FAIL   1
#define XFN_RULE(id, verdict, sentence, remedy)                                                    \
	[XFN_RULE_##id] = { #id, verdict, sentence, remedy },
	XFN_RULES(XFN_RULE)
#undef XFN_RULE
};

/* What the verifier says, in the order in which it decides. */
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
	{ "back-edge", XFN_RULE_unbounded_loop },
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
	{ "GPL-restricted function from non-GPL", XFN_RULE_licence },
	{ "cannot call GPL", XFN_RULE_licence },
	{ "unknown func", XFN_RULE_calls_unknown },
};

void xfn_refusal__set(struct xfn_refusal *out, enum xfn_rule rule, const char *detail,
		      const char *file, uint32_t line)
{
	snprintf(out->rule, sizeof(out->rule), "%s", rules[rule].id);
	snprintf(out->reason, sizeof(out->reason), "%s", detail ?: rules[rule].sentence);
	snprintf(out->remedy, sizeof(out->remedy), "%s", rules[rule].remedy);
	snprintf(out->file, sizeof(out->file), "%s", file ?: "");
	out->line = line;
	out->fatal = rules[rule].fatal;
}

/* The line of `source` that reads `text`, blanks at both ends aside; 0: none. */
static uint32_t look_up(const char *source, const char *text, size_t len)
{
	FILE *f = fopen(source, "re");
	uint32_t line = 0, found = 0;
	char row[512];

	while (f && !found && fgets(row, sizeof(row), f)) {
		char *at = row + strspn(row, " \t");

		line++;
		at[strcspn(at, "\r\n")] = 0;
		if (len && strlen(at) >= len && !strncmp(at, text, len))
			found = line;
	}
	if (f)
		fclose(f);
	return found;
}

#define ROUNDS 17  /* of a loop that are looked at: more than an unrolled one has in a round */
#define WALKED 256 /* lines kept */

/*
 * Where a loop begins that the verifier did not follow to its end: the first of the lines that it
 * walked again and again of late. On which of them it gave up is chance, and another compiler's is
 * another.
 */
static uint32_t loop_head(const uint32_t *walked, unsigned count)
{
	unsigned rounds = 0, from = count;
	uint32_t head = walked[count - 1];

	while (from && rounds < ROUNDS)
		rounds += walked[--from] == walked[count - 1];
	for (unsigned i = from; i < count; i++)
		for (unsigned j = i + 1; j < count; j++)
			if (walked[i] == walked[j] && walked[i] < head)
				head = walked[i];
	return head;
}

/*
 * The last "; text @ file:line" of the author's file before the log's end. Logs before 6.10 quote
 * the text only.
 */
static uint32_t find_line(const char *log, const char *source)
{
	const char *base = strrchr(source, '/') ? strrchr(source, '/') + 1 : source;
	uint32_t walked[WALKED], line = 0;
	unsigned count = 0;
	char want[300];

	snprintf(want, sizeof(want), "%s:", base);
	for (const char *at = log; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
		size_t len = strcspn(at, "\n");
		const char *mark, *name;

		if (strncmp(at, "; ", 2))
			continue;
		mark = memmem(at, len, " @ ", 3);
		if (!mark) {
			line = look_up(source, at + 2, len - 2) ?: line;
		} else {
			name = memmem(mark, len - (mark - at), want, strlen(want));
			if (!name || (name[-1] != ' ' && name[-1] != '/'))
				continue;
			line = strtoul(name + strlen(want), NULL, 10) ?: line;
		}
		if (!line)
			continue;
		if (count == WALKED)
			memmove(walked, walked + 1, --count * sizeof(walked[0]));
		walked[count++] = line;
	}
	if (count && (strstr(log, "jumps is too complex") || strstr(log, "infinite loop") ||
		      strstr(log, "program is too large")))
		line = loop_head(walked, count);
	return line;
}

/* The verifier's own last words: the line before its statistics. */
static void last_words(const char *log, char *out, size_t len)
{
	const char *end = strstr(log, "\nprocessed "), *begin;

	out[0] = 0;
	if (!end)
		return;
	for (begin = end; begin > log && begin[-1] != '\n';)
		begin--;
	snprintf(out, len, "is refused by the verifier: %.*s", (int)(end - begin), begin);
}

void xfn_refusal__from_log(const char *log, const char *source, int err, struct xfn_refusal *out)
{
	uint32_t line = find_line(log, source);
	const char *file = line ? source : "";
	char words[300];

	for (size_t i = 0; i < sizeof(obstacles) / sizeof(obstacles[0]); i++)
		if (strstr(log, obstacles[i].text)) {
			xfn_refusal__set(out, obstacles[i].rule, NULL, file, line);
			return;
		}
	last_words(log, words, sizeof(words));
	if (!words[0])
		snprintf(words, sizeof(words), "is refused by the verifier: %s", strerror(err));
	xfn_refusal__set(out, XFN_RULE_verifier_other, words, file, line);
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
