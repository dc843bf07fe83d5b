// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn test`: an author's cases on both targets, against what they expect and each other. Must
 * never run a function itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "../../skel/module.h"
#include "../../userspace/control/control.h"
#include "../../skel/reason_text.h"
#include "../cases/case_run.h"
#include "../compiler/classify.h"
#include "options.h"
#include "output.h"
#include "../arguments/payload.h"

#define ROW	 8 /* bytes of a row of a difference */
#define ROWS_MAX 8

struct options {
	const char *cases, *only;
	bool json;
};

/* What one file's cases came to. */
struct tally {
	unsigned passed, failed;
	int width;    /* of the longest name */
	json_t *rows; /* -j */
};

static const struct xfn_option options[] = {
	XFN_OPTION("cases", 'c', "FILE", XFN_TO_TEXT(struct options, cases),
		   "The cases (default: F.cases beside F.c)", .completes = ".cases"),
	XFN_OPTION("name", 'n', "CASE", XFN_TO_TEXT(struct options, only), "This case only"),
	XFN_OPTION_JSON(struct options, json),
	{}
};

static bool has_suffix(const char *path, const char *suffix)
{
	size_t len = strlen(path), n = strlen(suffix);

	return len > n && !strcmp(path + len - n, suffix);
}

/* The module of a source or module file. Until the verdict is freed its file may be needed. NULL:
 * said why. */
static struct xfn_module *open_module(const struct options *opts, const char *path,
				      struct xfn_verdict *v, json_t *all)
{
	char text[1024], out[sizeof(v->folder) + 16];
	struct xfn_error err = { 0 };
	struct xfn_module *mod = NULL;
	int ret;

	if (!has_suffix(path, ".c")) {
		mod = xfn_module__open(path, &err);
	} else {
		ret = xfn_classify(path, v, &err);
		if (!ret && v->refusal.fatal) {
			xfn_verdict__sentence(v, text, sizeof(text));
			xfn_output__fail_one(all, "test", opts->json, XFN_EXIT_FAILED, "%s: %s",
					     path, text);
			return NULL;
		}
		snprintf(out, sizeof(out), "%s/module.xfn", v->folder);
		ret = ret ?: xfn_verdict__write(v, out, &err);
		mod = ret ? NULL : xfn_module__open(out, &err);
	}
	if (!mod)
		xfn_output__fail_one(all, "test", opts->json, XFN_EXIT_FAILED, "%s", err.line);
	return mod;
}

/* F.cases beside F.c; of a module beside it, or beside its source. */
static void find_cases(const char *path, const struct xfn_module *mod, char *out, size_t len)
{
	const char *places[] = { path, mod->meta.file, path };

	for (unsigned i = 0; i < 3; i++) {
		const char *dot = strrchr(places[i], '.') ?: places[i] + strlen(places[i]);

		snprintf(out, len, "%.*s.cases", (int)(dot - places[i]), places[i]);
		if (!access(out, F_OK))
			return;
	}
}

static const uint8_t *payload(const struct xfn_outcome *o)
{
	return o->frame + o->payload_off;
}

static void describe(const struct xfn_outcome *o, char *text, size_t len)
{
	if (o->action == XFN_REPLY)
		snprintf(text, len, "reply of %u bytes", o->payload_len);
	else
		snprintf(text, len, "%s%s%s", xfn_cases__action(o->action), o->reason ? " " : "",
			 o->reason ? xfn_reason_texts[o->reason].name : "");
}

/* Does it do what the case expects? Else why, and *at is the byte of the reply, -1 none. */
static bool as_expected(const struct xfn_case *c, const struct xfn_outcome *o, char *why,
			size_t len, long *at)
{
	char got[64];

	*at = -1;
	describe(o, got, sizeof(got));
	if (o->action != c->action || (c->reason && c->reason != o->reason)) {
		snprintf(why, len, "expected %s%s%s, got %s", xfn_cases__action(c->action),
			 c->reason ? " " : "", c->reason ? xfn_reason_texts[c->reason].name : "",
			 got);
		return false;
	}
	if (c->sized && (o->payload_len < c->len_min || o->payload_len > c->len_max)) {
		char range[24];

		if (c->len_min == c->len_max)
			snprintf(range, sizeof(range), "%u", c->len_min);
		else
			snprintf(range, sizeof(range), "%u-%u", c->len_min, c->len_max);
		snprintf(why, len, "expected a reply of %s bytes, got %s", range, got);
		return false;
	}
	if (c->exact || c->prefix)
		*at = xfn_case_bytes__differ(&c->reply, c->prefix, payload(o), o->payload_len);
	if (*at < 0)
		return true;
	snprintf(why, len, "its reply differs from byte %ld on (expected %s%zu bytes, got %u)", *at,
		 c->prefix ? "at least " : "", c->reply.len, o->payload_len);
	return false;
}

/* Do both targets do the same, headers included? */
static bool alike(const struct xfn_outcome *native, const struct xfn_outcome *kernel, char *why,
		  size_t len)
{
	char a[64], b[64];

	describe(native, a, sizeof(a));
	describe(kernel, b, sizeof(b));
	if (native->action != kernel->action || native->reason != kernel->reason ||
	    native->frame_len != kernel->frame_len) {
		snprintf(why, len, "differs from the native half: %s there, %s here", a, b);
		return false;
	}
	/* the payload first: its checksum stands before it */
	for (uint32_t n = 0; n < native->frame_len; n++) {
		uint32_t i = (n + native->payload_off) % native->frame_len;
		bool in_payload = i >= native->payload_off;

		if (native->frame[i] == kernel->frame[i])
			continue;
		snprintf(why, len, "its %s differ from the native half's at byte %u",
			 in_payload ? "reply's bytes" : "frame's headers",
			 in_payload ? i - native->payload_off : i);
		return false;
	}
	return true;
}

/* Rows of bytes that differ: offset, expected, got. */
static void print_difference(const struct xfn_case *c, const struct xfn_outcome *o, long from)
{
	size_t want = c->reply.len, got = o->payload_len;
	size_t end = c->prefix || want > got ? want : got;
	unsigned rows = 0;

	printf("        %-6s  %-*s  got\n", "offset", 3 * ROW, "expected");
	for (size_t off = (size_t)from / ROW * ROW; off < end; off += ROW) {
		bool differs = false;

		for (size_t i = off; i < off + ROW && i < end; i++)
			differs |= i >= want || i >= got ||
				   (!c->reply.any[i] && c->reply.data[i] != payload(o)[i]);
		if (!differs)
			continue;
		if (rows++ == ROWS_MAX) {
			puts("        ...");
			return;
		}
		printf("        %06zx  ", off);
		for (size_t i = off; i < off + ROW; i++)
			if (i >= want)
				printf("   ");
			else if (c->reply.any[i])
				printf("?? ");
			else
				printf("%02x ", c->reply.data[i]);
		putchar(' ');
		for (size_t i = off; i < off + ROW && i < got; i++)
			printf(" %02x", payload(o)[i]);
		putchar('\n');
	}
}

static json_t *as_json(const struct xfn_case *c, const struct xfn_outcome *o, const char *target,
		       const char *result, const char *why)
{
	json_t *row = json_pack("{s:s, s:s, s:i, s:s}", "target", target, "case", c->name, "line",
				(int)c->line, "result", result);

	if (*why)
		json_object_set_new(row, "why", xfn_control__text(why));
	if (!o->ran)
		return row;
	json_object_set_new(row, "action", json_string(xfn_cases__action(o->action)));
	json_object_set_new(row, "reason",
			    json_string(o->reason ? xfn_reason_texts[o->reason].name : ""));
	if (o->action == XFN_REPLY) {
		char *hex = xfn_output__hex(payload(o), o->payload_len);

		json_object_set_new(row, "reply", json_string(hex));
		free(hex);
	}
	return row;
}

/* Judge one case on one target; `other` is the native outcome where this one is the kernel's. */
static void judge(const struct xfn_case *c, const struct xfn_outcome *o,
		  const struct xfn_outcome *other, struct tally *tally)
{
	const char *target = other ? "kernel" : "native", *result = "passed";
	char why[256] = "";
	long at = -1;

	if (!o->ran) {
		snprintf(why, sizeof(why), "%s", o->trouble);
		result = strncmp(why, "native only", 11) ? "failed" : "skipped";
	} else if (!as_expected(c, o, why, sizeof(why), &at) ||
		   (other && other->ran && !alike(other, o, why, sizeof(why)))) {
		result = "failed";
	}
	tally->passed += !strcmp(result, "passed");
	tally->failed += !strcmp(result, "failed");
	if (tally->rows) {
		json_array_append_new(tally->rows, as_json(c, o, target, result, why));
		return;
	}
	if (!strcmp(result, "passed"))
		printf("%s  %-*s  ok\n", target, tally->width, c->name);
	else if (!strcmp(result, "skipped"))
		printf("%s  %-*s  - %s\n", target, tally->width, c->name, why);
	else
		printf("%s  %-*s  FAILED (line %u): %s\n", target, tally->width, c->name, c->line,
		       why);
	if (at >= 0)
		print_difference(c, o, at);
}

static int report(const struct options *opts, const struct xfn_module *mod, const char *path,
		  const struct xfn_cases *cases, const struct xfn_outcomes *out, json_t *all)
{
	bool both = !out->native_only[0];
	struct tally tally = { .rows = opts->json ? json_array() : NULL };

	if (!opts->json)
		printf("%s: %s%s%s\n", mod->attr.name, path,
		       both ? "" : ", native only: ", out->native_only);
	for (unsigned i = 0; i < cases->count; i++)
		if ((int)strlen(cases->list[i].name) > tally.width)
			tally.width = (int)strlen(cases->list[i].name);
	for (unsigned i = 0; i < cases->count; i++) {
		const struct xfn_case *c = &cases->list[i];

		if (opts->only && strcmp(opts->only, c->name))
			continue;
		judge(c, &out->native[i], NULL, &tally);
		if (both)
			judge(c, &out->kernel[i], &out->native[i], &tally);
	}
	if (opts->json)
		json_array_append_new(all,
				      json_pack("{s:s, s:o, s:o, s:i, s:i, s:o}", "name",
						mod->attr.name, "cases", xfn_control__text(path),
						"native_only", xfn_control__text(out->native_only),
						"passed", (int)tally.passed, "failed",
						(int)tally.failed, "results", tally.rows));
	else
		printf("%u passed, %u failed\n", tally.passed, tally.failed);
	return tally.failed ? XFN_EXIT_FAILED : 0;
}

static bool has_case(const struct xfn_cases *cases, const char *name)
{
	for (unsigned i = 0; i < cases->count; i++)
		if (!strcmp(cases->list[i].name, name))
			return true;
	return false;
}

static int test_one(const struct options *opts, const char *path, json_t *all)
{
	struct xfn_verdict *v = calloc(1, sizeof(*v));
	struct xfn_module *mod = v ? open_module(opts, path, v, all) : NULL;
	char file[PATH_MAX];
	struct xfn_error err = { "out of memory" };
	struct xfn_outcomes out = {};
	struct xfn_cases cases = {};
	int ret, status = XFN_EXIT_FAILED;

	if (!mod)
		goto out;
	snprintf(file, sizeof(file), "%s", opts->cases ?: "");
	if (!opts->cases)
		find_cases(path, mod, file, sizeof(file));
	ret = xfn_cases__read(file, &cases, &err);
	if (!ret && opts->only && !has_case(&cases, opts->only)) {
		xfn_error__set(&err, "%.200s: has no case '%.60s'; name one of it", file,
			       opts->only);
		ret = -ENOENT;
	}
	ret = ret ?: xfn_case_run(mod, &cases, opts->only, &out, &err);
	if (ret)
		xfn_output__fail_one(all, "test", opts->json, XFN_EXIT_FAILED, "%s", err.line);
	else
		status = report(opts, mod, file, &cases, &out, all);
out:
	xfn_case_run__free(&out);
	xfn_cases__free(&cases);
	xfn_module__close(mod);
	if (v)
		xfn_verdict__free(v);
	free(v);
	return status;
}

static int test(void *input, struct xfn_words files)
{
	const struct options *opts = input;
	json_t *all;
	int status = 0;

	if (opts->cases && files.count > 1)
		return xfn_output__fail("test", opts->json, XFN_EXIT_USAGE,
					"-c is one function's, but there are %u; leave it out",
					files.count);
	all = json_array();
	for (unsigned i = 0; i < files.count; i++)
		if (test_one(opts, files.word[i], all))
			status = XFN_EXIT_FAILED;
	xfn_output__all(all);
	return status;
}

XFN_VERB(test, struct options, options, test, .summary = "run a function's cases on both targets",
	 XFN_WORDS("F.c|MODULE.xfn...", 1, XFN_ANY_NUMBER, ".c .xfn",
		   "no function given; give F.c or MODULE.xfn"),
	 .doc = "Run a function's cases (F.cases, see xfn-cases(5)): natively in a sandbox like a "
		"worker's, and in the kernel where the function's tier is xdp and the caller may "
		"load BPF programs. Both must do what the case expects, and the same. No interface "
		"is touched.",
	 .notes = "Exit status 1 where a case failed or could not be run.",
	 .example = "xfn new hello && xfn test hello.c");
