// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The module reader: libelf only, nothing of a module is run. Must never know of libbpf or dlopen.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/types.h>
#include "../xdp/abi.h"
#include "module.h"

#if defined(__x86_64__)
#define XFN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define XFN_MACHINE EM_AARCH64
#elif defined(__riscv)
#define XFN_MACHINE EM_RISCV
#else
#error "name this architecture's ELF machine here"
#endif

static const char *const tier_names[] = {
	[XFN_TIER_AUTO] = "auto",
	[XFN_TIER_XDP] = "xdp",
	[XFN_TIER_AFXDP] = "afxdp",
	[XFN_TIER_SOCKET] = "socket",
};
#define TIERS (int)(sizeof(tier_names) / sizeof(tier_names[0]))

const char *xfn_tier_name(int tier)
{
	return tier >= 0 && tier < TIERS ? tier_names[tier] : "unknown";
}

int xfn_tier_parse(const char *name)
{
	for (int i = 0; i < TIERS; i++) {
		if (!strcmp(tier_names[i], name))
			return i;
	}
	return -1;
}

/* [a-z][a-z0-9_]{0,14}, ended within the field. */
static bool name_ok(const char name[XFN_NAME_MAX + 1])
{
	size_t len = strnlen(name, XFN_NAME_MAX + 1);

	if (!len || len > XFN_NAME_MAX || name[0] < 'a' || name[0] > 'z')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

/* Copy the section's bytes into dst of exactly `want` bytes, or (dst NULL) into new memory. */
static int take(Elf_Scn *scn, void *dst, size_t want, void **copy, size_t *copy_len)
{
	Elf_Data *data = elf_rawdata(scn, NULL);

	if (!data || !data->d_buf || (dst && data->d_size != want))
		return -EINVAL;
	if (dst) {
		memcpy(dst, data->d_buf, want);
		return 0;
	}
	free(*copy);
	*copy = malloc(data->d_size ? data->d_size : 1);
	if (!*copy)
		return -ENOMEM;
	memcpy(*copy, data->d_buf, data->d_size);
	*copy_len = data->d_size;
	return 0;
}

/* NULL, or what is wrong with the ELF file. */
static const char *read_elf(Elf *elf, struct xfn_module *mod)
{
	bool have_attr = false, have_meta = false;
	Elf_Scn *scn = NULL;
	GElf_Ehdr head;
	size_t names;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &head))
		return "not an ELF file";
	if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != XFN_MACHINE)
		return "built for another architecture";
	if (head.e_type != ET_DYN || elf_getshdrstrndx(elf, &names))
		return "not a shared object, or truncated";
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;
		GElf_Shdr shdr;
		int err = 0;

		if (!gelf_getshdr(scn, &shdr) || !(name = elf_strptr(elf, names, shdr.sh_name)))
			return "damaged section table";
		if (!strcmp(name, XFN_SECTION_ATTR)) {
			err = take(scn, &mod->attr, sizeof(mod->attr), NULL, NULL);
			have_attr = true;
		} else if (!strcmp(name, XFN_SECTION_META)) {
			err = take(scn, &mod->meta, sizeof(mod->meta), NULL, NULL);
			have_meta = true;
		} else if (!strcmp(name, XFN_SECTION_BPF)) {
			err = take(scn, NULL, 0, &mod->bpf, &mod->bpf_len);
		}
		if (err)
			return "a section of it is damaged or of another version";
	}
	if (!have_attr || !have_meta)
		return "no module: it has no " XFN_SECTION_ATTR " and " XFN_SECTION_META
		       " sections";
	return NULL;
}

#define TERMINATED(field) (memchr(field, 0, sizeof(field)) != NULL)

static const char *check_contents(const struct xfn_module *mod)
{
	const struct xfn_module_meta *meta = &mod->meta;

	if (meta->magic != XFN_MODULE_MAGIC || meta->version != XFN_MODULE_VERSION)
		return "built by another version of xfn";
	if (meta->api != XFN_API || mod->attr.api != XFN_API || meta->abi != XFN_ABI)
		return "built against another version of xfn.h";
	if (!TERMINATED(meta->rule) || !TERMINATED(meta->reason) || !TERMINATED(meta->remedy) ||
	    !TERMINATED(meta->file) || !TERMINATED(meta->cost_note) || !TERMINATED(meta->kernel) ||
	    !TERMINATED(meta->arch) || !TERMINATED(meta->compiler) ||
	    !TERMINATED(meta->source_hash) || !TERMINATED(mod->attr.licence) ||
	    !TERMINATED(mod->attr.summary))
		return "its metadata is damaged";
	if (!name_ok(mod->attr.name))
		return "its function's name is not [a-z][a-z0-9_]{0,14}";
	if (meta->tier < XFN_TIER_XDP || meta->tier > XFN_TIER_SOCKET)
		return "its verdict names no tier";
	if (meta->tier == XFN_TIER_XDP && !mod->bpf)
		return "its verdict is xdp, but it has no kernel half";
	return NULL;
}

struct xfn_module *xfn_module__open(const char *path, char *err, size_t errlen)
{
	struct xfn_module *mod = calloc(1, sizeof(*mod));
	const char *wrong = NULL;
	Elf *elf;

	if (!mod || !(mod->path = strdup(path))) {
		snprintf(err, errlen, "%s: out of memory", path);
		free(mod);
		return NULL;
	}
	mod->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is no module */
	if (mod->fd < 0) {
		snprintf(err, errlen, "%s: %s; name a module (NAME.xfn) or a source (NAME.c)", path,
			 strerror(errno));
		xfn_module__close(mod);
		return NULL;
	}
	elf_version(EV_CURRENT);
	elf = elf_begin(mod->fd, ELF_C_READ, NULL);
	if (elf)
		wrong = read_elf(elf, mod);
	else
		wrong = "not an ELF file";
	if (!wrong)
		wrong = check_contents(mod);
	elf_end(elf);
	if (wrong) {
		snprintf(err, errlen, "%s: %s; build it with `xfn build NAME.c`", path, wrong);
		xfn_module__close(mod);
		return NULL;
	}
	return mod;
}

void xfn_module__close(struct xfn_module *mod)
{
	if (!mod)
		return;
	if (mod->fd >= 0)
		close(mod->fd);
	free(mod->bpf);
	free(mod->path);
	free(mod);
}
