// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Verifier log -> rule and author's line. Pure text work: must never load or run anything. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "refusal.h"

static const struct {
	const char *text; /* in the verifier's words */
	const char *rule;
	int fatal;
	const char *reason;
	const char *remedy;
} obstacles[] = {
	{ "call stack of", "recursion", 0, "calls nest deeper than the kernel allows (recursion)",
	  "write it as a loop with a constant bound" },
	{ "combined stack size", "stack_limit", 0, "more than 512 bytes of stack",
	  "make local arrays smaller" },
	{ "invalid stack", "stack_limit", 0, "an access beyond the stack's 512 bytes",
	  "make local arrays smaller" },
	{ "jumps is too complex", "unbounded_loop", 0, "a loop whose end the verifier cannot see",
	  "give the loop a constant upper bound" },
	{ "infinite loop", "unbounded_loop", 0, "a loop whose end the verifier cannot see",
	  "give the loop a constant upper bound" },
	{ "BPF program is too large", "too_many_insns", 0,
	  "more instructions than the verifier follows (one million)",
	  "work on 8 bytes at a time, or on fewer bytes" },
	{ "_or_null'", "unchecked_pointer", 1, "a pointer is used without a check for NULL",
	  "test the result of xfn_at or xfn_edit before using it" },
	{ "invalid mem access 'scalar'", "unchecked_pointer", 1,
	  "a pointer is used that may be NULL or is dead",
	  "test the result of xfn_at or xfn_edit, and take it anew after xfn_resize" },
	{ "invalid access to packet", "variable_access", 0,
	  "an access whose length or offset varies",
	  "ask xfn_at for a constant length, or use xfn_read" },
};

/* The last "; text @ file:line" of the author's file before the log's end; older logs have text
 * only. */
static void find_line(const char *log, const char *source, struct xfn_refusal *out)
{
	const char *base = strrchr(source, '/') ? strrchr(source, '/') + 1 : source;
	char want[300];

	snprintf(want, sizeof(want), "%s:", base);
	for (const char *at = log; (at = strstr(at, " @ ")); at++) {
		size_t len = strcspn(at, "\n");
		const char *name = strstr(at, want);

		if (!name || name >= at + len)
			continue;
		out->line = strtoul(name + strlen(want), NULL, 10);
		snprintf(out->file, sizeof(out->file), "%s", source);
	}
}

void xfn_refusal__from_log(const char *log, const char *source, int err, struct xfn_refusal *out)
{
	memset(out, 0, sizeof(*out));
	find_line(log, source, out);
	for (size_t i = 0; i < sizeof(obstacles) / sizeof(obstacles[0]); i++) {
		if (!strstr(log, obstacles[i].text))
			continue;
		snprintf(out->rule, sizeof(out->rule), "%s", obstacles[i].rule);
		snprintf(out->reason, sizeof(out->reason), "%s", obstacles[i].reason);
		snprintf(out->remedy, sizeof(out->remedy), "%s", obstacles[i].remedy);
		out->fatal = obstacles[i].fatal;
		return;
	}
	snprintf(out->rule, sizeof(out->rule), "verifier_other");
	snprintf(out->reason, sizeof(out->reason), "the verifier refuses it: %s", strerror(err));
	snprintf(out->remedy, sizeof(out->remedy), "read the log with -vv");
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
