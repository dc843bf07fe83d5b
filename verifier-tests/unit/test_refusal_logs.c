// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What verifiers said (verifier-tests/logs, written by logs.sh), explained: for every rule that a
 * verifier decides, on each kernel, the rule and the author's line. Loads nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdbool.h>
#include <cmocka.h>
#include "../../skel/array_size.h"
#include "../../skel/refusal.h"

#define LOG_MAX (1u << 18)

/* "5|7": kernels look at a call from either end. */
static bool line_fits(const char *wanted, uint32_t line)
{
	char copy[32], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", wanted);
	for (char *one = strtok_r(copy, "|", &save); one; one = strtok_r(NULL, "|", &save))
		if ((uint32_t)atoi(one) == line)
			return true;
	return !strcmp(wanted, "-");
}

static char *read_log(const char *kernel, const char *rule, const char *source)
{
	char path[300], *log = calloc(1, LOG_MAX);
	FILE *f;

	assert_non_null(log);
	snprintf(path, sizeof(path), "verifier-tests/logs/%s/%s.%s.log", kernel, rule, source);
	f = fopen(path, "re");
	if (!f)
		fail_msg("%s: %s; write it with `make logs`", path, strerror(errno));
	if (!fread(log, 1, LOG_MAX - 1, f))
		fail_msg("%s: empty", path);
	fclose(f);
	return log;
}

/* Explain every log of a kernel; how many were read. */
static unsigned explain_all(const char *kernel)
{
	FILE *list = fopen("verifier-tests/logs/list", "re");
	char row[200], rule[40], source[40], line[32], path[300];
	unsigned count = 0, wrong = 0;

	assert_non_null(list);
	while (fgets(row, sizeof(row), list)) {
		struct xfn_refusal r = {};
		char *log;

		if (sscanf(row, "%39s %39s %31s", rule, source, line) != 3 || *rule == '#')
			continue;
		log = read_log(kernel, rule, source);
		count++;
		if (!strcmp(rule, "accepted")) {
			assert_string_equal(log, "accepted\n");
			free(log);
			continue;
		}
		snprintf(path, sizeof(path), "verifier-tests/sources/%s.c", source);
		xfn_refusal__from_log(log, path, EACCES, &r);
		free(log);
		if (strcmp(r.rule, rule) || !line_fits(line, r.line)) {
			print_error("%s: %s: wanted %s at %s, got %s at %u\n", kernel, source, rule,
				    line, r.rule, r.line);
			wrong++;
		}
		if (r.story[0])
			print_message("%s: %s: %s\n", kernel, source, r.story);
	}
	fclose(list);
	assert_int_equal(wrong, 0);
	return count;
}

static void linux_6_1(void **state)
{
	(void)state;
	assert_true(explain_all("6.1") >= 15);
}

static void linux_6_12(void **state)
{
	(void)state;
	assert_true(explain_all("6.12") >= 15);
}

static void linux_6_18(void **state)
{
	(void)state;
	assert_true(explain_all("6.18") >= 15);
}

/* What was proven and where it was lost, as the log has it, and nothing where it has none. */
static void stories(void **state)
{
	static const struct {
		const char *kernel, *rule, *source, *story;
	} told[] = {
		{ "6.18", "variable_access", "indexed",
		  "at line 13 the verifier knew a payload pointer with 64 bytes checked; line 13 "
		  "adds a number from 0 to 4294967295 to it, and has a payload pointer with no "
		  "byte checked" },
		{ "6.18", "unbounded_loop", "hang", "" },
		{ "6.12", "function_pointer", "callback", "" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(told); i++) {
		char *log = read_log(told[i].kernel, told[i].rule, told[i].source), path[300];
		struct xfn_refusal r = {};

		snprintf(path, sizeof(path), "verifier-tests/sources/%s.c", told[i].source);
		xfn_refusal__from_log(log, path, EACCES, &r);
		free(log);
		assert_string_equal(r.story, told[i].story);
	}
}

/* A source whose text reads like a message is none. */
static void source_text_is_no_message(void **state)
{
	static const char log[] = "0: R1=ctx() R10=fp0\n"
				  "; report(\"infinite loop, program too large\"); @ x.c:3\n"
				  "12: (71) r2 = *(u8 *)(r2 +8)\n"
				  "R2 invalid mem access 'scalar'\n"
				  "verification time 3 usec\nstack depth 8\nprocessed 9 insns\n";
	struct xfn_refusal r = {};

	(void)state;
	xfn_refusal__from_log(log, "x.c", EACCES, &r);
	assert_string_equal(r.rule, "pointer_lost");
	assert_int_equal(r.line, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linux_6_1),
		cmocka_unit_test(linux_6_12),
		cmocka_unit_test(linux_6_18),
		cmocka_unit_test(stories),
		cmocka_unit_test(source_text_is_no_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
