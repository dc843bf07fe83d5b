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
#include "../skel/loader.h"
#include "bpf_flags.h"
#include "classify.h"
#include "command.h"

/* 'name' between the first pair of quotes. */
static void quoted(const char *text, char *name, size_t len)
{
	const char *begin = strchr(text, '\''), *end = begin ? strchr(begin + 1, '\'') : NULL;

	snprintf(name, len, "%.*s", end ? (int)(end - begin - 1) : 0, end ? begin + 1 : "");
}

/* Is line `number` of the source a declaration of an array? */
static bool declares_array(const char *source, uint32_t number)
{
	FILE *f = fopen(source, "re");
	bool yes = false;
	char row[1024];

	for (uint32_t line = 1; f && fgets(row, sizeof(row), f); line++)
		if (line == number)
			yes = strchr(row, '[') && (strchr(row, ';') || strchr(row, '=')) &&
			      !strchr(row, '(');
	if (f)
		fclose(f);
	return yes;
}

/* The size-suffixed names of compiler-rt's float routines: __adddf3, __floatunsidf, __fixsfsi ...
 */
static bool is_float_routine(const char *name)
{
	return !strncmp(name, "__", 2) && (strstr(name, "df") || strstr(name, "sf") ||
					   strstr(name, "tf") || strstr(name, "xf"));
}

/* clang's first error -> rule. */
static void judge_error(const char *source, const struct xfn_diagnostic *d, struct xfn_verdict *v)
{
	enum xfn_rule rule = XFN_RULE_compiler_other;
	char name[128], text[384] = "";

	quoted(d->text, name, sizeof(name));
	if (strstr(d->text, "file not found") || (!d->in_source && d->line)) {
		rule = XFN_RULE_host_header;
	} else if (is_float_routine(name) || strstr(d->text, "floating point") ||
		   strstr(d->text, "__floatundidf")) {
		rule = XFN_RULE_floating_point;
	} else if (strstr(d->text, "stack limit")) {
		rule = XFN_RULE_stack_limit;
	} else if (strstr(d->text, "call to built-in function")) {
		rule = strncmp(name, "mem", 3) == 0 ? declares_array(source, d->line) ?
						      XFN_RULE_stack_limit :
						      XFN_RULE_variable_access :
						      XFN_RULE_calls_unknown;
	} else if (strstr(d->text, "implicit declaration") ||
		   strstr(d->text, "implicitly declaring") ||
		   strstr(d->text, "call to undeclared")) {
		rule = XFN_RULE_calls_unknown;
		snprintf(text, sizeof(text), "calls %s, which the kernel does not have", name);
	} else if (strstr(d->text, "undeclared") || strstr(d->text, "unknown type name")) {
		rule = XFN_RULE_calls_unknown;
		snprintf(text, sizeof(text), "uses %s, which only native code has", name);
	} else if (strstr(d->text, "too many args") || strstr(d->text, "] too many arguments") ||
		   strstr(d->text, "stack arguments") || strstr(d->text, "aggregate") ||
		   strstr(d->text, "pass by value")) {
		rule = XFN_RULE_calling_convention;
	} else {
		snprintf(text, sizeof(text), "does not compile for the kernel: %.300s", d->text);
	}
	xfn_refusal__set(&v->refusal, rule, text[0] ? text : NULL, source, d->line);
}

static int compile(const char *source, const char *object, bool unroll, struct xfn_verdict *v,
		   char *err, size_t errlen)
{
	char header[PATH_MAX + 32], include[PATH_MAX + 32];
	char *const argv[] = { XFN_BPF_CLANG,
			       (char *)(unroll ? "-funroll-loops" : "-fno-unroll-loops"),
			       (char *)"-include",
			       header,
			       include,
			       (char *)"-c",
			       (char *)source,
			       (char *)"-o",
			       (char *)object,
			       NULL };
	struct xfn_diagnostic found = {};
	const char *at;
	char *said;
	int ret;

	snprintf(header, sizeof(header), "%s/xdp/function_bpf.h", v->support);
	snprintf(include, sizeof(include), "-I%s/functions", v->support);
	ret = xfn_command__run(argv, &said);
	if (ret < 0) {
		snprintf(err, errlen, "cannot run %s: %s", xfn_command__clang(), strerror(-ret));
		return ret;
	}
	at = said;
	if (ret) {
		if (!xfn_classify__diagnostic(&at, source, "error", &found) &&
		    !(at = said, xfn_classify__diagnostic(&at, source, "fatal error", &found)))
			snprintf(found.text, sizeof(found.text), "%.*s", (int)strcspn(said, "\n"),
				 said);
		judge_error(source, &found, v);
		v->log = said;
	} else {
		free(said);
	}
	return 0;
}

/* Sections and symbols that no kernel program can have. */
static void look_at_object(const char *source, const char *object, struct xfn_verdict *v)
{
	int fd = open(object, O_RDONLY | O_CLOEXEC);
	Elf *elf = fd >= 0 && elf_version(EV_CURRENT) ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	Elf_Scn *scn = NULL;
	size_t names = 0;

	if (elf)
		elf_getshdrstrndx(elf, &names);
	while (elf && !v->refusal.rule[0] && (scn = elf_nextscn(elf, scn))) {
		Elf_Data *data = elf_getdata(scn, NULL);
		GElf_Shdr head;

		if (!gelf_getshdr(scn, &head) || head.sh_type != SHT_SYMTAB || !data)
			continue;
		for (size_t i = 1; !v->refusal.rule[0] && i < head.sh_size / head.sh_entsize; i++) {
			GElf_Sym sym;
			GElf_Shdr in = {};
			const char *name, *section = "";
			char text[300];

			gelf_getsym(data, i, &sym);
			name = elf_strptr(elf, head.sh_link, sym.st_name) ?: "";
			if (sym.st_shndx == SHN_UNDEF && GELF_ST_BIND(sym.st_info) == STB_GLOBAL) {
				snprintf(text, sizeof(text),
					 "calls %.200s, which the kernel does not have", name);
				xfn_refusal__set(&v->refusal, XFN_RULE_calls_unknown, text, source,
						 xfn_classify__find_word(source, name, true));
			}
			if (sym.st_shndx && sym.st_shndx < SHN_LORESERVE &&
			    gelf_getshdr(elf_getscn(elf, sym.st_shndx), &in))
				section = elf_strptr(elf, names, in.sh_name) ?: "";
			if (GELF_ST_TYPE(sym.st_info) == STT_OBJECT &&
			    (!strncmp(section, ".data", 5) || !strncmp(section, ".bss", 4))) {
				snprintf(text, sizeof(text),
					 "writes the global variable %.200s, which a kernel half "
					 "cannot share",
					 name);
				xfn_refusal__set(&v->refusal, XFN_RULE_writable_global, text,
						 source,
						 xfn_classify__find_word(source, name, false));
			}
		}
	}
	if (elf)
		elf_end(elf);
	if (fd >= 0)
		close(fd);
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
static int put_licence(struct xfn_verdict *v, char *err, size_t errlen)
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
		snprintf(err, errlen,
			 "the kernel half has no licence section to put .licence into");
	return ret;
}

static int attempt(const char *source, bool unroll, struct xfn_verdict *v, char *err, size_t errlen)
{
	struct xfn_trial trial = {};
	char object[sizeof(v->folder) + 16];
	int ret;

	snprintf(object, sizeof(object), "%s/kernel.o", v->folder);
	ret = compile(source, object, unroll, v, err, errlen);
	if (ret || v->refusal.rule[0])
		return ret;
	look_at_object(source, object, v);
	if (v->refusal.rule[0])
		return 0;
	ret = read_object(object, v);
	if (ret) {
		snprintf(err, errlen, "%s: %s", object, strerror(-ret));
		return ret;
	}
	ret = put_licence(v, err, errlen);
	if (!ret)
		ret = xfn_loader__try(v->bpf, v->bpf_len, source, &trial, err, errlen);
	if (ret)
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

int xfn_classify__bpf(const char *source, struct xfn_verdict *v, char *err, size_t errlen)
{
	int ret = attempt(source, true, v, err, errlen);

	/*
	 * The verifier compares states where jumps meet: a loop as written has such places where an
	 * unrolled one has none, and a bitwise CRC is walked once per combination of its bits.
	 * Unrolled is the faster code, so it comes first.
	 */
	if (!ret && (!strcmp(v->refusal.rule, "too_many_insns") ||
		     !strcmp(v->refusal.rule, "unbounded_loop"))) {
		struct xfn_refusal first = v->refusal;

		free(v->log);
		free(v->bpf);
		v->log = v->bpf = NULL;
		memset(&v->refusal, 0, sizeof(v->refusal));
		ret = attempt(source, false, v, err, errlen);
		if (v->refusal.rule[0])
			v->refusal = first;
	}
	return ret;
}
