// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The kernel half: compile it, look at its object, load it into this kernel's verifier. The native
 * half compiles by now, so what goes wrong here is too much for the kernel, with few exceptions.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "../../skel/trial.h"
#include "classify.h"
#include "classify_object.h"
#include "classify_unset.h"
#include "../process/command.h"
#include "compiler.h"
#include "source_text.h"

/* 'name' between the first pair of quotes. */
static void quoted(const char *text, char *name, size_t len)
{
	const char *begin = strchr(text, '\''), *end = begin ? strchr(begin + 1, '\'') : NULL;

	snprintf(name, len, "%.*s", end ? (int)(end - begin - 1) : 0, end ? begin + 1 : "");
}

/* Is line `number` of the source a declaration of an array? */
static bool declares_array(const char *source, uint32_t number)
{
	char *row = xfn_source_text__row(source, number);
	bool yes = row && strchr(row, '[') && (strchr(row, ';') || strchr(row, '=')) &&
		   !strchr(row, '(');

	free(row);
	return yes;
}

/* The size-suffixed names of compiler-rt's float routines: __adddf3, __floatunsidf, __fixsfsi ...
 */
static bool is_float_routine(const char *name)
{
	return !strncmp(name, "__", 2) && (strstr(name, "df") || strstr(name, "sf") ||
					   strstr(name, "tf") || strstr(name, "xf"));
}

/*
 * Does line `number` copy a length that is written there: as a call's number, or as a struct that
 * is assigned whole?
 */
static bool constant_length(const char *source, uint32_t number)
{
	char *row = xfn_source_text__row(source, number);
	const char *comma = row ? strrchr(row, ',') : NULL;
	bool yes;

	if (comma) {
		comma += 1 + strspn(comma + 1, " \t");
		yes = isdigit(*comma) || !strncmp(comma, "sizeof", 6);
	} else { /* "*to++ = *from++" and "to[i] = from[i]" are loops */
		yes = row && strstr(row, " = ") && !strchr(row, '[') && !strstr(row, "++") &&
		      !strstr(row, "mem");
	}
	free(row);
	return yes;
}

/* A copy that became a call: of what, and why? */
static enum xfn_rule judge_copy(const char *source, uint32_t line)
{
	if (declares_array(source, line))
		return XFN_RULE_stack_limit;
	return constant_length(source, line) ? XFN_RULE_large_copy : XFN_RULE_variable_access;
}

/* clang's words that name the obstacle by themselves. */
static const struct {
	const char *text;
	enum xfn_rule rule;
} words[] = {
	{ "file not found", XFN_RULE_host_header },
	{ "floating point", XFN_RULE_floating_point },
	{ "stack limit", XFN_RULE_stack_limit },
	{ "dynamic stack allocation", XFN_RULE_variable_stack },
	{ " = sdiv ", XFN_RULE_signed_division },
	{ " = srem ", XFN_RULE_signed_division },
	{ "signed division", XFN_RULE_signed_division },
	{ "in asm", XFN_RULE_inline_asm },
	{ "in inline asm", XFN_RULE_inline_asm },
	{ "inline assembly", XFN_RULE_inline_asm },
	{ "too many args", XFN_RULE_calling_convention },
	{ "] too many arguments", XFN_RULE_calling_convention },
	{ "stack arguments", XFN_RULE_calling_convention },
	{ "aggregate", XFN_RULE_calling_convention },
	{ "pass by value", XFN_RULE_calling_convention },
	{ "VarArgs", XFN_RULE_calling_convention },
	{ "variadic", XFN_RULE_calling_convention },
	{ "target out of", XFN_RULE_too_many_insns },
	{ "PLEASE submit a bug report", XFN_RULE_compiler_crash },
	{ "Cannot select", XFN_RULE_compiler_crash },
};

/* clang's first error -> rule. */
static void judge_error(const char *source, const struct xfn_diagnostic *d, struct xfn_verdict *v)
{
	enum xfn_rule rule = XFN_RULE_compiler_other;
	char name[128], text[384] = "";

	quoted(d->text, name, sizeof(name));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(d->text, words[i].text)) {
			xfn_refusal__set(&v->refusal, words[i].rule, NULL, source, d->line);
			xfn_classify__place(d, source, &v->refusal);
			return;
		}
	if (!d->in_source && d->line && !xfn_classify__in_own_header(d, source)) {
		rule = XFN_RULE_host_header;
	} else if (is_float_routine(name)) {
		rule = XFN_RULE_floating_point;
	} else if (!strncmp(name, "__", 2) && strstr(name, "ti")) { /* __multi3, __udivti3 */
		rule = XFN_RULE_wide_integer;
	} else if (strstr(d->text, "call to built-in function")) {
		rule = strncmp(name, "mem", 3) ? XFN_RULE_calls_unknown :
						 judge_copy(source, d->line);
	} else if (strstr(d->text, "implicit declaration") ||
		   strstr(d->text, "implicitly declaring") ||
		   strstr(d->text, "call to undeclared")) {
		rule = XFN_RULE_calls_unknown;
		snprintf(text, sizeof(text), "calls %s, which the kernel does not have", name);
	} else if (strstr(d->text, "undeclared") || strstr(d->text, "unknown type name")) {
		rule = XFN_RULE_calls_unknown;
		snprintf(text, sizeof(text), "uses %s, which only native code has", name);
	} else {
		snprintf(text, sizeof(text), "does not compile for the kernel: %.300s", d->text);
	}
	xfn_refusal__set(&v->refusal, rule, text[0] ? text : NULL, source, d->line);
	xfn_classify__place(d, source, &v->refusal);
}

/* The first array of varying length, at `line` or (0) anywhere. */
static bool find_varying(const char *said, const char *source, uint32_t line,
			 struct xfn_diagnostic *found)
{
	while (xfn_classify__diagnostic(&said, source, "warning", found))
		if ((strstr(found->text, "-Wvla") || strstr(found->text, "-Walloca")) &&
		    (!line || found->line == line))
			return true;
	return false;
}

/*
 * What clang 14's backend says at its end names no place in front: some of it is in the middle
 * ("..., FILE:LINE:COLUMN @["), for arrays of varying length there is a warning. Of those it says
 * first that it cannot clear them.
 */
static void place_backend_error(const char *said, const char *source, struct xfn_diagnostic *d)
{
	struct xfn_diagnostic warning;
	const char *at = d->line ? NULL : strstr(d->text, source);

	if (at && sscanf(at + strlen(source), ":%u:%u", &d->line, &d->column) >= 1)
		d->in_source = true;
	if (d->line && strstr(d->text, "'memset'") && find_varying(said, source, d->line, &warning))
		snprintf(d->text, sizeof(d->text), "dynamic stack allocation");
	if (!d->line && strstr(d->text, "dynamic stack") &&
	    find_varying(said, source, 0, &warning)) {
		d->line = warning.line;
		d->column = warning.column;
	}
}

/* What is only in the kernel half, and nobody has set. `warnings`: the compiler's. */
static int find_unset(const char *source, char *header, char *include, const char *warnings,
		      struct xfn_verdict *v, struct xfn_error *err)
{
	char *const argv[] = { XFN_COMPILER_BPF,
			       XFN_UNSET_TREE,
			       (char *)"-include",
			       header,
			       include,
			       (char *)source,
			       NULL };
	char *said, list[sizeof(v->folder) + 16];
	int ret = xfn_compiler__no_tree(xfn_command__run(argv, &said), said, err);

	snprintf(list, sizeof(list), "%s/kernel.d", v->folder);
	ret = ret ?: xfn_classify__unset(source, list, warnings, said, v, err);
	free(said);
	return ret;
}

static int compile(const char *source, const char *object, bool unroll, struct xfn_verdict *v,
		   struct xfn_error *err)
{
	char header[PATH_MAX + 32], include[PATH_MAX + 32], list[sizeof(v->folder) + 16];
	char *const argv[] = { XFN_COMPILER_BPF,
			       XFN_UNSET_WARNINGS,
			       (char *)"-Wvla",
			       (char *)"-Walloca",
			       (char *)(unroll ? "-funroll-loops" : "-fno-unroll-loops"),
			       (char *)"-include",
			       header,
			       include,
			       (char *)"-MD",
			       (char *)"-MF",
			       list,
			       (char *)"-c",
			       (char *)source,
			       (char *)"-o",
			       (char *)object,
			       NULL };
	struct xfn_diagnostic found = {};
	const char *at;
	char *said;
	int ret, fault;

	snprintf(header, sizeof(header), "%s/xdp/function_bpf.h", v->support);
	snprintf(include, sizeof(include), "-I%s/functions", v->support);
	snprintf(list, sizeof(list), "%s/kernel.d", v->folder);
	ret = xfn_command__run(argv, &said);
	fault = xfn_compiler__fault(ret, said, err);
	if (fault) {
		free(said);
		return fault;
	}
	at = said;
	if (ret) {
		if (!xfn_classify__diagnostic(&at, source, "error", &found) &&
		    !(at = said, xfn_classify__diagnostic(&at, source, "fatal error", &found)))
			snprintf(found.text, sizeof(found.text), "%.*s", (int)strcspn(said, "\n"),
				 said);
		place_backend_error(said, source, &found);
		judge_error(source, &found, v);
		v->log = said;
		return 0;
	}
	ret = find_unset(source, header, include, said, v, err);
	free(said);
	return ret;
}

static int read_object(const char *object, struct xfn_verdict *v)
{
	int fd = open(object, O_RDONLY | O_CLOEXEC), ret = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	v->bpf = malloc(st.st_size);
	v->bpf_len = st.st_size;
	if (!v->bpf || read(fd, v->bpf, st.st_size) != st.st_size)
		ret = -EIO;
	close(fd);
	return ret;
}

/* The licence that the author gives, over the usual one, in the object's bytes. */
static int put_licence(struct xfn_verdict *v, struct xfn_error *err)
{
	Elf *elf = elf_memory(v->bpf, v->bpf_len);
	Elf_Scn *scn = NULL;
	size_t names = 0;
	int ret = -ENOENT;

	if (!v->attr.licence[0])
		ret = 0;
	if (elf)
		elf_getshdrstrndx(elf, &names);
	while (ret && elf && (scn = elf_nextscn(elf, scn))) {
		const char *name;
		GElf_Shdr head;

		name = gelf_getshdr(scn, &head) ? elf_strptr(elf, names, head.sh_name) : NULL;
		if (!name || strcmp(name, "license") || head.sh_size < sizeof(v->attr.licence))
			continue;
		memcpy((char *)v->bpf + head.sh_offset, v->attr.licence, sizeof(v->attr.licence));
		ret = 0;
	}
	if (elf)
		elf_end(elf);
	if (ret)
		xfn_error__set(err, "the kernel half has no licence section to put .licence into");
	return ret;
}

/* Compile, and look at what was made. */
static int make(const char *source, bool unroll, struct xfn_verdict *v, struct xfn_error *err)
{
	char object[sizeof(v->folder) + 16];
	int ret;

	snprintf(object, sizeof(object), "%s/kernel.o", v->folder);
	ret = compile(source, object, unroll, v, err);
	if (ret || v->refusal.rule[0])
		return ret;
	xfn_classify__kernel_object(source, object, v);
	if (v->refusal.rule[0])
		return 0;
	ret = read_object(object, v);
	if (ret)
		return xfn_fail(err, ret, "%s: %s", object, strerror(-ret));
	return put_licence(v, err);
}

typedef int try_fn(const void *obj, size_t len, const char *source, struct xfn_trial *out,
		   struct xfn_error *err);

/* What the verifier says to what was made, if anything was. */
static int verify(const char *source, try_fn *try, struct xfn_verdict *v, struct xfn_error *err)
{
	struct xfn_trial trial = {};
	int ret = v->refusal.rule[0] ? 0 : try(v->bpf, v->bpf_len, source, &trial, err);

	if (ret || v->refusal.rule[0])
		return ret;
	v->meta.verified = trial.permitted;
	v->meta.insns = trial.insns;
	v->meta.verified_insns = trial.figures.processed;
	v->meta.stack_bytes = trial.figures.stack_bytes;
	if (trial.permitted && !trial.accepted)
		v->refusal = trial.refusal;
	v->log = trial.log;
	return 0;
}

static void start_anew(struct xfn_verdict *v, void *bpf, size_t len)
{
	free(v->log);
	v->log = NULL;
	v->bpf = bpf;
	v->bpf_len = len;
	memset(&v->refusal, 0, sizeof(v->refusal));
}

int xfn_classify__bpf(const char *source, struct xfn_verdict *v, struct xfn_error *err)
{
	int ret = make(source, true, v, err) ?: verify(source, xfn_trial__run_briefly, v, err);
	void *unrolled = v->bpf;
	size_t len = v->bpf_len;

	/*
	 * The verifier compares states where jumps meet: a loop as written has such places where an
	 * unrolled one has none, and a bitwise CRC is walked once per combination of its bits.
	 * Unrolled is the faster code, so it comes first, and its obstacle is the one that is told.
	 */
	if (ret || (strcmp(v->refusal.rule, "too_many_insns") &&
		    strcmp(v->refusal.rule, "unbounded_loop")))
		return ret;
	start_anew(v, NULL, 0);
	ret = make(source, false, v, err) ?: verify(source, xfn_trial__run_briefly, v, err);
	if (ret || !v->refusal.rule[0]) {
		free(unrolled);
		return ret;
	}
	free(v->bpf);
	start_anew(v, unrolled, len);
	return verify(source, xfn_trial__run, v, err);
}
