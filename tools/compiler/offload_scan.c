// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A BPF object as a card's driver would see it: maps, globals, calls, each with the author's line.
 * What the kernel lets through to a card is in kernel/bpf/offload.c and verifier.c, what nfp's
 * firmware has in drivers/net/ethernet/netronome/nfp/bpf/verifier.c. Loads nothing.
 */
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "offload.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "../../skel/program.h"
#include "classify.h"
#include "source_text.h"

#define DEVICE_ENTRIES 2  /* of a map, as netdevsim has them: what every card has room for */
#define NFP_ENTRY      64 /* bytes of a map's entry */

/* .BTF.ext, Documentation/bpf/btf.rst 4.2 */
struct ext_header {
	__u16 magic;
	__u8 version, flags;
	__u32 hdr_len, func_info_off, func_info_len, line_info_off, line_info_len;
};
struct ext_section {
	__u32 name_off, count;
	char records[];
};

struct scan {
	const char *source;
	bool globals; /* only those, but for the runtime's own */
	struct bpf_object *obj;
	struct btf *btf;
	const struct ext_header *ext; /* line numbers, NULL: none */
	Elf *elf;
	size_t names; /* section of the sections' names */
	struct xfn_obstacles *out;
};

static struct xfn_obstacle *add(struct scan *s, const char *kind, uint32_t line)
{
	static struct xfn_obstacle beyond;
	struct xfn_obstacle *o = &beyond;

	if (s->out->count < XFN_OBSTACLES)
		o = &s->out->list[s->out->count++];
	*o = (struct xfn_obstacle){ .line = line };
	snprintf(o->kind, sizeof(o->kind), "%s", kind);
	return o;
}

/* Has the same been said already? The first place is enough. */
static bool said(const struct scan *s, const char *kind, const char *name)
{
	for (unsigned i = 0; i < s->out->count; i++)
		if (!strcmp(s->out->list[i].kind, kind) && strstr(s->out->list[i].what, name))
			return true;
	return false;
}

static bool is_source(const struct scan *s, __u32 name_off)
{
	const char *file = btf__name_by_offset(s->btf, name_off) ?: "";
	const char *base = strrchr(s->source, '/') ? strrchr(s->source, '/') + 1 : s->source;
	size_t n = strlen(file), m = strlen(base);

	return n >= m && !strcmp(file + n - m, base) && (n == m || file[n - m - 1] == '/');
}

/* The line of the author's source that the instruction at `off` of a section comes of; 0: of none.
 */
static uint32_t line_at(const struct scan *s, const char *section, uint64_t off)
{
	const struct ext_header *head = s->ext;
	const char *at, *end;
	uint32_t line = 0, rec;

	if (!head || !head->line_info_len)
		return 0;
	at = (const char *)head + head->hdr_len + head->line_info_off;
	end = at + head->line_info_len;
	rec = *(const __u32 *)at;
	for (at += sizeof(rec); at < end;) {
		const struct ext_section *sec = (const void *)at;
		const char *name = btf__name_by_offset(s->btf, sec->name_off) ?: "";

		for (uint32_t i = 0; !strcmp(name, section) && i < sec->count; i++) {
			const struct bpf_line_info *info = (const void *)(sec->records + i * rec);

			if (info->insn_off <= off)
				line = is_source(s, info->file_name_off) ? info->line_col >> 10 : 0;
		}
		at += sizeof(*sec) + (size_t)sec->count * rec;
	}
	return line;
}

/* Where the source has a name: as it stands, or as the flavour's prefix leaves it. */
static uint32_t line_of(const struct scan *s, const char *name)
{
	uint32_t line = xfn_source_text__find(s->source, name, false);

	while (!line && (name = strchr(name, '_')))
		line = xfn_source_text__find(s->source, ++name, false);
	return line;
}

static const char *kind_of(const struct bpf_map *map)
{
	return libbpf_bpf_map_type_str(bpf_map__type(map)) ?: "unknown";
}

static void check_map(struct scan *s, const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);
	enum bpf_map_type type = bpf_map__type(map);
	bool known = type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_HASH;
	struct xfn_obstacle *o;
	uint32_t line = line_of(s, name);

	if (!known) {
		o = add(s, "map", line);
		snprintf(o->what, sizeof(o->what), "has the map %s of kind %s, which no card has",
			 name, kind_of(map));
		snprintf(o->remedy, sizeof(o->remedy),
			 "make it an array or hash of at most %d "
			 "entries, or leave the function to the host",
			 DEVICE_ENTRIES);
		return;
	}
	if (bpf_map__max_entries(map) > DEVICE_ENTRIES) {
		o = add(s, "map", line);
		snprintf(o->what, sizeof(o->what), "has the map %s of %u entries", name,
			 bpf_map__max_entries(map));
		snprintf(o->remedy, sizeof(o->remedy),
			 "%d entries are what every card has room for", DEVICE_ENTRIES);
	}
	if (bpf_map__map_flags(map)) {
		o = add(s, "map", line);
		snprintf(o->what, sizeof(o->what), "has the map %s with flags (0x%x)", name,
			 bpf_map__map_flags(map));
		snprintf(o->remedy, sizeof(o->remedy), "leave its flags out");
	}
	if (bpf_map__value_size(map) > NFP_ENTRY || bpf_map__key_size(map) > NFP_ENTRY) {
		o = add(s, "map", line);
		snprintf(o->what, sizeof(o->what), "has the map %s with entries of %u bytes", name,
			 bpf_map__value_size(map));
		snprintf(o->remedy, sizeof(o->remedy), "nfp's are of at most %d bytes", NFP_ENTRY);
		o->nfp = true;
	}
}

static const char *section_name(const struct scan *s, size_t index)
{
	GElf_Shdr head;
	Elf_Scn *scn = elf_getscn(s->elf, index);

	return scn && gelf_getshdr(scn, &head) ? elf_strptr(s->elf, s->names, head.sh_name) ?: "" :
						 "";
}

static void check_global(struct scan *s, const char *section, const char *symbol, uint32_t line)
{
	bool named = *symbol && *symbol != '.';
	struct xfn_obstacle *o;

	if (said(s, "global", named ? symbol : section))
		return;
	o = add(s, "global", named ? line_of(s, symbol) ?: line : line);
	if (named)
		snprintf(o->what, sizeof(o->what),
			 "has the global %.64s, and a card has no memory for globals (%.32s)",
			 symbol, section);
	else
		snprintf(
			o->what, sizeof(o->what),
			"has constants that the compiler keeps in memory (%.32s), and a card has none "
			"for globals",
			section);
	snprintf(o->remedy, sizeof(o->remedy),
		 "compute it, or write it as a switch, so that it becomes instructions");
}

/* What a relocated instruction refers to: globals, kernel functions. */
static void check_relocations(struct scan *s, Elf_Scn *scn, const GElf_Shdr *head)
{
	const char *section = section_name(s, head->sh_info);
	Elf_Data *rels = elf_getdata(scn, NULL);
	Elf_Scn *symtab = elf_getscn(s->elf, head->sh_link);
	Elf_Data *syms = symtab ? elf_getdata(symtab, NULL) : NULL;
	GElf_Shdr target, table;

	if (!rels || !syms || !gelf_getshdr(symtab, &table) ||
	    !gelf_getshdr(elf_getscn(s->elf, head->sh_info), &target) ||
	    !(target.sh_flags & SHF_EXECINSTR))
		return;
	for (size_t i = 0; i < head->sh_size / head->sh_entsize; i++) {
		const char *name, *in;
		struct xfn_obstacle *o;
		GElf_Sym sym;
		GElf_Rel rel;

		gelf_getrel(rels, i, &rel);
		gelf_getsym(syms, GELF_R_SYM(rel.r_info), &sym);
		name = elf_strptr(s->elf, table.sh_link, sym.st_name) ?: "";
		in = sym.st_shndx < SHN_LORESERVE ? section_name(s, sym.st_shndx) : "";
		if (!strncmp(in, ".rodata", 7) || !strncmp(in, ".data", 5) ||
		    !strncmp(in, ".bss", 4)) {
			if (GELF_ST_TYPE(sym.st_info) == STT_SECTION)
				name = "";
			if (!s->globals || strncmp(name, "xfn_", 4))
				check_global(s, in, name, line_at(s, section, rel.r_offset));
		} else if (!s->globals && sym.st_shndx == SHN_UNDEF && !said(s, "kfunc", name)) {
			o = add(s, "kfunc", line_at(s, section, rel.r_offset));
			snprintf(o->what, sizeof(o->what),
				 "calls the kernel's %.64s, and a card has no kernel", name);
			snprintf(o->remedy, sizeof(o->remedy), "use what xfn.h offers");
		}
	}
}

/* Helpers without which a card's program must do, and what they are for. */
static const struct {
	int id;
	const char *name, *remedy;
} refused[] = {
	{ BPF_FUNC_tail_call, "bpf_tail_call", "call a static function" },
	{ BPF_FUNC_loop, "bpf_loop", "write a loop with a constant bound" },
	{ BPF_FUNC_for_each_map_elem, "bpf_for_each_map_elem", "look entries up by their keys" },
	{ BPF_FUNC_redirect, "bpf_redirect", "reply, or leave the function to the host" },
	{ BPF_FUNC_redirect_map, "bpf_redirect_map", "reply, or leave the function to the host" },
	{ BPF_FUNC_spin_lock, "bpf_spin_lock", "use atomic additions" },
	{ BPF_FUNC_timer_init, "bpf_timer_init", "leave the function to the host" },
	{ BPF_FUNC_ringbuf_output, "bpf_ringbuf_output", "count instead" },
	{ BPF_FUNC_ringbuf_reserve, "bpf_ringbuf_reserve", "count instead" },
};
/* Those that nfp's firmware has. */
static const int nfp[] = { BPF_FUNC_map_lookup_elem,  BPF_FUNC_map_update_elem,
			   BPF_FUNC_map_delete_elem,  BPF_FUNC_get_prandom_u32,
			   BPF_FUNC_xdp_adjust_head,  BPF_FUNC_xdp_adjust_tail,
			   BPF_FUNC_perf_event_output };
/* By which call of xfn.h a function comes to a helper. */
static const struct {
	int id;
	const char *call;
} calls[] = {
	{ BPF_FUNC_ktime_get_tai_ns, "xfn_real_ns" },
	{ BPF_FUNC_ktime_get_boot_ns, "xfn_mono_ns" },
	{ BPF_FUNC_xdp_load_bytes, "xfn_read" },
	{ BPF_FUNC_xdp_store_bytes, "xfn_write" },
};
#ifdef ___BPF_FUNC_MAPPER /* headers since 6.2, whose entries bring no comma */
#define NAME(name, ...) "bpf_" #name,
#else
#define NAME(name) "bpf_" #name
#endif
static const char *const names[] = { __BPF_FUNC_MAPPER(NAME) };

static void check_call(struct scan *s, int id, uint32_t line)
{
	const char *name = id > 0 && id < (int)ARRAY_SIZE(names) ? names[id] : "?";
	struct xfn_obstacle *o;
	char by[32] = "";

	if (said(s, "helper", name))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(nfp); i++)
		if (nfp[i] == id)
			return;
	for (unsigned i = 0; !line && i < ARRAY_SIZE(calls); i++) {
		if (calls[i].id != id)
			continue;
		line = xfn_source_text__find(s->source, calls[i].call, false);
		if (line)
			snprintf(by, sizeof(by), " (%s)", calls[i].call);
	}
	o = add(s, "helper", line);
	snprintf(o->what, sizeof(o->what), "calls %s%s, which nfp's firmware does not have", name,
		 by);
	snprintf(o->remedy, sizeof(o->remedy), "leave the function to the host on such a card");
	o->nfp = true;
	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++)
		if (refused[i].id == id) {
			snprintf(o->what, sizeof(o->what), "calls %s, which no card has", name);
			snprintf(o->remedy, sizeof(o->remedy), "%s", refused[i].remedy);
			o->nfp = false;
		}
}

static void check_code(struct scan *s, Elf_Scn *scn, const char *section)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	const struct bpf_insn *insn = data ? data->d_buf : NULL;
	struct xfn_obstacle *o;

	if (strstr(section, ".frags")) {
		o = add(s, "frags", 0);
		snprintf(o->what, sizeof(o->what), "takes frames in several buffers (xdp.frags)");
		snprintf(o->remedy, sizeof(o->remedy), "build it for frames of one buffer");
	}
	for (size_t i = 0; insn && i < data->d_size / sizeof(*insn); i++)
		if (insn[i].code == (BPF_JMP | BPF_CALL) && !insn[i].src_reg && insn[i].imm > 0)
			check_call(s, insn[i].imm, line_at(s, section, i * sizeof(*insn)));
}

static void check_sections(struct scan *s)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr head;

	while ((scn = elf_nextscn(s->elf, scn)))
		if (!strcmp(section_name(s, elf_ndxscn(scn)), ".BTF.ext")) {
			Elf_Data *data = elf_getdata(scn, NULL);

			s->ext = s->btf && data ? data->d_buf : NULL;
		}
	while ((scn = elf_nextscn(s->elf, scn))) {
		if (!gelf_getshdr(scn, &head))
			continue;
		if (!s->globals && head.sh_type == SHT_PROGBITS && head.sh_flags & SHF_EXECINSTR &&
		    head.sh_size)
			check_code(s, scn, section_name(s, elf_ndxscn(scn)));
		if (head.sh_type == SHT_REL && head.sh_entsize)
			check_relocations(s, scn, &head);
	}
}

static void check_object(struct scan *s)
{
	struct bpf_program *prog = bpf_object__next_program(s->obj, NULL);
	const struct bpf_map *map;
	struct xfn_obstacle *o;

	if (!prog || bpf_object__next_program(s->obj, prog)) {
		o = add(s, "program", 0);
		snprintf(o->what, sizeof(o->what), "has %s, and a card takes one",
			 prog ? "several programs" : "no program");
		snprintf(o->remedy, sizeof(o->remedy), "build it by `xfn build --offload`");
	}
	bpf_object__for_each_map(map, s->obj)
		if (!bpf_map__is_internal(map))
			check_map(s, map);
}

static int scan(const char *path, const char *source, bool globals, struct xfn_obstacles *out,
		struct xfn_error *err)
{
	struct scan s = { .source = source, .globals = globals, .out = out };
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;

	xfn_program__quiet_libbpf();
	out->count = 0;
	s.obj = bpf_object__open(path);
	s.elf = fd >= 0 && elf_version(EV_CURRENT) ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	if (s.elf && !elf_getshdrstrndx(s.elf, &s.names)) {
		s.btf = btf__parse_elf(path, NULL);
		if (s.obj && !globals)
			check_object(&s);
		check_sections(&s);
		btf__free(s.btf);
	}
	/* what libbpf cannot open may tell of its obstacle all the same */
	if (!s.obj && !out->count) {
		ret = -EINVAL;
		xfn_error__set(err, "%s: no BPF object", path);
	}
	bpf_object__close(s.obj);
	if (s.elf)
		elf_end(s.elf);
	if (fd >= 0)
		close(fd);
	return ret;
}

int xfn_offload__scan(const char *path, const char *source, struct xfn_obstacles *out,
		      struct xfn_error *err)
{
	return scan(path, source, false, out, err);
}

int xfn_offload__scan_globals(const char *path, const char *source, struct xfn_obstacles *out,
			      struct xfn_error *err)
{
	return scan(path, source, true, out, err);
}

const struct xfn_obstacle *xfn_obstacles__first(const struct xfn_obstacles *found)
{
	for (unsigned i = 0; i < found->count; i++)
		if (!found->list[i].nfp)
			return &found->list[i];
	return NULL;
}
