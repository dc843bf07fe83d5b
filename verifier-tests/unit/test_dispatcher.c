// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The loaded dispatcher with a function behind its tail call, by BPF_PROG_TEST_RUN. Attaches
 * nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../skel/error.h"
#include "../suite.h"
#include "../whole_file.h"
#include <fcntl.h>
#include <unistd.h>
#include "../../userspace/call/call.h"
#include "../../skel/loader.h"
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
	struct xfn_loader_options opts = {};
	const char *build = getenv("XFN_BUILD") ?: "build";
	char path[256];
	struct xfn_error err = { 0 };
	int ret;

	(void)state;
	snprintf(path, sizeof(path), "%s/functions/echo.bpf.o", build);
	echo.bpf = whole_file(path, &echo.bpf_len);
	if (!echo.bpf)
		return -1;
	ret = xfn_loader__open(&opts, &loader, &err);
	if (ret == -EPERM)
		return 0; /* every test skips */
	if (ret)
		print_error("%s\n", err.line);
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
	struct xfn_error err = { 0 };
	uint8_t out[4096];

	(void)state;
	if (!loader)
		skip();
	assert_int_equal(xfn_loader__reasons(loader, before), 0);
	assert_int_equal(run(4, 0, 64, out), PASS);
	assert_int_equal(xfn_loader__reasons(loader, after), 0);
	assert_int_equal(after[XFN_REASON_NOT_OURS] - before[XFN_REASON_NOT_OURS], 1);

	if (xfn_loader__put(loader, 70, &echo, &refusal, &err))
		fail_msg("%s", err.line);
	assert_int_equal(xfn_loader__put(loader, 3, &echo, &refusal, &err), 0);
	assert_int_equal(xfn_loader__bind(loader, NULL, 1232, 3, XFN_TIER_XDP, &err), 0);
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
	assert_int_equal(xfn_loader__bind(loader, v6, 1232, 70, XFN_TIER_XDP, &err), 0);
	assert_int_equal(run(6, 0, 8, out), TX);
	assert_int_equal(run(4, 0, 8, out), TX);
	assert_int_equal(xfn_loader__slot_counters(loader, 70, &counters), 0);
	assert_int_equal(counters.requests, 1);
	assert_int_equal(xfn_loader__slot_counters(loader, 3, &counters), 0);
	assert_int_equal(counters.requests, 4);

	/* an empty slot is a counted drop */
	assert_int_equal(xfn_loader__bind(loader, v6, 1232, 71, XFN_TIER_XDP, &err), 0);
	assert_int_equal(run(6, 0, 8, out), DROP);
	assert_int_equal(xfn_loader__reasons(loader, after), 0);
	assert_int_equal(after[XFN_REASON_NO_PROGRAM] - before[XFN_REASON_NO_PROGRAM], 1);
	assert_int_equal(xfn_loader__address_del(loader, v4, untagged), 0);
	assert_int_equal(run(4, 0, 8, out), PASS);
}

static int reply(struct xfn_req *req)
{
	(void)req;
	return XFN_REPLY;
}

/* What the kernel's program and the worker's call made of one request. */
static struct {
	uint8_t frame[4096], out[4096]; /* the worker's, and the kernel's */
	size_t outlen;
	unsigned action;
	struct xfn_datagram d;
} both;

static void ask_both(struct xfn_loader *ld, struct xfn_call *call, size_t len)
{
	unsigned ns;

	both.outlen = sizeof(both.out);
	both.d = (struct xfn_datagram){ .data = both.frame,
					.len = len,
					.capacity = sizeof(both.frame) };
	assert_int_equal(xfn_loader__test_run(ld, both.frame, len, both.out, &both.outlen, 1,
					      &both.action, &ns),
			 0);
	xfn_call__batch(call, XFN_FRAME, &both.d, 1);
}

/* Every function of the kernel by tail call from the dispatcher: the frame a worker would have
 * sent. */
static void each_function_by_tail_call(void **state)
{
	static const char *const names[] = { "echo", "reverse", "time" };
	static const uint8_t v4[16] = { [10] = 0xff, 0xff, 10, 78, 0, 1 };
	static const uint16_t untagged[XFN_TAGS] = { 0 };
	const uint64_t now = 1700000000ull * 1000000000ull;
	const struct xfn_runtime live = { .fixed_real_ns = now, .mtu = 1500 };
	const char *dir = getenv("XFN_BUILD") ?: "build";
	static struct xfn_page page;
	struct xfn_refusal refusal;
	struct xfn_error err = { 0 };

	(void)state;
	if (!loader)
		skip();
	assert_int_equal(xfn_loader__set_runtime(loader, &live), 0);
	assert_int_equal(xfn_loader__address_add(loader, v4, untagged), 0);
	for (unsigned slot = 0; slot < 3; slot++) {
		struct xfn_module mod = {};
		struct xfn_native native = {};
		struct xfn_slot_counters counters;
		struct xfn_call call;
		unsigned runs = 0;
		char path[256];
		int fd;

		snprintf(path, sizeof(path), "%s/functions/%s.bpf.o", dir, names[slot]);
		mod.bpf = whole_file(path, &mod.bpf_len);
		assert_non_null(mod.bpf);
		mod.path = path;
		snprintf(mod.attr.name, sizeof(mod.attr.name), "%s", names[slot]);
		if (xfn_loader__put(loader, 10 + slot, &mod, &refusal, &err))
			fail_msg("%s", err.line);
		assert_int_equal(
			xfn_loader__bind(loader, NULL, 1232, 10 + slot, XFN_TIER_XDP, &err), 0);
		snprintf(path, sizeof(path), "%s/functions/%s.so", dir, names[slot]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (xfn_native__load(fd, names[slot], &native, &err))
			fail_msg("%s", err.line);
		assert_int_equal(xfn_call__init(&call, &page), 0);
		call.thread.fixed_real_ns = now;
		assert_int_equal(xfn_call__put(&call, 0, native.module), 0);
		assert_int_equal(xfn_call__bind(&call, NULL, 1232, 0), 0);
		xfn_call__enter(&call);
		for (size_t payload = 0; payload <= 1400; payload += payload < 20 ? 1 : 69) {
			ask_both(loader, &call, frame_build(both.frame, 4, 0, payload));
			assert_int_equal(both.action, TX);
			assert_true(both.d.send);
			assert_int_equal(both.outlen, both.d.len);
			assert_memory_equal(both.out, both.frame, both.outlen);
			runs++;
		}
		assert_int_equal(xfn_loader__slot_counters(loader, 10 + slot, &counters), 0);
		assert_int_equal(counters.replies, runs);
		xfn_call__free(&call);
		xfn_native__unload(&native);
		close(fd);
		free(mod.bpf);
	}
}

/* --rate: the kernel's program and the worker let the same requests through, by the same clock. */
static void rates(void **state)
{
	static const uint64_t times[] = { 1000000000, 1000000000, 1050000000, 1300000000,
					  9000000000 };
	const struct xfn_loader_options opts = { .rate = 100, .flags = XFN_ANY_ADDRESS };
	static const struct xfn_attributes attr = { .api = XFN_API };
	static const struct xfn_native_module own = { .attr = &attr, .body = reply };
	static struct xfn_page page;
	struct xfn_loader *rated = NULL;
	struct xfn_refusal refusal;
	struct xfn_error err = { 0 };
	struct xfn_call call;
	unsigned total = 0;

	(void)state;
	if (!loader)
		skip();
	if (xfn_loader__open(&opts, &rated, &err) ||
	    xfn_loader__put(rated, 0, &echo, &refusal, &err) ||
	    xfn_loader__bind(rated, NULL, 1232, 0, XFN_TIER_XDP, &err))
		fail_msg("%s", err.line);
	assert_int_equal(xfn_call__init(&call, &page), 0);
	assert_int_equal(xfn_call__bound(&call, 100), 0);
	assert_int_equal(xfn_call__put(&call, 0, &own), 0);
	assert_int_equal(xfn_call__bind(&call, NULL, 1232, 0), 0);
	for (unsigned t = 0; t < ARRAY_SIZE(times); t++) {
		const struct xfn_runtime live = { .fixed_mono_ns = times[t], .mtu = 1500 };

		assert_int_equal(xfn_loader__set_runtime(rated, &live), 0);
		call.thread.fixed_mono_ns = times[t];
		for (int i = 0; i < 40; i++) {
			ask_both(rated, &call, frame_build(both.frame, i & 1 ? 4 : 6, 0, 8));
			assert_int_equal(both.action == TX, both.d.send);
			total += both.d.send;
		}
	}
	/* each family's prefix: 16 at once, none, 5 after 50 ms, 16 (no more than the burst) twice
	 */
	assert_int_equal(total, 2 * (16 + 0 + 5 + 16 + 16));
	assert_int_equal(page.reasons[XFN_REASON_RATE], 5 * 40 - total);
	xfn_call__free(&call);
	xfn_loader__close(rated);
}

XFN_SUITE_AROUND(set_up, tear_down, cmocka_unit_test(answers_only_served_addresses),
		 cmocka_unit_test(each_function_by_tail_call), cmocka_unit_test(rates))
