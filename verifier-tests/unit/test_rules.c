// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The pages of `xfn explain --rule` tell the truth: each rule has one, the example that is to meet
 * the rule meets it, and the one that passes meets none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "../../tools/compiler/classify.h"
#include "../../tools/cli/explain.h"

#define JOBS 4

/* Rules that no source of ours meets here, or that an attach decides: a page without an example. */
static bool without_example(const char *id)
{
	static const char *const ids[] = { "compiler_other", "verifier_other",	 "compiler_crash",
					   "licence",	     "shared_interface", "forced",
					   "no_xdp",	     "no_afxdp" };

	for (unsigned i = 0; i < ARRAY_SIZE(ids); i++)
		if (!strcmp(ids[i], id))
			return true;
	return false;
}

static void every_rule_has_a_page(void **state)
{
	(void)state;
	for (unsigned i = 0; i < XFN_RULE_COUNT; i++) {
		const struct xfn_rule_text *rule = xfn_refusal__rule(i);
		size_t meaning, example, passes;

		xfn_explain__page(i, 0, &meaning);
		xfn_explain__page(i, 1, &example);
		xfn_explain__page(i, 2, &passes);
		if (meaning < 40)
			fail_msg("%s: its page does not say what it means", rule->id);
		if (!without_example(rule->id) && (!example || !passes))
			fail_msg("%s: its page lacks an example", rule->id);
	}
}

/* Judge a part of a page: the rule that it meets, "" none, "?" not to be judged here. */
static void judge(const char *folder, unsigned rule, unsigned part, char *met, size_t len)
{
	struct xfn_verdict *v = calloc(1, sizeof(*v));
	char path[300];
	struct xfn_error err = { 0 };
	size_t bytes;
	const char *text = xfn_explain__page(rule, part, &bytes);
	FILE *f;

	assert_non_null(v);
	snprintf(path, sizeof(path), "%s/example.c", folder);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "#include \"xfn.h\"\n\n%.*s", (int)bytes, text);
	fclose(f);
	if (xfn_classify(path, v, &err))
		print_error("not judged: %s\n", err.line);
	snprintf(met, len, "%s", err.line[0] ? "?" : v->meta.rule);
	if (!v->meta.verified && !v->meta.rule[0] && !v->attr.tier)
		snprintf(met, len, "?");
	xfn_verdict__free(v);
	free(v);
	remove(path);
}

/* A share of the rules; exit status: how many examples are wrong. */
static int judge_share(const char *folder, unsigned job)
{
	int wrong = 0;

	for (unsigned i = job; i < XFN_RULE_COUNT; i += JOBS)
		for (unsigned part = 1; part <= 2; part++) {
			const char *id = xfn_refusal__rule(i)->id;
			char met[40];
			size_t len;

			xfn_explain__page(i, part, &len);
			if (!len)
				continue;
			judge(folder, i, part, met, sizeof(met));
			if (!strcmp(met, "?") || !strcmp(met, part == 1 ? id : ""))
				continue;
			print_error("%s: its example %s meets '%s'\n", id,
				    part == 1 ? "" : "that passes", met);
			wrong++;
		}
	return wrong;
}

static void examples_hold(void **state)
{
	char folders[JOBS][32];
	pid_t children[JOBS];
	unsigned wrong = 0;
	int status;

	(void)state;
	for (unsigned job = 0; job < JOBS; job++) {
		strcpy(folders[job], "/tmp/xfn-rules-XXXXXX");
		assert_non_null(mkdtemp(folders[job]));
		children[job] = fork();
		assert_true(children[job] >= 0);
		if (!children[job])
			_exit(judge_share(folders[job], job));
	}
	for (unsigned job = 0; job < JOBS; job++) {
		assert_int_equal(waitpid(children[job], &status, 0), children[job]);
		rmdir(folders[job]);
		assert_true(WIFEXITED(status));
		wrong += (unsigned)WEXITSTATUS(status);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_has_a_page),
		cmocka_unit_test(examples_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
