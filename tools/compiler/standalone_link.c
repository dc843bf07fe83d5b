// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The files of a standalone object: clang, libbpf's linker, libelf. Must never judge a function. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include "../../skel/error.h"
#include "../process/command.h"
#include "compiler.h"
#include "standalone_link.h"

/* Compile unit `i` of the plan to `object`; unit `count` is the one that finds the function. */
static int compile(const struct xfn_object_plan *plan, unsigned i, const char *object,
		   struct xfn_error *err)
{
	bool leader = i == plan->count, several = plan->count > 1;
	char header[PATH_MAX + 32], include[PATH_MAX + 32], entry[PATH_MAX + 32];
	char slot[32], name[64];
	/* a table that clang makes of a switch lies in memory */
	char *const argv[] = { XFN_COMPILER_BPF,
			       (char *)(plan->unroll ? "-funroll-loops" : "-fno-unroll-loops"),
			       (char *)(plan->nic ? "-fno-jump-tables" : "-fjump-tables"),
			       include,
			       slot,
			       name,
			       (char *)(leader	? "-DXFN_LEADER" :
					several ? "-DXFN_MEMBER" :
						  "-DXFN_SINGLE"),
			       (char *)"-include",
			       (char *)plan->settings,
			       (char *)"-include",
			       header,
			       (char *)"-x",
			       (char *)"c",
			       (char *)"-c",
			       (char *)(leader ? entry : plan->units[i].source),
			       (char *)"-o",
			       (char *)object,
			       NULL };
	char *said;
	int ret, fault;

	snprintf(header, sizeof(header), "%s/xdp/%s", plan->support,
		 leader ? "vmlinux.h" : "function_bpf.h");
	snprintf(entry, sizeof(entry), "%s/xdp/standalone_entry.h", plan->support);
	snprintf(include, sizeof(include), "-I%s/functions", plan->support);
	snprintf(slot, sizeof(slot), "-DXFN_SLOT=%u", i);
	snprintf(name, sizeof(name), "-DXFN_NAME=%s", leader ? "xfn" : plan->units[i].name);
	ret = xfn_command__run(argv, &said);
	fault = xfn_compiler__fault(ret, said, err);
	if (ret && !fault)
		xfn_error__set(err, "%s: does not compile as an object of its own: %.*s",
			       leader ? "settings" : plan->units[i].source,
			       (int)strcspn(said, "\n"), said);
	free(said);
	return fault ?: ret ? -EINVAL : 0;
}

int xfn_object__compile(const struct xfn_object_plan *plan, const char *out, struct xfn_error *err)
{
	unsigned units = plan->count + (plan->count > 1);
	struct bpf_linker *linker;
	int ret = 0;

	/* an old one is overwritten in place */
	linker = bpf_linker__new(out, NULL);
	if (!linker)
		ret = -errno;
	/* the finder first: it has the maps that the others use */
	for (unsigned n = 0; !ret && n < units; n++) {
		unsigned i = plan->count > 1 ? (n + plan->count) % units : n;
		char object[PATH_MAX];

		snprintf(object, sizeof(object), "%s/unit-%u.o", plan->folder, i);
		ret = compile(plan, i, object, err);
		if (ret)
			goto out;
		ret = bpf_linker__add_file(linker, object, NULL);
	}
	ret = ret ?: bpf_linker__finalize(linker);
	if (ret)
		xfn_error__set(err, "%s: libbpf does not link it: %s (XFN_DEBUG=1 shows more)", out,
			       strerror(-ret));
out:
	bpf_linker__free(linker);
	return ret;
}

/* Does this code call bpf_xdp_adjust_tail or _head? */
static bool resizes_in(const Elf_Data *code)
{
	const struct bpf_insn *insn = code->d_buf;

	for (size_t i = 0; i < code->d_size / sizeof(*insn); i++)
		if (insn[i].code == (BPF_JMP | BPF_CALL) && !insn[i].src_reg &&
		    (insn[i].imm == BPF_FUNC_xdp_adjust_tail ||
		     insn[i].imm == BPF_FUNC_xdp_adjust_head))
			return true;
	return false;
}

static int look(Elf *elf, const char *out, bool nic, bool *resizes, struct xfn_error *err)
{
	Elf_Scn *scn = NULL;
	size_t names = 0;

	elf_getshdrstrndx(elf, &names);
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;
		GElf_Shdr head;

		if (!gelf_getshdr(scn, &head) || !head.sh_size)
			continue;
		name = elf_strptr(elf, names, head.sh_name) ?: "";
		if (head.sh_flags & SHF_EXECINSTR && elf_getdata(scn, NULL))
			*resizes |= resizes_in(elf_getdata(scn, NULL));
		if (nic && (!strncmp(name, ".rodata", 7) || !strncmp(name, ".data", 5) ||
			    !strncmp(name, ".bss", 4)))
			return xfn_fail(
				err, -EINVAL,
				"%s: has constants or variables in memory (%s), which a NIC does not "
				"take; compute them in the code, or build with --standalone",
				out, name);
	}
	return 0;
}

int xfn_object__read(const char *path, const char *out, bool nic, struct xfn_object_file *file,
		     struct xfn_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;
	struct stat st;
	Elf *elf;

	*file = (struct xfn_object_file){ 0 };
	if (fd < 0 || fstat(fd, &st) || !(file->bytes = malloc(st.st_size)) ||
	    read(fd, file->bytes, st.st_size) != st.st_size) {
		ret = -(errno ?: EIO);
		xfn_error__set(err, "%s: %s", path, strerror(-ret));
	} else {
		file->len = st.st_size;
		elf_version(EV_CURRENT);
		elf = elf_memory(file->bytes, file->len);
		ret = elf ? look(elf, out, nic, &file->resizes, err) : -EINVAL;
		if (elf)
			elf_end(elf);
		else
			xfn_error__set(err, "%s: no ELF object: %s", path, elf_errmsg(-1));
	}
	if (fd >= 0)
		close(fd);
	if (ret) {
		free(file->bytes);
		file->bytes = NULL;
	}
	return ret;
}
