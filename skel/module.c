// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The module reader. No code of a module is run, and libelf reads it in a process of its own. Must
 * never know of libbpf or dlopen. */
#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "array_size.h"
#include "error.h"
#include "../xdp/abi.h"
#include "confined.h"
#include "module.h"
#include "module_inside.h"
#include "refusal.h"
#include "regular_file.h"
#include "sealed_copy.h"

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
#define TIERS (int)ARRAY_SIZE(tier_names)

const char *xfn_tier_name(int tier)
{
	return tier >= 0 && tier < TIERS ? tier_names[tier] : "unknown";
}

/* [a-z][a-z0-9_]{0,14}, ended within the field. */
static bool name_ok(const char name[XFN_NAME_MAX + 1])
{
	size_t len = strnlen(name, XFN_NAME_MAX + 1);

	if (!len || len > XFN_NAME_MAX || name[0] < 'a' || name[0] > 'z')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

/* A part of the file. */
struct part {
	uint64_t off, len;
	bool there;
};

enum {
	ATTR,
	META,
	KERNEL,
	PARTS
};

/* The sealed copy as mapped memory, and what the confined process found in it: shared memory. */
struct search {
	const uint8_t *bytes;
	size_t len;
	char wrong[96]; /* "": nothing */
	struct part part[PARTS];
};

static void take(struct search *s, const char *name, const GElf_Shdr *shdr)
{
	static const char *const names[PARTS] = { XFN_SECTION_ATTR, XFN_SECTION_META,
						  XFN_SECTION_BPF };

	for (unsigned i = 0; i < PARTS; i++) {
		if (strcmp(name, names[i]))
			continue;
		if (s->part[i].there)
			snprintf(s->wrong, sizeof(s->wrong), "has its section %s twice", name);
		s->part[i] = (struct part){ shdr->sh_offset, shdr->sh_size, true };
	}
}

static const char *find_parts(Elf *elf, struct search *s)
{
	Elf_Scn *scn = NULL;
	GElf_Ehdr head;
	size_t names;

	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &head))
		return "not an ELF file";
	if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != XFN_MACHINE)
		return "built for another architecture";
	if (head.e_type != ET_DYN || elf_getshdrstrndx(elf, &names))
		return "not a shared object, or truncated";
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;
		GElf_Shdr shdr;

		if (!gelf_getshdr(scn, &shdr) || !(name = elf_strptr(elf, names, shdr.sh_name)))
			return "damaged section table";
		take(s, name, &shdr);
	}
	return NULL;
}

/* In the confined process. */
static void search(void *ctx)
{
	struct search *s = ctx;
	const char *wrong;

	elf_version(EV_CURRENT);
	wrong = find_parts(elf_memory((char *)s->bytes, s->len), s);
	if (wrong)
		snprintf(s->wrong, sizeof(s->wrong), "%s", wrong);
}

/* Check the numbers that the confined process left, untrusted. NULL, or what is wrong. */
static const char *check_parts(struct search *s, int ret)
{
	static const char no_module[] =
		"no module: it has no " XFN_SECTION_ATTR " and " XFN_SECTION_META " sections";

	if (ret)
		return ret == -EBADMSG ? "it is damaged: reading its sections crashes" :
					 "no process can be made to read it";
	s->wrong[sizeof(s->wrong) - 1] = 0;
	if (s->wrong[0])
		return s->wrong;
	if (!s->part[ATTR].there || !s->part[META].there)
		return no_module;
	for (unsigned i = 0; i < PARTS; i++)
		if (s->part[i].len > s->len || s->part[i].off > s->len - s->part[i].len)
			return "a section of it is damaged";
	return NULL;
}

/* Is the metadata of this version, and as it was written? */
static const char *take_meta(const struct search *s, struct xfn_module_meta *meta)
{
	const struct part *part = &s->part[META];
	struct xfn_module_meta copy;
	uint32_t begin[2];

	if (part->len < sizeof(begin))
		return "its metadata is damaged";
	memcpy(begin, s->bytes + part->off, sizeof(begin));
	if (begin[0] != XFN_MODULE_MAGIC || begin[1] != XFN_MODULE_VERSION)
		return "built by another version of xfn";
	if (part->len != sizeof(*meta))
		return "its metadata is damaged";
	memcpy(meta, s->bytes + part->off, sizeof(*meta));
	copy = *meta;
	if (xfn_module__hash_meta(&copy) || memcmp(&copy, meta, sizeof(copy)))
		return "its metadata is damaged";
	return NULL;
}

static bool hash_is(const void *bytes, size_t len, const uint8_t hash[XFN_HASH_LEN])
{
	uint8_t is[XFN_HASH_LEN];

	return !xfn_module__hash(bytes, len, is) && !memcmp(is, hash, sizeof(is));
}

/* Check each part against its hash, before anything else reads it. */
static const char *take_parts(const struct search *s, struct xfn_module *mod)
{
	const struct part *attr = &s->part[ATTR], *kernel = &s->part[KERNEL];
	static const uint8_t none[XFN_HASH_LEN];
	uint8_t native[XFN_HASH_LEN];
	bool wants_kernel = memcmp(mod->meta.kernel_hash, none, sizeof(none));

	if (attr->len != sizeof(mod->attr) ||
	    !hash_is(s->bytes + attr->off, attr->len, mod->meta.attr_hash) ||
	    xfn_module__hash_image(s->bytes, s->len, native) ||
	    memcmp(native, mod->meta.native_hash, sizeof(native)))
		return "its native half is damaged, or of another build than its metadata";
	if (wants_kernel != kernel->there)
		return wants_kernel ? "its kernel half is missing" :
				      "its kernel half is of another build";
	if (wants_kernel && !hash_is(s->bytes + kernel->off, kernel->len, mod->meta.kernel_hash))
		return "its kernel half is damaged, or of another build than its native half";
	memcpy(&mod->attr, s->bytes + attr->off, sizeof(mod->attr));
	if (!wants_kernel)
		return NULL;
	mod->bpf = malloc(kernel->len ?: 1);
	if (!mod->bpf)
		return "out of memory";
	memcpy(mod->bpf, s->bytes + kernel->off, kernel->len);
	mod->bpf_len = kernel->len;
	return NULL;
}

#define TERMINATED(field) (memchr(field, 0, sizeof(field)) != NULL)

/* Does every text end inside its field? */
static bool terminated(const struct xfn_module_meta *meta, const struct xfn_attributes *attr)
{
	return TERMINATED(meta->rule) && TERMINATED(meta->reason) && TERMINATED(meta->remedy) &&
	       TERMINATED(meta->file) && TERMINATED(meta->cost_note) && TERMINATED(meta->kernel) &&
	       TERMINATED(meta->arch) && TERMINATED(meta->compiler) &&
	       TERMINATED(meta->source_hash) && TERMINATED(attr->licence) &&
	       TERMINATED(attr->summary);
}

static const char *check_contents(const struct xfn_module *mod)
{
	const struct xfn_module_meta *meta = &mod->meta;

	if (meta->api != XFN_API || mod->attr.api != XFN_API || meta->abi != XFN_ABI)
		return "built against another version of xfn.h";
	if (!terminated(meta, &mod->attr))
		return "its metadata is damaged";
	if (!name_ok(mod->attr.name))
		return "its function's name is not [a-z][a-z0-9_]{0,14}";
	if (meta->tier < XFN_TIER_XDP || meta->tier > XFN_TIER_SOCKET)
		return "its verdict names no tier";
	if (meta->tier == XFN_TIER_XDP && !mod->bpf)
		return "its verdict is xdp, but it has no kernel half";
	if (meta->rule[0] && !xfn_refusal__by_id(meta->rule))
		return "its verdict names no rule of this xfn";
	return NULL;
}

/* Read the sealed copy. NULL, or what is wrong with it, for which `wrong` has room. */
static const char *read_copy(struct xfn_module *mod, char *wrong, size_t len)
{
	struct search *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *why = "out of memory";
	struct stat st;
	void *bytes;
	int ret;

	if (s == MAP_FAILED)
		return why;
	/* private: what libelf writes stays in its process */
	bytes = fstat(mod->fd, &st) || !st.st_size ?
			MAP_FAILED :
			mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, mod->fd, 0);
	if (bytes != MAP_FAILED) {
		s->bytes = bytes;
		s->len = (size_t)st.st_size;
		ret = xfn_confined(search, s);
		/* set anew: that process may have written anything there */
		s->bytes = bytes;
		s->len = (size_t)st.st_size;
		why = check_parts(s, ret) ?: take_meta(s, &mod->meta) ?: take_parts(s, mod);
		why = why ?: check_contents(mod);
		munmap(bytes, (size_t)st.st_size);
	} else if (!st.st_size) {
		why = "not an ELF file";
	}
	if (why)
		why = memcpy(wrong, why, strnlen(why, len - 1) + 1);
	munmap(s, sizeof(*s));
	return why;
}

struct xfn_module *xfn_module__open(const char *path, struct xfn_error *err)
{
	struct xfn_module *mod = calloc(1, sizeof(*mod));
	const char *wrong;
	char text[128];
	int file;

	if (!mod || !(mod->path = strdup(path))) {
		xfn_error__set(err, "%s: out of memory", path);
		free(mod);
		return NULL;
	}
	mod->fd = -1;
	file = xfn_regular_file__open(path, "name a module (NAME.xfn) or a source (NAME.c)", err);
	if (file < 0) {
		xfn_module__close(mod);
		return NULL;
	}
	mod->fd = xfn_sealed_copy(file, XFN_MODULE_MAX);
	close(file);
	if (mod->fd < 0) {
		xfn_error__set(err, "%s: cannot be read into memory: %s; name a module", path,
			       strerror(-mod->fd));
		xfn_module__close(mod);
		return NULL;
	}
	wrong = read_copy(mod, text, sizeof(text));
	if (wrong) {
		xfn_error__set(err, "%s: %s; build it with `xfn build NAME.c`", path, wrong);
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
