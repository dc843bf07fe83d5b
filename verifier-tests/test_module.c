// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Module writer and reader: a good module comes back whole; damaged ones are named, never crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <linux/types.h>
#include "../xdp/abi.h"
#include "../tools/module_write.h"

static char dir[] = "/tmp/xfn-test-module-XXXXXX";
static char good[64], bad[64];
static const uint8_t kernel_half[] = { 1, 2, 3, 0, 5, 6, 7 };

static int write_echo(int tier, const char *path)
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
	char err[256] = "", so[128];

	snprintf(so, sizeof(so), "%s/functions/echo.so", build);
	if (!xfn_module__write(so, &meta, kernel_half, sizeof(kernel_half), path, err, sizeof(err)))
		return 0;
	print_error("%s\n", err);
	return -1;
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(good, sizeof(good), "%s/good.xfn", dir);
	snprintf(bad, sizeof(bad), "%s/bad.xfn", dir);
	return write_echo(XFN_TIER_XDP, good);
}

static int tear_down(void **state)
{
	(void)state;
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
	char err[256] = "";
	struct xfn_module *mod = xfn_module__open(good, err, sizeof(err));

	(void)state;
	if (!mod)
		fail_msg("%s", err);
	assert_string_equal(mod->attr.name, "echo");
	assert_int_equal(mod->attr.port, 7);
	assert_int_equal(mod->meta.line, 12);
	assert_string_equal(mod->meta.reason, "the verifier accepts it");
	assert_int_equal(mod->bpf_len, sizeof(kernel_half));
	assert_memory_equal(mod->bpf, kernel_half, sizeof(kernel_half));
	xfn_module__close(mod);
}

/* One that asks for it has any tier, and there are no others. */
static void has_a_tier(void **state)
{
	char err[256] = "";
	struct xfn_module *mod;

	(void)state;
	for (int tier = XFN_TIER_AUTO; tier <= XFN_TIER_SOCKET + 1; tier++) {
		assert_int_equal(write_echo(tier, bad), 0);
		mod = xfn_module__open(bad, err, sizeof(err));
		assert_int_equal(mod != NULL, tier >= XFN_TIER_XDP && tier <= XFN_TIER_SOCKET);
		if (mod)
			xfn_module__close(mod);
		else
			assert_non_null(strstr(err, "names no tier"));
	}
}

static void names_what_is_no_module(void **state)
{
	char err[256] = "";

	(void)state;
	assert_null(xfn_module__open("/nonexistent.xfn", err, sizeof(err)));
	assert_non_null(strstr(err, "/nonexistent.xfn: No such file"));
	write_bad("", 0);
	assert_null(xfn_module__open(bad, err, sizeof(err)));
	assert_non_null(strstr(err, "not an ELF file; build it"));
	write_bad("#include", 8);
	assert_null(xfn_module__open(bad, err, sizeof(err)));
	assert_non_null(strstr(err, "not an ELF file"));
	assert_null(xfn_module__open("/proc/self/exe", err, sizeof(err)));
	assert_non_null(strstr(err, "no module"));
	/* nobody writes to it: must not be waited for */
	unlink(bad);
	assert_int_equal(mkfifo(bad, 0600), 0);
	assert_null(xfn_module__open(bad, err, sizeof(err)));
	assert_non_null(strstr(err, "not an ELF file"));
	unlink(bad);
}

static void survives_every_truncation(void **state)
{
	uint8_t bytes[1 << 17];
	FILE *f = fopen(good, "r");
	char err[256];
	size_t len;

	(void)state;
	assert_non_null(f);
	len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	assert_true(len > 1000 && len < sizeof(bytes));
	/* the section table stands last: whatever is cut, the module is not whole */
	for (size_t cut = 0; cut < len; cut += cut < 128 ? 1 : 61) {
		write_bad(bytes, cut);
		assert_null(xfn_module__open(bad, err, sizeof(err)));
		assert_non_null(strstr(err, "bad.xfn: "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_whole),
		cmocka_unit_test(has_a_tier),
		cmocka_unit_test(names_what_is_no_module),
		cmocka_unit_test(survives_every_truncation),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
