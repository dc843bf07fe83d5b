// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The classifier's verdict on sources as users write them. Each says in its first line what is
 * expected: "// expect: tier=T rule=R line=N" or "// expect: fail rule=R line=N", and "says=WORD"
 * in order for words of the reason; what is not named is not held. "clang=14": of that one only.
 * "unjudged": the compiler itself ends over it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <seccomp.h>
#include "../../skel/error.h"
#include "../suite.h"
#include "../../tools/compiler/classify.h"

#define JOBS	    4
#define SOURCES_MAX 200
#define SKIPPED	    254 /* exit status: nothing could be verified */

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

/* "says=WORD": in the reason, in that order where there are several. */
static bool says(const char *expect, const char *reason)
{
	char word[64];

	for (const char *at = expect; (at = strstr(at, "says=")); at += 5) {
		if (!field(at, "says=", word, sizeof(word)) || !(reason = strstr(reason, word)))
			return false;
		reason += strlen(word);
	}
	return true;
}

#define UNVERIFIED 2 /* this process may not load: the verdict says nothing */

/* Judge one source. 1: as expected; 0: not, which has been said; or UNVERIFIED. */
static int holds(const char *source, const char *expect)
{
	struct xfn_verdict *v = calloc(1, sizeof(*v));
	char text[900], want[64], line[16];
	struct xfn_error err = { 0 };
	int ok = 1;

	assert_non_null(v);
	if (xfn_classify(source, v, &err)) {
		ok = strstr(expect, "unjudged") && strstr(err.line, "was ended by signal");
		if (!ok)
			print_error("%s: not judged: %s\n", source, err.line);
	} else if (field(expect, "clang=", want, sizeof(want)) &&
		   !strstr(v->meta.compiler, strcat(strcpy(text, "version "), want))) {
		ok = 1; /* another compiler's business */
	} else {
		bool fail = strstr(expect, "fail") || strstr(expect, "unjudged");

		snprintf(line, sizeof(line), "%u", v->meta.line);
		if (fail != (bool)v->refusal.fatal)
			ok = 0;
		if (field(expect, "tier=", want, sizeof(want)) &&
		    strcmp(want, xfn_tier_name(v->meta.tier)))
			ok = 0;
		if (field(expect, "rule=", want, sizeof(want)) && !one_of(want, v->meta.rule))
			ok = 0;
		if (!strstr(expect, "rule=") && v->meta.rule[0])
			ok = 0;
		if (field(expect, "line=", want, sizeof(want)) && strcmp(want, line))
			ok = 0;
		/* a reason is a sentence, and an obstacle has a remedy */
		if (!v->meta.reason[0] || (v->meta.rule[0] && !v->meta.remedy[0]))
			ok = 0;
		ok = ok && says(expect, v->meta.reason);
		xfn_verdict__sentence(v, text, sizeof(text));
		if (!v->meta.verified && !v->meta.rule[0] && !v->attr.tier)
			ok = UNVERIFIED;
		if (!ok)
			print_error("%s: expected %sgot %s tier=%s rule=%s line=%s: %s\n", source,
				    expect, v->refusal.fatal ? "fail" : "",
				    xfn_tier_name(v->meta.tier), v->meta.rule, line, text);
	}
	xfn_verdict__free(v);
	free(v);
	return ok;
}

struct source {
	char path[300], expect[200];
};

/* Judge all, on several CPUs: the compiler takes most of the time. The number that differ. */
static unsigned judge_all(const struct source *sources, unsigned count)
{
	pid_t children[JOBS];
	unsigned wrong = 0, unverified = 0;
	int status;

	for (unsigned job = 0; job < JOBS; job++) {
		children[job] = fork();
		assert_true(children[job] >= 0);
		if (children[job])
			continue;
		for (unsigned i = job; i < count; i += JOBS) {
			int ok = holds(sources[i].path, sources[i].expect);

			wrong += !ok;
			unverified += ok == UNVERIFIED;
		}
		_exit(wrong ? (int)wrong : unverified ? SKIPPED : 0);
	}
	for (unsigned job = 0; job < JOBS; job++) {
		assert_int_equal(waitpid(children[job], &status, 0), children[job]);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == SKIPPED)
			unverified++;
		else
			wrong += (unsigned)WEXITSTATUS(status);
	}
	if (!wrong && unverified) {
		print_message("SKIP: loading BPF programs is not permitted here\n");
		skip();
	}
	return wrong;
}

static void own_sources(void **state)
{
	static struct source sources[SOURCES_MAX];
	DIR *dir = opendir("verifier-tests/sources");
	unsigned count = 0;
	struct dirent *entry;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct source *s = &sources[count];
		size_t len = strlen(entry->d_name);
		FILE *f;

		if (len < 3 || strcmp(entry->d_name + len - 2, ".c"))
			continue;
		assert_true(++count < SOURCES_MAX);
		snprintf(s->path, sizeof(s->path), "verifier-tests/sources/%s", entry->d_name);
		f = fopen(s->path, "re");
		assert_non_null(f);
		if (!fgets(s->expect, sizeof(s->expect), f) ||
		    strncmp(s->expect, "// expect: ", 11))
			fail_msg("%s: says not what is expected", s->path);
		fclose(f);
	}
	closedir(dir);
	assert_int_equal(judge_all(sources, count), 0);
	print_message("%u sources judged\n", count);
	assert_true(count >= 90);
}

static void shipped_functions(void **state)
{
	static const char *const expected[][2] = {
		{ "functions/echo.c", "tier=xdp\n" },
		{ "functions/reverse.c", "tier=xdp\n" },
		{ "functions/time.c", "tier=xdp\n" },
		{ "functions/sha256.c", "tier=afxdp rule=calls_unknown line=38\n" },
		{ "functions/regex.c", "tier=afxdp rule=calls_unknown\n" },
	};
	struct source sources[ARRAY_SIZE(expected)];
	unsigned count = ARRAY_SIZE(expected);

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		strcpy(sources[i].path, expected[i][0]);
		strcpy(sources[i].expect, expected[i][1]);
	}
	assert_int_equal(judge_all(sources, count), 0);
}

/* A module tells again what the classifier found. */
static void module_keeps_the_verdict(void **state)
{
	struct xfn_build_options how = { .source = "functions/sha256.c" };
	char path[] = "/tmp/xfn-test-XXXXXX";
	struct xfn_error err = { 0 };
	struct xfn_module *mod;

	(void)state;
	assert_non_null(mkdtemp(path));
	char out[64];

	snprintf(out, sizeof(out), "%s/sha256.xfn", path);
	how.out = out;
	if (xfn_build_module(&how, &err))
		fail_msg("%s", err.line);
	mod = xfn_module__open(out, &err);
	if (!mod)
		fail_msg("%s", err.line);
	assert_int_equal(mod->meta.tier, XFN_TIER_AFXDP);
	assert_string_equal(mod->meta.rule, "calls_unknown");
	assert_string_equal(mod->attr.name, "sha256");
	assert_null(mod->bpf);
	xfn_module__close(mod);
	how.source = "verifier-tests/sources/stale.c";
	assert_int_not_equal(xfn_build_module(&how, &err), 0);
	assert_non_null(strstr(err.line, "stale.c:12"));
	remove(out);
	remove(path);
}

/* Judge echo where the kernel does `action` on a command of bpf(2): no verdict, and TEXT is told.
 */
static void judge_without(uint32_t action, unsigned command, const char *text)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
		struct xfn_verdict *v = calloc(1, sizeof(*v));
		struct xfn_error err = { 0 };
		int ret;

		if (!v ||
		    seccomp_rule_add(ctx, action, SCMP_SYS(bpf), 1,
				     SCMP_A0(SCMP_CMP_EQ, command)) ||
		    seccomp_load(ctx))
			_exit(2);
		ret = xfn_classify("functions/echo.c", v, &err);
		if (!ret || !strstr(err.line, text))
			print_error("'%s', wanted '%s'\n", ret ? err.line : "judged", text);
		xfn_verdict__free(v);
		_exit(!ret || !strstr(err.line, text));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* What the kernel could not try is not refused by its verifier. */
static void kernel_without_memory(void **state)
{
	(void)state;
	if (geteuid()) {
		print_message("SKIP: loading BPF programs is not permitted here\n");
		skip();
	}
	judge_without(SCMP_ACT_ERRNO(ENOMEM), BPF_PROG_LOAD, "this kernel cannot try");
	judge_without(SCMP_ACT_ERRNO(ENOMEM), BPF_MAP_CREATE, "this kernel cannot try");
	judge_without(SCMP_ACT_KILL_PROCESS, BPF_PROG_LOAD, "verifier ended by signal");
}

XFN_SUITE(cmocka_unit_test(own_sources), cmocka_unit_test(shipped_functions),
	  cmocka_unit_test(module_keeps_the_verdict), cmocka_unit_test(kernel_without_memory))
