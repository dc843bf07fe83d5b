// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The classifier's verdict on sources as users write them. Each says in its first line what is
 * expected:
 * "// expect: tier=T rule=R line=N" or "// expect: fail rule=R line=N"; what is not named is not
 * held.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../tools/classify.h"

static bool field(const char *row, const char *key, char *value, size_t len)
{
	const char *at = strstr(row, key);

	if (!at)
		return false;
	at += strlen(key);
	snprintf(value, len, "%.*s", (int)strcspn(at, " \n"), at);
	return true;
}

/* "a|b": where which limit is met first is the verifier's business. */
static bool one_of(const char *alternatives, const char *rule)
{
	char copy[64], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", alternatives);
	for (char *one = strtok_r(copy, "|", &save); one; one = strtok_r(NULL, "|", &save))
		if (!strcmp(one, rule))
			return true;
	return false;
}

/* Judge one source; false: it differs from `expect`, which has been said. */
static bool holds(const char *source, const char *expect)
{
	struct xfn_verdict *v = calloc(1, sizeof(*v));
	char err[512] = "", text[900], want[64], line[16];
	bool ok = true;

	assert_non_null(v);
	if (xfn_classify(source, v, err, sizeof(err))) {
		print_error("%s: not judged: %s\n", source, err);
		ok = false;
	} else {
		bool fail = strstr(expect, "fail");

		snprintf(line, sizeof(line), "%u", v->meta.line);
		if (fail != (bool)v->refusal.fatal)
			ok = false;
		if (field(expect, "tier=", want, sizeof(want)) &&
		    strcmp(want, xfn_tier_name(v->meta.tier)))
			ok = false;
		if (field(expect, "rule=", want, sizeof(want)) && !one_of(want, v->meta.rule))
			ok = false;
		if (!strstr(expect, "rule=") && v->meta.rule[0])
			ok = false;
		if (field(expect, "line=", want, sizeof(want)) && strcmp(want, line))
			ok = false;
		/* a reason is a sentence, and an obstacle has a remedy */
		if (!v->meta.reason[0] || (v->meta.rule[0] && !v->meta.remedy[0]))
			ok = false;
		xfn_verdict__sentence(v, text, sizeof(text));
		if (!ok)
			print_error("%s: expected %sgot %s tier=%s rule=%s line=%s: %s\n", source,
				    expect, v->refusal.fatal ? "fail" : "",
				    xfn_tier_name(v->meta.tier), v->meta.rule, line, text);
		if (!v->meta.verified && !v->meta.rule[0] && !v->attr.tier) {
			print_message("SKIP: loading BPF programs is not permitted here\n");
			xfn_verdict__free(v);
			free(v);
			skip();
		}
	}
	xfn_verdict__free(v);
	free(v);
	return ok;
}

static void own_sources(void **state)
{
	DIR *dir = opendir("verifier-tests/sources");
	unsigned count = 0, wrong = 0;
	struct dirent *entry;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char path[300], expect[200] = "";
		FILE *f;

		if (!strstr(entry->d_name, ".c"))
			continue;
		snprintf(path, sizeof(path), "verifier-tests/sources/%s", entry->d_name);
		f = fopen(path, "re");
		assert_non_null(f);
		if (!fgets(expect, sizeof(expect), f) || strncmp(expect, "// expect: ", 11))
			fail_msg("%s: says not what is expected", path);
		fclose(f);
		count++;
		wrong += !holds(path, expect + 11);
	}
	closedir(dir);
	print_message("%u sources judged\n", count);
	assert_true(count >= 15);
	assert_int_equal(wrong, 0);
}

static void shipped_functions(void **state)
{
	static const char *const expected[][2] = {
		{ "functions/echo.c", "tier=xdp\n" },
		{ "functions/reverse.c", "tier=xdp\n" },
		{ "functions/time.c", "tier=xdp\n" },
		{ "functions/sha256.c", "tier=afxdp rule=calls_unknown line=37\n" },
		{ "functions/regex.c", "tier=afxdp rule=calls_unknown\n" },
	};
	unsigned wrong = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		wrong += !holds(expected[i][0], expected[i][1]);
	assert_int_equal(wrong, 0);
}

/* A module tells again what the classifier found. */
static void module_keeps_the_verdict(void **state)
{
	struct xfn_build_options how = { .source = "functions/sha256.c" };
	char path[] = "/tmp/xfn-test-XXXXXX", err[512] = "";
	struct xfn_module *mod;

	(void)state;
	assert_non_null(mkdtemp(path));
	char out[64];

	snprintf(out, sizeof(out), "%s/sha256.xfn", path);
	how.out = out;
	if (xfn_build_module(&how, err, sizeof(err)))
		fail_msg("%s", err);
	mod = xfn_module__open(out, err, sizeof(err));
	if (!mod)
		fail_msg("%s", err);
	assert_int_equal(mod->meta.tier, XFN_TIER_AFXDP);
	assert_string_equal(mod->meta.rule, "calls_unknown");
	assert_string_equal(mod->attr.name, "sha256");
	assert_null(mod->bpf);
	xfn_module__close(mod);
	how.source = "verifier-tests/sources/stale.c";
	assert_int_not_equal(xfn_build_module(&how, err, sizeof(err)), 0);
	assert_non_null(strstr(err, "stale.c:12"));
	remove(out);
	remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_sources),
		cmocka_unit_test(shipped_functions),
		cmocka_unit_test(module_keeps_the_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
