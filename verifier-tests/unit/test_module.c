// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Module writer and reader: a good module comes back whole; damaged ones are named, never crash. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <gelf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <linux/types.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "../../skel/offload.h"
#include "../../skel/program.h"
#include "../../tools/compiler/module_write.h"
#include "../../userspace/call/call.h"
#include "../../xdp/abi.h"
#include "../whole_file.h"

static char dir[] = "/tmp/xfn-test-module-XXXXXX";
static char good[64], bad[64], object[128];
static uint8_t *kernel_half, *image; /* echo's BPF object, and the module in `good` */
static size_t kernel_len, image_len;

static int write_of(const char *name, int tier, const uint8_t *kernel, size_t len, const char *path)
{
	struct xfn_module_meta meta = {
		.magic = XFN_MODULE_MAGIC,
		.version = XFN_MODULE_VERSION,
		.api = XFN_API,
		.abi = XFN_ABI,
		.tier = tier,
		.line = 12,
		.reason = "the verifier accepts it",
	};
	const char *build = getenv("XFN_BUILD") ?: "build";
	char so[128];
	struct xfn_error err = { 0 };

	snprintf(so, sizeof(so), "%s/functions/%s.so", build, name);
	if (!xfn_module__write(so, &meta, kernel, len, path, &err))
		return 0;
	print_error("%s\n", err.line);
	return -1;
}

static int write_echo(int tier, const char *path)
{
	return write_of("echo", tier, kernel_half, kernel_len, path);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(object, sizeof(object), "%s/functions/echo.bpf.o", getenv("XFN_BUILD") ?: "build");
	kernel_half = whole_file(object, &kernel_len);
	if (!kernel_len || !mkdtemp(dir))
		return -1;
	snprintf(good, sizeof(good), "%s/good.xfn", dir);
	snprintf(bad, sizeof(bad), "%s/bad.xfn", dir);
	if (write_echo(XFN_TIER_XDP, good))
		return -1;
	image = whole_file(good, &image_len);
	return image_len > 1000 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(kernel_half);
	free(image);
	unlink(good);
	unlink(bad);
	return rmdir(dir);
}

static void write_bad(const void *bytes, size_t len)
{
	FILE *f = fopen(bad, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void comes_back_whole(void **state)
{
	struct xfn_error err = { 0 };
	struct xfn_module *mod = xfn_module__open(good, &err);

	(void)state;
	if (!mod)
		fail_msg("%s", err.line);
	assert_string_equal(mod->attr.name, "echo");
	assert_int_equal(mod->attr.port, 7);
	assert_int_equal(mod->meta.line, 12);
	assert_string_equal(mod->meta.reason, "the verifier accepts it");
	assert_int_equal(mod->bpf_len, kernel_len);
	assert_memory_equal(mod->bpf, kernel_half, kernel_len);
	xfn_module__close(mod);
}

/* One that asks for it has any tier, and there are no others. */
static void has_a_tier(void **state)
{
	struct xfn_error err = { 0 };
	struct xfn_module *mod;

	(void)state;
	for (int tier = XFN_TIER_AUTO; tier <= XFN_TIER_SOCKET + 1; tier++) {
		assert_int_equal(write_echo(tier, bad), 0);
		mod = xfn_module__open(bad, &err);
		assert_int_equal(mod != NULL, tier >= XFN_TIER_XDP && tier <= XFN_TIER_SOCKET);
		if (mod)
			xfn_module__close(mod);
		else
			assert_non_null(strstr(err.line, "names no tier"));
	}
}

static void names_what_is_no_module(void **state)
{
	struct xfn_error err = { 0 };

	(void)state;
	assert_null(xfn_module__open("/nonexistent.xfn", &err));
	assert_non_null(strstr(err.line, "/nonexistent.xfn: No such file"));
	write_bad("", 0);
	assert_null(xfn_module__open(bad, &err));
	assert_non_null(strstr(err.line, "not an ELF file; build it"));
	write_bad("#include", 8);
	assert_null(xfn_module__open(bad, &err));
	assert_non_null(strstr(err.line, "not an ELF file"));
	assert_null(xfn_module__open("/proc/self/exe", &err));
	assert_non_null(strstr(err.line, "no module"));
	/* nobody writes to it: must not be waited for */
	unlink(bad);
	assert_int_equal(mkfifo(bad, 0600), 0);
	assert_null(xfn_module__open(bad, &err));
	assert_non_null(strstr(err.line, "bad.xfn: is a FIFO, not a regular file"));
	unlink(bad);
	assert_null(xfn_module__open(dir, &err));
	assert_non_null(strstr(err.line, "is a directory"));
}

static void survives_every_truncation(void **state)
{
	struct xfn_error err;

	(void)state;
	/* the section table stands last: whatever is cut, the module is not whole */
	for (size_t cut = 0; cut < image_len; cut += cut < 128 ? 1 : 199) {
		write_bad(image, cut);
		assert_null(xfn_module__open(bad, &err));
		assert_non_null(strstr(err.line, "bad.xfn: "));
	}
}

/* Where a section of a module stands in the file. */
static void find_section(const char *path, const char *want, GElf_Shdr *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *scn = NULL;
	size_t names;
	Elf *elf;

	assert_true(fd >= 0);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
	while ((scn = elf_nextscn(elf, scn))) {
		assert_non_null(gelf_getshdr(scn, out));
		if (!strcmp(elf_strptr(elf, names, out->sh_name), want))
			break;
	}
	elf_end(elf);
	close(fd);
	assert_non_null(scn);
}

/* One bit of a part: the part is named, and nobody has read it. */
static void names_the_damaged_part(void **state)
{
	static const struct {
		const char *section, *words;
	} parts[] = {
		{ XFN_SECTION_META, "its metadata is damaged" },
		{ XFN_SECTION_BPF, "its kernel half is damaged" },
		{ XFN_SECTION_ATTR, "its native half is damaged" },
		{ ".text", "its native half is damaged" },
		{ ".dynamic", "its native half is damaged" },
		{ ".dynsym", "its native half is damaged" },
	};
	struct xfn_error err = { 0 };
	GElf_Shdr shdr;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		find_section(good, parts[i].section, &shdr);
		image[shdr.sh_offset + shdr.sh_size / 2] ^= 1;
		write_bad(image, image_len);
		image[shdr.sh_offset + shdr.sh_size / 2] ^= 1;
		assert_null(xfn_module__open(bad, &err));
		if (!strstr(err.line, parts[i].words))
			fail_msg("%s: %s", parts[i].section, err.line);
	}
}

/* Take a section of `from` into the module in `bad`, as objcopy does. */
static void replace_section(const char *section, const char *from)
{
	char command[400];

	snprintf(command, sizeof(command),
		 "objcopy -O binary --only-section=%s --set-section-flags %s=alloc %s %s.part && "
		 "objcopy --update-section %s=%s.part %s && rm %s.part",
		 section, section, from, bad, section, bad, bad, bad);
	assert_int_equal(system(command), 0);
}

/* Whatever is exchanged, both builds being whole. */
static void refuses_halves_of_two_builds(void **state)
{
	char other[80], object[128];
	struct xfn_error err = { 0 };
	struct xfn_module *mod;
	uint8_t *kernel;
	size_t len;

	(void)state;
	snprintf(other, sizeof(other), "%s/other.xfn", dir);
	snprintf(object, sizeof(object), "%s/functions/time.bpf.o", getenv("XFN_BUILD") ?: "build");
	kernel = whole_file(object, &len);
	assert_int_equal(write_of("time", XFN_TIER_XDP, kernel, len, other), 0);
	free(kernel);
	write_bad(image, image_len);
	replace_section(XFN_SECTION_BPF, other);
	assert_null(xfn_module__open(bad, &err));
	assert_non_null(strstr(err.line,
			       "its kernel half is damaged, or of another build than its native "
			       "half"));
	/* its metadata too: now the native half is the stranger */
	replace_section(XFN_SECTION_META, other);
	assert_null(xfn_module__open(bad, &err));
	assert_non_null(strstr(err.line, "its native half is damaged, or of another build"));
	/* what changes no part changes nothing */
	write_bad(image, image_len);
	replace_section(XFN_SECTION_BPF, good);
	mod = xfn_module__open(bad, &err);
	if (!mod)
		fail_msg("%s", err.line);
	xfn_module__close(mod);
	unlink(other);
}

/* The copy is what was opened, and nobody changes it. */
static void keeps_what_was_opened(void **state)
{
	struct xfn_module *mod;
	uint8_t *copy = malloc(image_len);
	struct xfn_error err = { 0 };

	(void)state;
	write_bad(image, image_len);
	mod = xfn_module__open(bad, &err);
	if (!mod)
		fail_msg("%s", err.line);
	for (size_t i = 0; i < image_len; i++) /* in place: the same inode */
		copy[i] = (uint8_t)~image[i];
	write_bad(copy, image_len);
	assert_int_equal(pread(mod->fd, copy, image_len, 0), image_len);
	assert_memory_equal(copy, image, image_len);
	assert_int_equal(fcntl(mod->fd, F_GET_SEALS) &
				 (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL),
			 F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
	assert_int_equal(pwrite(mod->fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(mod->fd, 1), -1);
	assert_ptr_equal(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, mod->fd, 0), MAP_FAILED);
	xfn_module__close(mod);
	free(copy);
}

#define MUTANTS 2000

static uint32_t draw(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	return *state ^= *state << 5;
}

/* Mostly there where readers look: headers, section table, names, metadata, the kernel half. */
static void mutate(uint8_t *bytes, size_t len, const GElf_Shdr *meta, const GElf_Shdr *bpf,
		   uint32_t *seed)
{
	const struct {
		size_t off, len;
	} places[] = { { 0, 64 },
		       { 64, 9 * 56 },
		       { len - 38 * 64, 38 * 64 },
		       { meta->sh_offset - 600, 600 },
		       { meta->sh_offset, meta->sh_size },
		       { bpf->sh_offset, bpf->sh_size },
		       { 0, len } };
	static const uint64_t odd[] = { 0, 1, 0x7fffffffffffffff, ~0ull, 0xffffffff, 0xfff0 };
	unsigned changes = 1 + draw(seed) % 4;

	for (unsigned i = 0; i < changes; i++) {
		unsigned place = draw(seed) % ARRAY_SIZE(places);
		size_t at = places[place].off + draw(seed) % places[place].len;
		uint64_t value = odd[draw(seed) % 6];
		size_t n = 1u << draw(seed) % 4;

		if (draw(seed) % 2)
			bytes[at] ^= (uint8_t)(1u << draw(seed) % 8);
		else
			memcpy(bytes + at, &value, n < len - at ? n : len - at);
	}
}

/* What is taken after all was changed where nobody reads: its parts are the good one's. */
static void check_taken(const struct xfn_module *mod, const struct xfn_module *whole)
{
	struct bpf_program *prog;
	struct bpf_object *obj;
	struct xfn_error err = { 0 };

	assert_memory_equal(&mod->attr, &whole->attr, sizeof(mod->attr));
	assert_memory_equal(&mod->meta, &whole->meta, sizeof(mod->meta));
	assert_int_equal(mod->bpf_len, whole->bpf_len);
	assert_memory_equal(mod->bpf, whole->bpf, mod->bpf_len);
	obj = xfn_program__open(mod->bpf, mod->bpf_len, "echo", NULL, &prog, &err);
	assert_non_null(obj);
	bpf_object__close(obj);
}

static void no_mutant_ends_its_reader(void **state)
{
	uint8_t *bytes = malloc(image_len);
	unsigned refused = 0, taken = 0;
	struct xfn_module *whole, *mod;
	struct xfn_native native = {};
	uint32_t seed = 20240229;
	GElf_Shdr meta, bpf;
	struct xfn_error err = { 0 };

	(void)state;
	assert_non_null(bytes);
	xfn_program__quiet_libbpf();
	whole = xfn_module__open(good, &err);
	assert_non_null(whole);
	find_section(good, XFN_SECTION_META, &meta);
	find_section(good, XFN_SECTION_BPF, &bpf);
	for (unsigned i = 0; i < MUTANTS; i++) {
		memcpy(bytes, image, image_len);
		mutate(bytes, image_len, &meta, &bpf, &seed);
		write_bad(bytes, image_len);
		err.line[0] = 0;
		mod = xfn_module__open(bad, &err);
		if (!mod) {
			refused++;
			assert_non_null(strstr(err.line, "bad.xfn: "));
			continue;
		}
		check_taken(mod, whole);
		if (!taken++) { /* and its native half is what the linker finds in it */
			assert_int_equal(xfn_native__load(mod->fd, "echo", &native, &err), 0);
			xfn_native__unload(&native);
		}
		xfn_module__close(mod);
	}
	print_message("%u mutants refused, %u had changes where nobody reads\n", refused, taken);
	assert_true(refused > MUTANTS / 2);
	xfn_module__close(whole);
	free(bytes);
}

/* A BPF object that no module holds has no hash: libbpf itself is asked, in a process of its own.
 */
static void no_mutant_object_ends_its_reader(void **state)
{
	uint8_t *bytes = malloc(kernel_len);
	unsigned taken = 0, refused = 0, crashed = 0;
	uint32_t seed = 20240301;
	struct xfn_error err = { 0 };
	GElf_Shdr btf;

	(void)state;
	assert_non_null(bytes);
	find_section(object, ".BTF", &btf);
	assert_int_equal(xfn_offload__check(kernel_half, kernel_len, &err), 0);
	for (unsigned i = 0; i < MUTANTS / 4; i++) {
		GElf_Shdr all = { .sh_offset = 600, .sh_size = kernel_len - 600 };
		int ret;

		memcpy(bytes, kernel_half, kernel_len);
		/* types without end: the place where libbpf 1.1.2 does crash */
		if (i % 2)
			bytes[btf.sh_offset + 512 + i / 2] |= 0x20;
		else
			mutate(bytes, kernel_len, &all, &all, &seed);
		ret = xfn_offload__check(bytes, kernel_len, &err);
		if (!ret)
			taken++;
		else if (ret == -EBADMSG)
			crashed++;
		else
			refused++;
		assert_true(!ret || err.line[0]);
	}
	print_message("%u objects read, %u refused, %u ended their reader's process\n", taken,
		      refused, crashed);
	assert_true(refused > 0);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_whole),
		cmocka_unit_test(has_a_tier),
		cmocka_unit_test(names_what_is_no_module),
		cmocka_unit_test(survives_every_truncation),
		cmocka_unit_test(names_the_damaged_part),
		cmocka_unit_test(refuses_halves_of_two_builds),
		cmocka_unit_test(keeps_what_was_opened),
		cmocka_unit_test(no_mutant_ends_its_reader),
		cmocka_unit_test(no_mutant_object_ends_its_reader),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
