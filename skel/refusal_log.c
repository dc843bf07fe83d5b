// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A verifier log as rows with the author's lines, and the story of the register states along it:
 * what was proven, and where that was lost. Pure text work: must never judge, load or run anything.
 *
 * The log of a refused program (level 1) is the one path on which it was refused: instructions,
 * "NN: (op) text ; R1=state ...", between source lines, "; text @ file:line" (without the place
 * before 6.10).
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "refusal.h"
#include "error.h"
#include "refusal_log.h"
#include "regular_file.h"

#define SOURCE_MAX (1u << 20)

/* The text of the source; the caller frees. NULL: the file cannot be read. */
static char *read_source(const char *source)
{
	struct xfn_error err;
	FILE *f = xfn_regular_file__stream(source, "", &err);
	char *text = f ? calloc(1, SOURCE_MAX + 1) : NULL;

	if (text && !fread(text, 1, SOURCE_MAX, f))
		text[0] = 0;
	if (f)
		fclose(f);
	return text;
}

/* The line of the source that begins with `text` after blanks; 0: none. */
static uint32_t look_up(const char *source, const char *text, size_t len)
{
	uint32_t line = 1;

	for (const char *at = source; at && *at && len; line++) {
		at += strspn(at, " \t");
		if (!strncmp(at, text, len))
			return line;
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return 0;
}

/* "; text @ file:line" -> the author's line; 0: it is in another file. */
static uint32_t place(const char *row, size_t len, const char *base, const char *text)
{
	const char *mark = memmem(row, len, " @ ", 3), *name;

	if (!mark)
		return text ? look_up(text, row + 2, len - 2) : 0;
	name = memmem(mark, len - (size_t)(mark - row), base, strlen(base));
	if (!name || (name[-1] != ' ' && name[-1] != '/') || name[strlen(base)] != ':')
		return 0;
	return (uint32_t)strtoul(name + strlen(base) + 1, NULL, 10);
}

struct xfn_log_row *xfn_refusal_log__rows(const char *log, const char *source, size_t *count)
{
	const char *base = strrchr(source, '/') ? strrchr(source, '/') + 1 : source;
	char *text = read_source(source);
	struct xfn_log_row *rows;
	uint32_t line = 0;
	size_t n = 1;

	for (const char *at = log; (at = strchr(at, '\n')); at++)
		n++;
	rows = calloc(n, sizeof(*rows));
	*count = 0;
	for (const char *at = log; rows && at && *at;) {
		size_t len = strcspn(at, "\n"), digits = strspn(at, "0123456789");

		if (!strncmp(at, "; ", 2))
			line = place(at, len, base, text) ?: line;
		else if (digits && !strncmp(at + digits, ": ", 2) && at[digits + 2] != '(' && text)
			/* a message of the control flow, "NN: source text" */
			line = look_up(text, at + digits + 2, len - digits - 2) ?: line;
		rows[(*count)++] = (struct xfn_log_row){ .text = at, .len = len, .line = line };
		at += len + (at[len] == '\n');
	}
	free(text);
	return rows;
}

static bool is_insn(const struct xfn_log_row *row)
{
	size_t digits = strspn(row->text, "0123456789");

	return digits && !strncmp(row->text + digits, ": (", 3);
}

/* The instruction of a row without number and opcode: "r4 += r3 ...". */
static const char *insn(const struct xfn_log_row *row)
{
	return strchr(row->text, ')') + 2;
}

/* The state of register `reg` that the row prints, "pkt(id=59,r=64,...)"; 0: none. */
static size_t state(const struct xfn_log_row *row, int reg, const char **at)
{
	const char *end = row->text + row->len, *p = memchr(row->text, ';', row->len);
	int depth = 0;
	char name[8];

	snprintf(name, sizeof(name), " R%d", reg);
	p = p ? memmem(p, (size_t)(end - p), name, strlen(name)) : NULL;
	if (!p)
		return 0;
	p += strlen(name);
	p += strncmp(p, "_w", 2) && strncmp(p, "_r", 2) ? 0 : 2;
	if (*p++ != '=')
		return 0;
	*at = p;
	while (p < end && (depth || *p != ' ')) {
		depth += (*p == '(') - (*p == ')');
		p++;
	}
	return (size_t)(p - *at);
}

/* The number behind `key`, which stands behind '(' or ','. */
static bool number(const char *text, const char *key, unsigned long long *out)
{
	for (const char *at = text; (at = strstr(at, key)); at += strlen(key))
		if ((at[-1] == '(' || at[-1] == ',' || at[-1] == '=') && at > text) {
			/* "smax=umax=smax32=4095": one number for several names */
			for (at += strlen(key); isalpha(*at); at++)
				at += strcspn(at, "=,)");
			*out = strtoull(at, NULL, 0);
			return true;
		}
	return false;
}

/* A state in plain words. */
static void describe(const char *at, size_t len, char *out, size_t outlen)
{
	unsigned long long low = 0, high, range = 0;
	char text[256];

	snprintf(text, sizeof(text), "%.*s", (int)len, at);
	if (strstr(text, "_or_null"))
		snprintf(out, outlen, "a pointer that may be NULL");
	else if (!strncmp(text, "pkt(", 4))
		number(text, "r=", &range) && range ?
			snprintf(out, outlen, "a payload pointer with %llu bytes checked", range) :
			snprintf(out, outlen, "a payload pointer with no byte checked");
	else if (!strncmp(text, "fp", 2))
		snprintf(out, outlen, "an address of a local variable");
	else if (!strncmp(text, "map_value", 9))
		snprintf(out, outlen, "an address in a map or a constant table");
	else if (isdigit(text[0]) || text[0] == '-')
		snprintf(out, outlen, "%.24s", text);
	else if (strncmp(text, "scalar", 6) && strncmp(text, "inv", 3))
		snprintf(out, outlen, "%.60s", text);
	else if (number(text, "umax=", &high) || number(text, "umax_value=", &high))
		(void)(number(text, "umin=", &low) || number(text, "umin_value=", &low)),
			snprintf(out, outlen, "a number from %llu to %llu", low, high);
	else
		snprintf(out, outlen, "a number without bounds");
}

/* The last state of `reg` before rows[at]. */
static bool known_before(const struct xfn_log_row *rows, size_t at, int reg, char *out,
			 size_t outlen, uint32_t *line)
{
	const char *text;
	size_t len;

	while (at--) {
		len = is_insn(&rows[at]) ? state(&rows[at], reg, &text) : 0;
		if (len) {
			describe(text, len, out, outlen);
			*line = rows[at].line;
			return true;
		}
	}
	return false;
}

/* rows[at] is an addition: write what it made of what. */
static void tell_change(const struct xfn_log_row *rows, size_t at, int reg, const char *op,
			char *out, size_t outlen)
{
	char before[80], after[80] = "", other[80] = "";
	const char *text;
	uint32_t line, other_line;
	size_t len = state(&rows[at], reg, &text);
	int from;

	if (len)
		describe(text, len, after, sizeof(after));
	if (!after[0] || !rows[at].line ||
	    !known_before(rows, at, reg, before, sizeof(before), &line) || !line)
		return;
	if (!strcmp(before, after))
		return;
	if (sscanf(op, "+= r%d", &from) == 1 &&
	    known_before(rows, at, from, other, sizeof(other), &other_line))
		snprintf(out, outlen,
			 "at line %u the verifier knew %s; line %u adds %s to it, and has %s", line,
			 before, rows[at].line, other, after);
}

/* The last state of the register in the rows before `at`. */
static void tell_known(const struct xfn_log_row *rows, size_t at, int reg, char *out, size_t outlen)
{
	char words[80];
	uint32_t line;

	if (known_before(rows, at, reg, words, sizeof(words), &line) && line)
		snprintf(out, outlen, "what is used there the verifier knew, at line %u, as %s",
			 line, words);
}

/* Follow `reg` back from the end to the addition that gave it its value. */
static void follow(const struct xfn_log_row *rows, size_t at, int reg, char *out, size_t outlen)
{
	int slot = 0, from;

	while (at--) {
		const char *op;
		char target;
		int to, off;

		if (!is_insn(&rows[at]))
			continue;
		op = insn(&rows[at]);
		if (slot) { /* on the stack at r10 - slot */
			if (sscanf(op, "*(u64 *)(r10 -%d) = r%d", &off, &from) == 2 &&
			    off == slot) {
				reg = from;
				slot = 0;
			}
			continue;
		}
		if (!strncmp(op, "call ", 5) && reg <= 5)
			return;
		if (sscanf(op, "%c%d ", &target, &to) != 2 || (target != 'r' && target != 'w') ||
		    to != reg)
			continue;
		op += strcspn(op, " ") + 1;
		if (sscanf(op, "= r%d", &from) == 1 && target == 'r') {
			reg = from;
		} else if (sscanf(op, "= *(u64 *)(r10 -%d)", &off) == 1) {
			slot = off;
		} else if (!strncmp(op, "= ", 2)) {
			return;
		} else if (!strncmp(op, "+= r", 4)) {
			tell_change(rows, at, reg, op, out, outlen);
			if (out[0])
				return;
		}
	}
}

uint32_t xfn_refusal__last_insn(const char *log)
{
	uint32_t insn = 0;

	for (const char *at = log; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
		size_t digits = strspn(at, "0123456789");

		if (digits && !strncmp(at + digits, ": (", 3))
			insn = (uint32_t)strtoul(at, NULL, 10);
	}
	return insn;
}

/* The register that a message names, "R4 invalid mem access ...", "..., R4(id=60,...)", or NULL. */
static const char *register_of(const struct xfn_log_row *row)
{
	const char *end = row->text + row->len;

	if (row->text[0] == 'R' && isdigit(row->text[1]))
		return row->text;
	if (strncmp(row->text, "invalid ", 8) && strncmp(row->text, "BPF_ATOMIC ", 11))
		return NULL;
	for (const char *at = row->text; at + 2 < end; at++)
		if (at[0] == ' ' && at[1] == 'R' && isdigit(at[2]))
			return at + 1;
	return NULL;
}

void xfn_refusal__story(const char *log, const char *source, struct xfn_refusal *out)
{
	size_t count, last = 0, visits = 0;
	struct xfn_log_row *rows = xfn_refusal_log__rows(log, source, &count);

	out->story[0] = 0;
	for (size_t i = 0; rows && i < count; i++)
		if (is_insn(&rows[i]))
			last = i;
	for (size_t i = last + 1; rows && last && i < count && !out->story[0]; i++) {
		const char *reg = register_of(&rows[i]);

		if (!reg)
			continue;
		follow(rows, last, atoi(reg + 1), out->story, sizeof(out->story));
		if (!out->story[0])
			tell_known(rows, last, atoi(reg + 1), out->story, sizeof(out->story));
	}
	for (size_t i = 0; rows && out->line && i < count; i++)
		visits += rows[i].line == out->line && !strncmp(rows[i].text, "; ", 2) &&
			  (!i || rows[i - 1].line != out->line);
	if (!out->story[0] && visits > 100)
		snprintf(out->story, sizeof(out->story),
			 "the verifier came to line %u more than %zu times on one path and gave up",
			 out->line, visits - 1);
	free(rows);
}
