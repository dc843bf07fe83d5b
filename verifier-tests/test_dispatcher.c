// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The loaded dispatcher with a function behind its tail call, by BPF_PROG_TEST_RUN. Attaches
 * nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../skel/loader.h"
#include "frame.h"

enum {
	PASS = 2,
	TX = 3,
	DROP = 1
};

static struct xfn_loader *loader;
static struct xfn_module echo = { .attr = { .name = "echo", .port = 1232 } };

static int set_up(void **state)
{
	struct xfn_loader_options opts = { .iface = 1 };
	const char *build = getenv("XFN_BUILD") ?: "build";
	char path[256], err[XFN_ERR_MAX] = "";
	FILE *f;
	int ret;

	(void)state;
	snprintf(path, sizeof(path), "%s/functions/echo.bpf.o", build);
	f = fopen(path, "r");
	echo.bpf = malloc(1 << 20);
	if (!f || !echo.bpf)
		return -1;
	echo.bpf_len = fread(echo.bpf, 1, 1 << 20, f);
	fclose(f);
	ret = xfn_loader__open(&opts, &loader, err, sizeof(err));
	if (ret == -EPERM)
		return 0; /* every test skips */
	if (ret)
		print_error("%s\n", err);
	return ret;
}

static int tear_down(void **state)
{
	(void)state;
	xfn_loader__close(loader);
	free(echo.bpf);
	return 0;
}

static unsigned run(int version, int tags, size_t payload, uint8_t *out)
{
	uint8_t frame[2048];
	size_t len = frame_build(frame, version, tags, payload), outlen = 4096;
	unsigned action, ns;

	assert_int_equal(xfn_loader__test_run(loader, frame, len, out, &outlen, 1, &action, &ns),
			 0);
	if (action == TX)
		assert_int_equal(outlen, len);
	return action;
}

static void answers_only_served_addresses(void **state)
{
	static const uint8_t v4[16] = { [10] = 0xff, 0xff, 10, 78, 0, 1 };
	static const uint8_t v6[16] = { 0xfd, [15] = 1 };
	static const uint16_t untagged[XFN_TAGS] = { 0 }, tagged[XFN_TAGS] = { 100 };
	uint64_t before[XFN_REASON_SLOTS], after[XFN_REASON_SLOTS];
	struct xfn_slot_counters counters;
	struct xfn_refusal refusal;
	char err[XFN_ERR_MAX] = "";
	uint8_t out[4096];

	(void)state;
	if (!loader)
		skip();
	assert_int_equal(xfn_loader__reasons(loader, before), 0);
	assert_int_equal(run(4, 0, 64, out), PASS);
	assert_int_equal(xfn_loader__reasons(loader, after), 0);
	assert_int_equal(after[XFN_REASON_NOT_OURS] - before[XFN_REASON_NOT_OURS], 1);

	if (xfn_loader__put(loader, 70, &echo, &refusal, err, sizeof(err)))
		fail_msg("%s", err);
	assert_int_equal(xfn_loader__put(loader, 3, &echo, &refusal, err, sizeof(err)), 0);
	assert_int_equal(xfn_loader__bind(loader, NULL, 1232, 3, XFN_TIER_XDP, err, sizeof(err)),
			 0);
	assert_int_equal(run(4, 0, 64, out), PASS);
	assert_int_equal(xfn_loader__reasons(loader, after), 0);
	assert_int_equal(after[XFN_REASON_NOT_LOCAL] - before[XFN_REASON_NOT_LOCAL], 1);

	assert_int_equal(xfn_loader__address_add(loader, v4, untagged), 0);
	assert_int_equal(xfn_loader__address_add(loader, v6, untagged), 0);
	assert_int_equal(xfn_loader__address_add(loader, v4, tagged), 0);
	assert_int_equal(run(4, 0, 64, out), TX);
	assert_int_equal(run(6, 0, 1400, out), TX);
	assert_int_equal(run(4, 1, 0, out), TX);
	assert_int_equal(run(6, 1, 0, out), PASS);
	assert_int_equal(run(4, 2, 0, out), PASS);
	assert_int_equal(xfn_loader__slot_counters(loader, 3, &counters), 0);
	assert_int_equal(counters.requests, 3);
	assert_int_equal(counters.replies, 3);
	assert_int_equal(counters.bytes_in, 1464);

	/* a shared port: the second function on one address, slot 70 by variable index */
	assert_int_equal(xfn_loader__bind(loader, v6, 1232, 70, XFN_TIER_XDP, err, sizeof(err)), 0);
	assert_int_equal(run(6, 0, 8, out), TX);
	assert_int_equal(run(4, 0, 8, out), TX);
	assert_int_equal(xfn_loader__slot_counters(loader, 70, &counters), 0);
	assert_int_equal(counters.requests, 1);
	assert_int_equal(xfn_loader__slot_counters(loader, 3, &counters), 0);
	assert_int_equal(counters.requests, 4);

	/* an emptied slot is a counted drop */
	xfn_loader__clear(loader, 70);
	assert_int_equal(run(6, 0, 8, out), DROP);
	assert_int_equal(xfn_loader__reasons(loader, after), 0);
	assert_int_equal(after[XFN_REASON_NO_PROGRAM] - before[XFN_REASON_NO_PROGRAM], 1);
	assert_int_equal(xfn_loader__address_del(loader, v4, untagged), 0);
	assert_int_equal(run(4, 0, 8, out), PASS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_only_served_addresses),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
