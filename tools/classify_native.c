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
#include "classify.h"
#include "command.h"

#define ARGS_MAX 128

uint32_t xfn_classify__find_word(const char *source, const char *word, bool last)
{
	FILE *f = fopen(source, "re");
	uint32_t line = 0, found = 0;
	char row[1024];

	while (f && (last || !found) && fgets(row, sizeof(row), f)) {
		line++;
		/* a comment's line is none of code */
		if (strchr("/*", row[strspn(row, " \t")]))
			continue;
		for (char *at = row; (at = strstr(at, word)); at += strlen(word)) {
			char before = at > row ? at[-1] : ' ', after = at[strlen(word)];

			if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
				    before) &&
			    !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
				    after))
				found = line;
		}
	}
	if (f)
		fclose(f);
	return found;
}

/* "FILE:LINE:", with or without a column, at the row's begin. */
static bool position(const char *row, size_t len, char *file, size_t filelen, uint32_t *line,
		     uint32_t *column)
{
	const char *colon = memchr(row, ':', len);
	char *end;

	if (!colon || (size_t)(colon - row) >= filelen)
		return false;
	*line = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || *end != ':')
		return false;
	*column = strtoul(end + 1, NULL, 10);
	snprintf(file, filelen, "%.*s", (int)(colon - row), row);
	return true;
}

bool xfn_classify__diagnostic(const char **at, const char *source, const char *kind,
			      struct xfn_diagnostic *out)
{
	static const char from[] = "In file included from ";
	char mark[24], file[PATH_MAX];
	uint32_t line, column = 0, included = 0;

	snprintf(mark, sizeof(mark), "%s: ", kind);
	while (**at) {
		const char *row = *at, *text;
		size_t len = strcspn(row, "\n");

		*at += len + (row[len] == '\n');
		if (!strncmp(row, from, sizeof(from) - 1)) {
			if (position(row + sizeof(from) - 1, len, file, sizeof(file), &line,
				     &column) &&
			    !strcmp(file, source))
				included = line;
			continue;
		}
		text = memmem(row, len, mark, strlen(mark));
		if (!text || !position(row, len, file, sizeof(file), &line, &column)) {
			if (text && !strncmp(row, mark, strlen(mark))) /* without a place */
				file[0] = 0, line = column = 0;
			else
				continue;
		}
		text += strlen(mark);
		snprintf(out->text, sizeof(out->text), "%.*s", (int)(len - (text - row)), text);
		snprintf(out->file, sizeof(out->file), "%s", file);
		out->in_source = !strcmp(file, source);
		out->line = out->in_source ? line : included;
		out->column = out->in_source ? column : 0;
		return true;
	}
	return false;
}

struct arguments {
	char *argv[ARGS_MAX];
	unsigned count;
	char *owned[ARGS_MAX]; /* to be freed */
	unsigned owned_count;
};

static void add(struct arguments *a, const char *arg)
{
	if (a->count < ARGS_MAX - 1)
		a->argv[a->count++] = (char *)arg;
}

static void add_path(struct arguments *a, const char *flag, const char *dir, const char *rest)
{
	char *arg;

	if (a->owned_count == ARGS_MAX || asprintf(&arg, "%s%s/%s", flag, dir, rest) < 0)
		return;
	a->owned[a->owned_count++] = arg;
	add(a, arg);
}

static void free_arguments(struct arguments *a)
{
	for (unsigned i = 0; i < a->owned_count; i++)
		free(a->owned[i]);
}

/* Flags of one XFN_LINK requirement. */
static int link_flags(const char *requirement, struct arguments *a, char **why)
{
	char *const argv[] = { (char *)"pkg-config",	 (char *)"--cflags",  (char *)"--libs",
			       (char *)"--print-errors", (char *)requirement, NULL };
	char *said, *save = NULL;
	int ret = xfn_command__run(argv, &said);

	if (ret) {
		*why = said;
		return ret < 0 ? ret : -ENOENT;
	}
	for (char *word = strtok_r(said, " \t\n", &save); word;
	     word = strtok_r(NULL, " \t\n", &save))
		add(a, word);
	if (a->owned_count < ARGS_MAX)
		a->owned[a->owned_count++] = said;
	return 0;
}

/* Every XFN_LINK("...") of the source; a library that is missing is the author's first obstacle. */
static int all_links(const char *source, struct xfn_verdict *v, struct arguments *a)
{
	FILE *f = fopen(source, "re");
	uint32_t line = 0;
	char row[1024];

	while (f && !v->refusal.rule[0] && fgets(row, sizeof(row), f)) {
		char *at = row + strspn(row, " \t"), *begin, *end, *why = NULL;

		line++;
		if (strncmp(at, "XFN_LINK", 8) || !(begin = strchr(at, '"')) ||
		    !(end = strchr(begin + 1, '"')))
			continue;
		*end = 0;
		if (link_flags(begin + 1, a, &why)) {
			char text[300];

			snprintf(text, sizeof(text),
				 "wants the library %s, which is not installed here", begin + 1);
			xfn_refusal__set(&v->refusal, XFN_RULE_missing_library, text, source, line);
			v->log = why;
		}
	}
	if (f)
		fclose(f);
	return 0;
}

static void common(struct arguments *a, const struct xfn_verdict *v)
{
	static const char *const flags[] = { "-O2",
					     "-g",
					     "-fPIC",
					     "-fvisibility=hidden",
					     "-DXFN_NATIVE",
					     "-fno-delete-null-pointer-checks",
					     "-fwrapv",
					     "-fsigned-char",
					     "-Wall",
					     "-Werror=implicit-function-declaration",
					     "-Werror=return-type",
					     "-Werror=uninitialized",
					     "-Werror=constant-conversion",
					     "-fno-color-diagnostics",
					     "-fno-caret-diagnostics" };

	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		add(a, flags[i]);
	add(a, "-include");
	add_path(a, "", v->support, "userspace/function_native.h");
	add_path(a, "-I", v->support, "functions");
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
		for (unsigned i = 0; line && i < sizeof(findings) / sizeof(findings[0]); i++)
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

static int analyze(const char *source, struct xfn_verdict *v, struct arguments *links, char *err,
		   size_t errlen)
{
	struct arguments a = {};
	char *said;
	int ret;

	add(&a, xfn_command__clang());
	add(&a, "--analyze");
	add(&a, "-Xclang");
	add(&a, "-analyzer-output=text");
	/* xfn_at returns NULL on purpose: that path is the one to follow */
	add(&a, "-Xclang");
	add(&a, "-analyzer-config");
	add(&a, "-Xclang");
	add(&a, "suppress-null-return-paths=false");
	add(&a, "-Xclang");
	/* clang 21 gave the checker another name */
	add(&a,
	    version(v) < 21 ?
		    "-analyzer-checker=alpha.security.ArrayBoundV2,alpha.unix.cstring.OutOfBounds" :
		    "-analyzer-checker=security.ArrayBound,alpha.unix.cstring.OutOfBounds");
	common(&a, v);
	for (unsigned i = 0; i < links->count; i++)
		if (!strncmp(links->argv[i], "-I", 2) || !strncmp(links->argv[i], "-D", 2))
			add(&a, links->argv[i]);
	add(&a, source);
	ret = xfn_command__run(a.argv, &said);
	free_arguments(&a);
	if (ret < 0) {
		snprintf(err, errlen, "cannot run %s: %s", xfn_command__clang(), strerror(-ret));
		return ret;
	}
	read_analysis(said, source, v);
	if (v->refusal.rule[0])
		v->log = said;
	else
		free(said);
	return 0;
}

/* The section's bytes of the shared object, as compiled from XFN_FUNCTION; and how many
 * XFN_COUNTERs it has. */
static int read_attributes(const char *so, struct xfn_attributes *attr, unsigned *counters)
{
	int fd = open(so, O_RDONLY | O_CLOEXEC), ret = -ENOENT;
	Elf *elf = fd >= 0 && elf_version(EV_CURRENT) ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf && !elf_getshdrstrndx(elf, &names))
		while ((scn = elf_nextscn(elf, scn))) {
			GElf_Shdr head;
			Elf_Data *data = elf_getdata(scn, NULL);
			const char *name = gelf_getshdr(scn, &head) ?
						   elf_strptr(elf, names, head.sh_name) :
						   NULL;

			if (name && !strcmp(name, "xfn_counters"))
				*counters = head.sh_size / sizeof(void *);
			if (!name || strcmp(name, XFN_SECTION_ATTR) || !data ||
			    data->d_size != sizeof(*attr))
				continue;
			memcpy(attr, data->d_buf, sizeof(*attr));
			ret = 0;
		}
	if (elf)
		elf_end(elf);
	if (fd >= 0)
		close(fd);
	return ret;
}

int xfn_classify__native(const char *source, struct xfn_verdict *v, char *err, size_t errlen)
{
	struct arguments a = {}, links = {};
	struct xfn_diagnostic found = {};
	char so[sizeof(v->folder) + 16];
	const char *at;
	char *said = NULL;
	int ret;

	snprintf(so, sizeof(so), "%s/native.so", v->folder);
	all_links(source, v, &links);
	if (v->refusal.rule[0]) {
		free_arguments(&links);
		return 0;
	}
	add(&a, xfn_command__clang());
	common(&a, v);
	add(&a, "-shared");
	add(&a, source);
	add(&a, "-o");
	add(&a, so);
	for (unsigned i = 0; i < links.count; i++)
		add(&a, links.argv[i]);
	ret = xfn_command__run(a.argv, &said);
	free_arguments(&a);
	at = said;
	if (ret < 0) {
		snprintf(err, errlen, "cannot run %s: %s", xfn_command__clang(), strerror(-ret));
	} else if (ret) {
		if (!xfn_classify__diagnostic(&at, source, "error", &found))
			snprintf(found.text, sizeof(found.text), "%.*s", (int)strcspn(said, "\n"),
				 said);
		snprintf(err, errlen, "does not compile: %.300s", found.text);
		xfn_refusal__set(&v->refusal, XFN_RULE_native_error, err, source, found.line);
		v->refusal.column = found.column;
		ret = 0;
	} else if (read_attributes(so, &v->attr, &v->counters)) {
		xfn_refusal__set(&v->refusal, XFN_RULE_native_error,
				 "defines no function: XFN_FUNCTION is missing", source, 1);
	} else {
		while (xfn_classify__diagnostic(&at, source, "warning", &found))
			if (strstr(found.text, "array index")) {
				snprintf(err, errlen,
					 "accesses an array outside its bounds: %.250s",
					 found.text);
				xfn_refusal__set(&v->refusal, XFN_RULE_out_of_bounds, err, source,
						 found.line);
				v->refusal.column = found.column;
				break;
			}
		if (!v->refusal.rule[0])
			ret = analyze(source, v, &links, err, errlen);
	}
	if (v->refusal.rule[0] && !v->log)
		v->log = said;
	else
		free(said);
	free_arguments(&links);
	return ret;
}
