// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The column of a source line, from a BPF object's line information (.BTF.ext, kernel document
 * bpf/btf.rst): the verifier's log has lines only. Reads bytes; loads nothing.
 */
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <bpf/btf.h>
#include <linux/bpf.h>
#include "line_info.h"

/* The head of .BTF.ext, as far as it is used here. */
struct ext_head {
	__u16 magic;
	__u8 version, flags;
	__u32 head_len;
	__u32 func_off, func_len;
	__u32 line_off, line_len;
};

static const void *section(Elf *elf, const char *wanted, size_t *len)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *data = elf_rawdata(scn, NULL);
		const char *name;
		GElf_Shdr head;

		name = gelf_getshdr(scn, &head) ? elf_strptr(elf, names, head.sh_name) : NULL;
		if (!name || strcmp(name, wanted) || !data)
			continue;
		*len = data->d_size;
		return data->d_buf;
	}
	return NULL;
}

/* The line of a source up to an instruction of the program. */
struct place {
	const char *source;
	uint32_t line, insn;
};

/* The column of the last of one section's `count` records of `size` bytes that is of the place; 0: none. */
static uint32_t search(const char *at, __u32 count, __u32 size, const struct btf *btf,
		       const struct place *place)
{
	const char *base = strrchr(place->source, '/');
	uint32_t column = 0;

	base = base ? base + 1 : place->source;
	for (__u32 i = 0; i < count; i++, at += size) {
		struct bpf_line_info info;
		const char *file, *name;

		memcpy(&info, at, sizeof(info));
		file = btf__name_by_offset(btf, info.file_name_off);
		name = file && strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
		if (info.insn_off / 8 > place->insn)
			break;
		if (BPF_LINE_INFO_LINE_NUM(info.line_col) == place->line && name &&
		    !strcmp(name, base))
			column = BPF_LINE_INFO_LINE_COL(info.line_col);
	}
	return column;
}

uint32_t xfn_line_info__column(const void *obj, size_t len, const char *source, uint32_t line,
			       uint32_t insn)
{
	const struct place place = { .source = source, .line = line, .insn = insn };
	Elf *elf = elf_version(EV_CURRENT) ? elf_memory((char *)obj, len) : NULL;
	size_t btf_len = 0, ext_len = 0;
	const void *btf_bytes = section(elf, ".BTF", &btf_len);
	const char *ext = section(elf, ".BTF.ext", &ext_len), *at, *end;
	struct btf *btf = btf_bytes ? btf__new(btf_bytes, btf_len) : NULL;
	uint32_t column = 0;
	struct ext_head head;
	__u32 size;

	if (btf && ext && ext_len >= sizeof(head)) {
		memcpy(&head, ext, sizeof(head));
		at = ext + head.head_len + head.line_off;
		end = ext + ext_len;
		if (head.line_len >= 4 && head.line_len <= ext_len && at + head.line_len <= end) {
			end = at + head.line_len;
			memcpy(&size, at, 4);
			for (at += 4; size >= sizeof(struct bpf_line_info) && at + 8 <= end;) {
				__u32 of[2]; /* section's name, records */
				const char *name;

				memcpy(of, at, sizeof(of));
				at += 8;
				if ((size_t)(end - at) / size < of[1])
					break;
				name = btf__name_by_offset(btf, of[0]);
				/* functions of .text are numbered anew when they are linked */
				if (name && !strcmp(name, "xdp"))
					column = search(at, of[1], size, btf, &place);
				at += (size_t)of[1] * size;
			}
		}
	}
	btf__free(btf);
	if (elf)
		elf_end(elf);
	return column;
}
