// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is in the objects that the compiler made of a source. Must never run anything of them. */
#include <fcntl.h>
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "classify.h"
#include "classify_object.h"
#include "source_text.h"

int xfn_classify__attributes(const char *so, struct xfn_attributes *attr, unsigned *counters)
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

			if (counters && name && !strcmp(name, "xfn_counters"))
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

/* A section that the module is to have for itself: nobody could read one that has it twice. */
void xfn_classify__native_object(const char *source, const char *so, struct xfn_verdict *v)
{
	static const char *const own[] = { XFN_SECTION_META, XFN_SECTION_BPF };
	int fd = open(so, O_RDONLY | O_CLOEXEC);
	Elf *elf = fd >= 0 && elf_version(EV_CURRENT) ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	Elf_Scn *scn = NULL;
	size_t names;
	char text[100];

	if (elf && !elf_getshdrstrndx(elf, &names))
		while (!v->refusal.rule[0] && (scn = elf_nextscn(elf, scn))) {
			GElf_Shdr head;
			const char *name = gelf_getshdr(scn, &head) ?
						   elf_strptr(elf, names, head.sh_name) :
						   NULL;

			for (unsigned i = 0; name && i < sizeof(own) / sizeof(own[0]); i++) {
				if (strcmp(name, own[i]))
					continue;
				snprintf(
					text, sizeof(text),
					"puts something into section %s, which is the module's own",
					name);
				xfn_refusal__set(&v->refusal, XFN_RULE_native_error, text, source,
						 xfn_source_text__find(source, "section", false));
			}
		}
	if (elf)
		elf_end(elf);
	if (fd >= 0)
		close(fd);
}

struct object {
	const char *source;
	Elf *elf;
	size_t names;	   /* of sections */
	Elf_Data *symbols; /* and their names */
	size_t strings;
};

static const char *section_name(const struct object *o, size_t index, GElf_Shdr *head)
{
	Elf_Scn *scn = elf_getscn(o->elf, index);

	return (scn && gelf_getshdr(scn, head) ? elf_strptr(o->elf, o->names, head->sh_name) : NULL) ?:
		       "";
}

/* "body.turn" of a static variable inside the function -> "turn". */
static const char *plain_name(const char *name)
{
	return strchr(name, '.') ? strchr(name, '.') + 1 : name;
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/*
 * Is it a program besides xfn.h's, or in a section that is not the author's? The program that xfn.h
 * makes parses, guards and counts: another one would be served in its place. Sections that begin
 * with a dot are the compiler's; in others than these libbpf looks for maps, types and more.
 */
static bool is_misplaced(const GElf_Sym *sym, const char *section, const GElf_Shdr *head,
			 const char *name, const char *function)
{
	static const char *const dotted[] = { ".text", ".data", ".bss", ".rodata" };
	int type = GELF_ST_TYPE(sym->st_info);

	if (!section[0] || type == STT_SECTION || type == STT_FILE)
		return false;
	if (type == STT_FUNC && head->sh_flags & SHF_EXECINSTR)
		return strcmp(section, ".text") &&
		       !(begins(name, "xfn_") && !strcmp(name + strlen("xfn_"), function));
	if (begins(name, "xfn_"))
		return false;
	if (section[0] != '.')
		return type == STT_OBJECT || strcmp(section, "xdp");
	if (type != STT_OBJECT && type != STT_FUNC)
		return false;
	for (unsigned i = 0; i < sizeof(dotted) / sizeof(dotted[0]); i++)
		if (begins(section, dotted[i]))
			return false;
	return true;
}

/* A symbol that is nowhere, or a variable that is written. */
static void check_symbol(const struct object *o, const GElf_Sym *sym, const char *name,
			 struct xfn_verdict *v)
{
	const char *section = "";
	GElf_Shdr head;
	char text[300];

	if (sym->st_shndx == SHN_UNDEF && GELF_ST_BIND(sym->st_info) != STB_LOCAL) {
		snprintf(text, sizeof(text), "calls %.200s, which the kernel does not have", name);
		xfn_refusal__set(&v->refusal, XFN_RULE_calls_unknown, text, o->source,
				 xfn_source_text__find(o->source, name, true));
	}
	if (sym->st_shndx && sym->st_shndx < SHN_LORESERVE)
		section = section_name(o, sym->st_shndx, &head);
	if (section[0] && is_misplaced(sym, section, &head, name, v->attr.name)) {
		snprintf(
			text, sizeof(text),
			"puts %.100s into section %.100s, where nothing of an author may be in a kernel half",
			plain_name(name), section);
		xfn_refusal__set(&v->refusal, XFN_RULE_compiler_other, text, o->source,
				 xfn_source_text__find(o->source, plain_name(name), false));
		snprintf(v->refusal.remedy, sizeof(v->refusal.remedy),
			 "leave the section out, or put it under #ifdef XFN_NATIVE");
	}
	if (GELF_ST_TYPE(sym->st_info) == STT_OBJECT &&
	    (!strncmp(section, ".data", 5) || !strncmp(section, ".bss", 4)) &&
	    strncmp(section, ".data.rel.ro", 12)) {
		snprintf(text, sizeof(text),
			 "writes the global variable %.200s, which a kernel half cannot share",
			 plain_name(name));
		xfn_refusal__set(&v->refusal, XFN_RULE_writable_global, text, o->source,
				 xfn_source_text__find(o->source, plain_name(name), false));
	}
}

/* The variable that lies at `off` in a section; "": none. */
static const char *variable_at(const struct object *o, size_t section, uint64_t off)
{
	GElf_Sym sym;

	for (size_t i = 1; gelf_getsym(o->symbols, (int)i, &sym); i++)
		if (sym.st_shndx == section && GELF_ST_TYPE(sym.st_info) == STT_OBJECT &&
		    off >= sym.st_value && off - sym.st_value < sym.st_size)
			return elf_strptr(o->elf, o->strings, sym.st_name) ?: "";
	return "";
}

/* Constants that are to be filled with addresses: the kernel half's have none. */
static void look_for_pointers(const struct object *o, struct xfn_verdict *v)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr head, in;
	GElf_Rel rel;

	while (!v->refusal.rule[0] && (scn = elf_nextscn(o->elf, scn))) {
		Elf_Data *data = elf_getdata(scn, NULL);
		const char *section;

		if (!gelf_getshdr(scn, &head) || head.sh_type != SHT_REL || !data)
			continue;
		section = section_name(o, head.sh_info, &in);
		if (strncmp(section, ".rodata", 7) && strncmp(section, ".data.rel.ro", 12))
			continue;
		for (int i = 0; !v->refusal.rule[0] && gelf_getrel(data, i, &rel); i++) {
			const char *name = variable_at(o, head.sh_info, rel.r_offset);

			if (strncmp(name, "xfn_", 4))
				xfn_refusal__set(
					&v->refusal, XFN_RULE_pointer_table, NULL, o->source,
					xfn_source_text__find(o->source, plain_name(name), false));
		}
	}
}

/* Sections and symbols that no kernel program can have. */
void xfn_classify__kernel_object(const char *source, const char *object, struct xfn_verdict *v)
{
	int fd = open(object, O_RDONLY | O_CLOEXEC);
	struct object o = { .source = source };
	Elf_Scn *scn = NULL;

	o.elf = fd >= 0 && elf_version(EV_CURRENT) ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	if (o.elf)
		elf_getshdrstrndx(o.elf, &o.names);
	while (o.elf && !v->refusal.rule[0] && (scn = elf_nextscn(o.elf, scn))) {
		Elf_Data *data = elf_getdata(scn, NULL);
		GElf_Shdr head;
		GElf_Sym sym;

		if (!gelf_getshdr(scn, &head) || head.sh_type != SHT_SYMTAB || !data)
			continue;
		for (size_t i = 1; !v->refusal.rule[0] && i < head.sh_size / head.sh_entsize; i++)
			if (gelf_getsym(data, i, &sym))
				check_symbol(&o, &sym,
					     elf_strptr(o.elf, head.sh_link, sym.st_name) ?: "", v);
		/* after all of those: a pointer to a variable that is written is not the obstacle
		 */
		o.symbols = data;
		o.strings = head.sh_link;
		look_for_pointers(&o, v);
	}
	if (o.elf)
		elf_end(o.elf);
	if (fd >= 0)
		close(fd);
}
