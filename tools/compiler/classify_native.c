// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The native half: compile it, and look for what is wrong in every tier. An unchecked pointer or
 * one kept over xfn_resize is found by clang's static analyzer, which follows xfn.h's calls as the
 * native target implements them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "classify.h"
#include "classify_links.h"
#include "classify_object.h"
#include "classify_unset.h"
#include "../process/command.h"
#include "compiler.h"
#include "source_text.h"

struct place {
	char file[PATH_MAX];
	uint32_t line, column;
};

/* "FILE:LINE:", with or without a column, at the row's begin. */
static bool position(const char *row, size_t len, const char *source, struct place *out)
{
	size_t own = strlen(source);
	/* the source's own name may have one in it */
	const char *colon =
		!strncmp(row, source, own) && row[own] == ':' ? row + own : memchr(row, ':', len);
	char *end;

	if (!colon || (size_t)(colon - row) >= sizeof(out->file))
		return false;
	out->line = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || *end != ':')
		return false;
	out->column = strtoul(end + 1, NULL, 10);
	snprintf(out->file, sizeof(out->file), "%.*s", (int)(colon - row), row);
	return true;
}

bool xfn_classify__diagnostic(const char **at, const char *source, const char *kind,
			      struct xfn_diagnostic *out)
{
	static const char from[] = "In file included from ";
	char mark[24];
	struct place found;
	uint32_t included = 0;

	snprintf(mark, sizeof(mark), "%s: ", kind);
	while (**at) {
		const char *row = *at, *text;
		size_t len = strcspn(row, "\n");

		*at += len + (row[len] == '\n');
		if (!strncmp(row, from, sizeof(from) - 1)) {
			if (position(row + sizeof(from) - 1, len - (sizeof(from) - 1), source,
				     &found) &&
			    !strcmp(found.file, source))
				included = found.line;
			continue;
		}
		text = memmem(row, len, mark, strlen(mark));
		if (!text || !position(row, len, source, &found)) {
			if (!text || strncmp(row, mark, strlen(mark)))
				continue;
			found = (struct place){}; /* it has none */
		}
		text += strlen(mark);
		snprintf(out->text, sizeof(out->text), "%.*s", (int)(len - (text - row)), text);
		snprintf(out->file, sizeof(out->file), "%s", found.file);
		out->in_source = !strcmp(found.file, source);
		out->at = found.line;
		out->line = out->in_source ? found.line : included;
		out->column = out->in_source ? found.column : 0;
		return true;
	}
	return false;
}

bool xfn_classify__in_own_header(const struct xfn_diagnostic *d, const char *source)
{
	const char *slash = strrchr(source, '/');

	if (d->in_source || !d->line || !d->file[0])
		return false;
	return slash ? !strncmp(d->file, source, (size_t)(slash - source) + 1) : d->file[0] != '/';
}

void xfn_classify__place(const struct xfn_diagnostic *d, const char *source,
			 struct xfn_refusal *out)
{
	size_t len = strlen(out->reason);

	out->column = d->column;
	if (xfn_classify__in_own_header(d, source))
		snprintf(out->reason + len, sizeof(out->reason) - len, ", in %s:%u", d->file,
			 d->at);
}

static void common(struct xfn_arguments *a, const struct xfn_verdict *v)
{
	static const char *const flags[] = { XFN_FLAGS_BOTH,
					     XFN_FLAGS_ZEROES,
					     "-fPIC",
					     "-fvisibility=hidden",
					     "-DXFN_NATIVE",
					     "-Wall",
					     "-Werror=implicit-function-declaration",
					     "-Werror=return-type",
					     "-Werror=uninitialized",
					     "-Werror=constant-conversion",
					     "-fno-crash-diagnostics",
					     "-fno-color-diagnostics",
					     "-fno-caret-diagnostics" };

	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++)
		xfn_arguments__add(a, flags[i]);
	xfn_arguments__add(a, xfn_compiler__zeroes());
	xfn_arguments__add(a, "-include");
	xfn_arguments__add_path(a, "", v->support, "userspace/call/function_native.h");
	xfn_arguments__add_path(a, "-I", v->support, "functions");
}

/* The first warning of the analyzer that is about pointers of ours, at the author's own line. */
static void read_analysis(const char *said, const char *source, struct xfn_verdict *v)
{
	static const struct {
		const char *text;
		enum xfn_rule rule;
		bool anywhere; /* also on a path without a call of xfn.h */
	} findings[] = {
		{ "of memory after it is", XFN_RULE_stale_pointer, false },
		{ "null pointer", XFN_RULE_unchecked_pointer, false },
		{ "Null pointer", XFN_RULE_unchecked_pointer, false },
		{ "exceeds upper limit", XFN_RULE_out_of_bounds, true },
		{ "after the end of", XFN_RULE_out_of_bounds, true }, /* clang 19 */
		{ "accesses out-of-bound", XFN_RULE_out_of_bounds, true },
		{ "overflows the destination", XFN_RULE_out_of_bounds, true },
		{ "Division by zero", XFN_RULE_division_by_zero, true },
	};
	const char *at = said;
	struct xfn_diagnostic found, note;

	while (!v->refusal.rule[0] && xfn_classify__diagnostic(&at, source, "warning", &found)) {
		const char *notes = at, *end = strstr(at, "warning: ");
		uint32_t line = found.in_source ? found.line : 0, column = found.column;
		bool ours = false; /* the path leads through a call of xfn.h */

		while (xfn_classify__diagnostic(&notes, source, "note", &note) &&
		       (!end || notes < end)) {
			ours |= strstr(note.text, "'xfn_") != NULL;
			/* Found inside such a call: the author's line is the last step in the
			 * source. */
			if (!found.in_source && note.in_source) {
				line = note.line;
				column = note.column;
			}
		}
		for (unsigned i = 0; line && i < ARRAY_SIZE(findings); i++)
			if (strstr(found.text, findings[i].text) &&
			    (ours || findings[i].anywhere)) {
				xfn_refusal__set(&v->refusal, findings[i].rule, NULL, source, line);
				v->refusal.column = column;
				break;
			}
	}
}

/* The compiler's major version; 0: it does not say. */
static unsigned version(const struct xfn_verdict *v)
{
	const char *at = strstr(v->meta.compiler, "version ");

	return at ? strtoul(at + strlen("version "), NULL, 10) : 0;
}

/* What the libraries want of a compiler that links nothing. */
static void add_includes(struct xfn_arguments *a, const struct xfn_arguments *links)
{
	for (unsigned i = 0; i < links->count; i++)
		if (!strncmp(links->argv[i], "-I", 2) || !strncmp(links->argv[i], "-D", 2))
			xfn_arguments__add(a, links->argv[i]);
}

static void add_all(struct xfn_arguments *a, const char *const words[])
{
	for (; *words; words++)
		xfn_arguments__add(a, *words);
}

/* clang on the native half, with these words more. As xfn_command__run. */
static int run_clang(const char *source, const struct xfn_verdict *v,
		     const struct xfn_arguments *links, const char *const words[], char **said)
{
	struct xfn_arguments a = {};
	int ret;

	xfn_arguments__add(&a, xfn_command__clang());
	common(&a, v);
	add_all(&a, words);
	add_includes(&a, links);
	xfn_arguments__add(&a, source);
	ret = xfn_command__run(a.argv, said);
	xfn_arguments__free(&a);
	return ret;
}

static int analyze(const char *source, struct xfn_verdict *v, struct xfn_arguments *links,
		   struct xfn_error *err)
{
	const char *const words[] = {
		"--analyze", "-Xclang", "-analyzer-output=text",
		/* xfn_at returns NULL on purpose: that path is the one to follow */
		"-Xclang", "-analyzer-config", "-Xclang", "suppress-null-return-paths=false",
		"-Xclang",
		/* clang 21 gave the checker another name */
		version(v) < 21 ?
			"-analyzer-checker=alpha.security.ArrayBoundV2,alpha.unix.cstring.OutOfBounds" :
			"-analyzer-checker=security.ArrayBound,alpha.unix.cstring.OutOfBounds",
		NULL
	};
	char *said;
	int ret = run_clang(source, v, links, words, &said);

	ret = xfn_compiler__fault(ret, said, err);
	if (ret) {
		free(said);
		return ret;
	}
	read_analysis(said, source, v);
	if (v->refusal.rule[0])
		v->log = said;
	else
		free(said);
	return 0;
}

/*
 * The structs of all headers that have padding: added to *warnings, which the caller frees. The
 * compiler lays a struct out for code only.
 */
static int find_padded(const char *source, struct xfn_verdict *v, struct xfn_arguments *links,
		       const char *warnings, char **all, struct xfn_error *err)
{
	const char *const words[] = { XFN_UNSET_PADDED, "-S", "-o", "/dev/null", NULL };
	char *said = NULL;
	int ret = run_clang(source, v, links, words, &said);

	ret = xfn_compiler__no_tree(ret, said, err);
	if (!ret && asprintf(all, "%s\n%s", warnings, said) < 0) {
		*all = NULL;
		xfn_error__set(err, "out of memory; free some");
		ret = -ENOMEM;
	}
	free(said);
	return ret;
}

/* What the function sends that nobody has set. `warnings`: the compiler's. */
static int find_unset(const char *source, struct xfn_verdict *v, struct xfn_arguments *links,
		      const char *warnings, struct xfn_error *err)
{
	char *said = NULL, *all = NULL, list[sizeof(v->folder) + 16];
	const char *const words[] = { XFN_UNSET_TREE, NULL };
	int ret = run_clang(source, v, links, words, &said);

	snprintf(list, sizeof(list), "%s/native.d", v->folder);
	ret = xfn_compiler__no_tree(ret, said, err);
	/* most functions make no such thing, and need not be compiled once more */
	if (!ret && (strstr(said, "CompoundLiteralExpr") || strstr(warnings, "pass-by-value")))
		ret = find_padded(source, v, links, warnings, &all, err);
	ret = ret ?: xfn_classify__unset(source, list, all ?: warnings, said, v, err);
	free(all);
	free(said);
	return ret;
}

/* The native half in the compiler's own language; `places`: as written, with the line of each
 * instruction, else optimized. *ir NULL: it cannot be had; the caller frees. 0, or -errno with err:
 * the host failed. */
static int emit(const char *source, const struct xfn_verdict *v, const struct xfn_arguments *links,
		bool places, char **ir, struct xfn_error *err)
{
	const char *const words[] = {
		"-w", places ? "-O0" : "-O1", places ? "-g" : "-g0", "-S", "-emit-llvm", "-o", "-",
		NULL
	};
	int ret = run_clang(source, v, links, words, ir), fault;

	fault = xfn_compiler__fault(ret, *ir, err);
	if (ret) {
		free(*ir);
		*ir = NULL;
	}
	return fault;
}

/* Is it an action that cannot be served? ctx: the attributes. */
static bool bad_action(int value, void *ctx)
{
	const struct xfn_attributes *attr = ctx;

	return value < 0 || value > XFN_PASS ||
	       (value == XFN_PASS && attr->fallback != XFN_FALLBACK_HOST);
}

/* Values that the compiler knows to be returned: what is no action would be dropped, always. */
static int judge_actions(const char *source, struct xfn_verdict *v,
			 const struct xfn_arguments *links, struct xfn_error *err)
{
	char *ir = NULL, text[200] = "";
	enum xfn_rule rule;
	uint32_t line = 0;
	int value, ret = emit(source, v, links, false, &ir, err);

	if (ir && xfn_classify__returns(ir, bad_action, &v->attr, &value)) {
		free(ir);
		ret = emit(source, v, links, true, &ir, err);
		if (ir)
			line = xfn_classify__returned_at(ir, source, value);
		rule = value == XFN_PASS ? XFN_RULE_pass_without_host :
		       value == XFN_PUNT ? XFN_RULE_punt_without_slow :
					   XFN_RULE_bad_action;
		if (rule == XFN_RULE_bad_action)
			snprintf(text, sizeof(text), "returns %d, which is no action", value);
		xfn_refusal__set(&v->refusal, rule, *text ? text : NULL, source,
				 line ?: xfn_source_text__find(source, "XFN_FUNCTION", false));
	}
	free(ir);
	return ret;
}

/* What the compiler said of a native half that is none. */
static void judge_error(const char *source, const char *said, struct xfn_verdict *v)
{
	struct xfn_diagnostic found = {};
	const char *at = said;
	char text[384];

	if (!xfn_classify__diagnostic(&at, source, "error", &found))
		snprintf(found.text, sizeof(found.text), "%.*s", (int)strcspn(said, "\n"), said);
	if (strstr(found.text, "redefinition of 'xfn_attributes'"))
		snprintf(text, sizeof(text), "defines a second function, and a source has one");
	else
		snprintf(text, sizeof(text), "does not compile: %.300s", found.text);
	xfn_refusal__set(&v->refusal, XFN_RULE_native_error, text, source, found.line);
	xfn_classify__place(&found, source, &v->refusal);
}

/* The linker's warnings of what is nowhere: a worker could not load it. It has xfn.h's itself. */
static void judge_symbols(const char *source, const char *said, struct xfn_verdict *v)
{
	static const char missing[] = "undefined reference to `";
	char name[200], text[384];

	while (!v->refusal.rule[0] && (said = strstr(said, missing))) {
		said += strlen(missing);
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(said, "'\n"), said);
		snprintf(text, sizeof(text),
			 "uses %s, which neither it nor a library named by XFN_LINK has", name);
		if (strncmp(name, "xfn_", 4))
			xfn_refusal__set(&v->refusal, XFN_RULE_native_error, text, source,
					 xfn_source_text__find(source, name, true));
	}
}

/* Compile and link the shared object; as xfn_command__run. */
static int compile(const char *source, const char *so, const struct xfn_arguments *links,
		   const struct xfn_verdict *v, char **said)
{
	struct xfn_arguments a = {};
	int ret;

	/* the object that the linker is to take is removed with the rest */
	xfn_arguments__add(&a, "env");
	xfn_arguments__add_path(&a, "TMPDIR=", v->folder, "");
	xfn_arguments__add(&a, xfn_command__clang());
	common(&a, v);
	xfn_arguments__add(&a, "-shared");
	add_all(&a, (const char *const[]){ XFN_UNSET_WARNINGS, NULL });
	xfn_arguments__add(&a, "-MD");
	xfn_arguments__add(&a, "-MF");
	xfn_arguments__add_path(&a, "", v->folder, "native.d");
	/* what is nowhere a worker could not load: told, and judged below */
	xfn_arguments__add(&a, "-Wl,-z,defs,--warn-unresolved-symbols");
	xfn_arguments__add(&a, source);
	xfn_arguments__add(&a, "-o");
	xfn_arguments__add(&a, so);
	for (unsigned i = 0; i < links->count; i++)
		xfn_arguments__add(&a, links->argv[i]);
	xfn_arguments__add(
		&a, "-Wl,--as-needed"); /* of the C library too, and pkg-config does not know it */
	xfn_arguments__add(&a, "-lm");
	ret = xfn_command__run(a.argv, said);
	xfn_arguments__free(&a);
	return ret;
}

/* An access outside of an array, of which the compiler only warns. */
static void judge_warnings(const char *source, const char *said, struct xfn_verdict *v)
{
	struct xfn_diagnostic found = {};
	char text[384];

	while (xfn_classify__diagnostic(&said, source, "warning", &found)) {
		if (!strstr(found.text, "array index"))
			continue;
		snprintf(text, sizeof(text), "accesses an array outside its bounds: %.250s",
			 found.text);
		xfn_refusal__set(&v->refusal, XFN_RULE_out_of_bounds, text, source, found.line);
		v->refusal.column = found.column;
		return;
	}
}

int xfn_classify__native(const char *source, struct xfn_verdict *v, struct xfn_error *err)
{
	struct xfn_arguments links = {};
	char so[sizeof(v->folder) + 16];
	char *said = NULL;
	int ret, fault;

	snprintf(so, sizeof(so), "%s/native.so", v->folder);
	ret = xfn_classify__links(source, v, &links, err);
	if (ret || v->refusal.rule[0]) {
		xfn_arguments__free(&links);
		return ret;
	}
	ret = compile(source, so, &links, v, &said);
	fault = xfn_compiler__fault(ret, said, err);
	if (fault) {
		ret = fault;
	} else if (ret) {
		judge_error(source, said, v);
		ret = 0;
	} else if (xfn_classify__attributes(so, &v->attr, &v->counters)) {
		xfn_refusal__set(&v->refusal, XFN_RULE_native_error,
				 "defines no function: XFN_FUNCTION is missing", source, 1);
	} else {
		xfn_classify__native_object(source, so, v);
		if (!v->refusal.rule[0])
			judge_warnings(source, said, v);
		if (!v->refusal.rule[0])
			judge_symbols(source, said, v);
		if (!v->refusal.rule[0])
			ret = analyze(source, v, &links, err);
		if (!ret && !v->refusal.rule[0])
			ret = find_unset(source, v, &links, said, err);
		if (!ret && !v->refusal.rule[0])
			ret = judge_actions(source, v, &links, err);
	}
	if (v->refusal.rule[0] && !v->log)
		v->log = said;
	else
		free(said);
	xfn_arguments__free(&links);
	return ret;
}
