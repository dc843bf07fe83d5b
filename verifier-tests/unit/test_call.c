// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The worker's call path against the kernel program of the same function: every single-bit change
 * of a request's headers and every truncation must end in the same reply, byte for byte, or in the
 * same counted reason. Attaches nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "../../userspace/call/call.h"
#include "../../userspace/call/keyed_hash.h"
#include "../../xdp/guard.h"
#include "frame.h"

#define NOW (1700000000ull * 1000000000ull)

static struct xfn_page page;
static struct xfn_call call;

struct pair {
	struct xfn_native native;
	struct bpf_object *obj;
	int module_fd, prog_fd, reasons_fd;
};

static void open_pair(const char *name, struct pair *p)
{
	const char *dir = getenv("XFN_BUILD") ?: "build";
	struct xfn_runtime value = { .fixed_real_ns = NOW, .mtu = 1500 };
	struct bpf_map *live;
	char path[256];
	struct xfn_error err;

	snprintf(path, sizeof(path), "%s/functions/%s.bpf.o", dir, name);
	p->obj = bpf_object__open_file(path, NULL);
	assert_non_null(p->obj);
	if (bpf_object__load(p->obj)) {
		if (errno != EPERM)
			fail_msg("%s: the verifier refuses it", name);
		bpf_object__close(p->obj);
		print_message("SKIP: loading BPF programs is not permitted here\n");
		skip();
	}
	p->prog_fd = bpf_program__fd(bpf_object__next_program(p->obj, NULL));
	p->reasons_fd = bpf_object__find_map_fd_by_name(p->obj, "xfn_reasons");
	live = bpf_object__find_map_by_name(p->obj, "xfn_runtime");
	if (live)
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(live), &(__u32){ 0 }, &value, 0),
				 0);
	snprintf(path, sizeof(path), "%s/functions/%s.so", dir, name);
	p->module_fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(p->module_fd >= 0);
	if (xfn_native__load(p->module_fd, name, &p->native, &err))
		fail_msg("%s", err.line);
	memset(&page, 0, sizeof(page));
	assert_int_equal(xfn_call__init(&call, &page), 0);
	call.thread.fixed_real_ns = NOW;
	assert_int_equal(xfn_call__put(&call, 0, p->native.module), 0);
	for (unsigned port = 1; port < 65536; port++)
		assert_int_equal(xfn_call__bind(&call, NULL, port, 0), 0);
	xfn_call__enter(&call);
}

static void close_pair(struct pair *p)
{
	xfn_call__free(&call);
	xfn_native__unload(&p->native);
	close(p->module_fd);
	bpf_object__close(p->obj);
}

static void kernel_reasons(const struct pair *p, uint64_t out[XFN_REASON_SLOTS])
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t values[cpus];

	for (__u32 key = 0; key < XFN_REASON_SLOTS; key++) {
		out[key] = 0;
		assert_int_equal(bpf_map_lookup_elem(p->reasons_fd, &key, values), 0);
		for (int i = 0; i < cpus; i++)
			out[key] += values[i];
	}
}

/* One frame through both; what they did must be the same. */
static void compare(const struct pair *p, const uint8_t *frame, size_t len, const char *what,
		    int where)
{
	uint64_t before[XFN_REASON_SLOTS], after[XFN_REASON_SLOTS], was[XFN_REASON_SLOTS];
	uint8_t out[4096], own[4096];
	struct xfn_datagram d = { .data = own, .len = len, .capacity = sizeof(own) };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = len, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = 1);

	memcpy(own, frame, len);
	memcpy(was, page.reasons, sizeof(was));
	xfn_call__batch(&call, XFN_FRAME, &d, 1);
	kernel_reasons(p, before);
	assert_int_equal(bpf_prog_test_run_opts(p->prog_fd, &run), 0);
	kernel_reasons(p, after);
	for (int i = 0; i < XFN_REASON_SLOTS; i++)
		if (after[i] - before[i] != page.reasons[i] - was[i])
			fail_msg("%s %d: reason %d: kernel %llu, worker %llu", what, where, i,
				 (unsigned long long)(after[i] - before[i]),
				 (unsigned long long)(page.reasons[i] - was[i]));
	if (d.send != (run.retval == 3))
		fail_msg("%s %d: XDP action %u, worker %s", what, where, run.retval,
			 d.send ? "replies" : "does not reply");
	if (!d.send)
		return;
	assert_int_equal(d.len, run.data_size_out);
	for (size_t i = 0; i < d.len; i++)
		if (own[i] != out[i])
			fail_msg("%s %d: byte %zu: kernel %02x, worker %02x", what, where, i,
				 out[i], own[i]);
}

static void every_header_bit(const char *name)
{
	struct pair p = {};

	open_pair(name, &p);
	for (int version = 4; version <= 6; version += 2) {
		for (int tags = 0; tags <= 2; tags++) {
			uint8_t frame[2048];
			size_t len = frame_build(frame, version, tags, 37);

			compare(&p, frame, len, "untouched", version);
			for (size_t bit = 0; bit < (len - 37) * 8; bit++) {
				frame[bit / 8] ^= 1 << bit % 8;
				compare(&p, frame, len, "bit", bit);
				frame[bit / 8] ^= 1 << bit % 8;
			}
			for (size_t cut = 14; cut < len; cut++)
				compare(&p, frame, cut, "cut to", cut);
			memset(frame + len, 0xee, 40);
			for (size_t pad = 1; pad < 40; pad++)
				compare(&p, frame, len + pad, "padded by", pad);
		}
	}
	close_pair(&p);
}

static void echo(void **state)
{
	(void)state;
	every_header_bit("echo");
	assert_true(page.reasons[XFN_REASON_BAD_UDP_SUM] > 0);
	assert_true(page.slots[0].replies > 0);
}

static void reverse(void **state)
{
	(void)state;
	every_header_bit("reverse");
}

static void rfc868_time(void **state)
{
	(void)state;
	every_header_bit("time");
}

static int answer(struct xfn_req *req)
{
	(void)req;
	return XFN_REPLY;
}

static int surprise(struct xfn_req *req)
{
	(void)req;
	return 77;
}

/* Is one more request replied to? */
static bool answered(void)
{
	uint8_t frame[256];
	struct xfn_datagram d = { .data = frame, .capacity = sizeof(frame) };

	d.len = frame_build(frame, 4, 0, 10);
	xfn_call__batch(&call, XFN_FRAME, &d, 1);
	return d.send;
}

/* Shared ports: an address of its own before the function of every address. */
static void bindings(void **state)
{
	static const struct xfn_attributes attr = { .api = XFN_API };
	static const struct xfn_native_module reply = { .attr = &attr, .body = answer };
	static const struct xfn_native_module odd = { .attr = &attr, .body = surprise };
	static const uint8_t ours[16] = { [10] = 0xff, 0xff, 10, 78, 0, 1 };
	static const uint8_t other[16] = { [10] = 0xff, 0xff, 10, 78, 0, 9 };

	(void)state;
	memset(&page, 0, sizeof(page));
	assert_int_equal(xfn_call__init(&call, &page), 0);
	assert_int_equal(xfn_call__put(&call, 3, &reply), 0);
	assert_int_equal(xfn_call__put(&call, 4, &odd), 0);
	assert_int_equal(xfn_call__put(&call, XFN_SLOTS, &reply), -EINVAL);
	assert_int_equal(xfn_call__bind(&call, NULL, 1232, 5), -EINVAL);
	assert_int_equal(xfn_call__bind(&call, other, 1232, 3), 0);
	assert_false(answered());
	assert_int_equal(page.reasons[XFN_REASON_NOT_OURS], 1);
	assert_int_equal(xfn_call__bind(&call, NULL, 1232, 4), 0);
	assert_int_equal(xfn_call__bind(&call, NULL, 1232, 3), -EEXIST);
	assert_false(answered());
	assert_int_equal(page.reasons[XFN_REASON_BAD_ACTION], 1);
	assert_int_equal(xfn_call__bind(&call, ours, 1232, 3), 0);
	assert_int_equal(xfn_call__bind(&call, ours, 1232, 4), -EEXIST);
	assert_true(answered());
	assert_int_equal(page.slots[3].replies, 1);
	assert_int_equal(page.running_slot, 0);
	/* in quarantine it is not called, and its neighbour is */
	xfn_call__quarantine(&call, XFN_SLOTS, true);
	xfn_call__quarantine(&call, 3, true);
	assert_false(answered());
	assert_int_equal(page.reasons[XFN_REASON_QUARANTINE], 1);
	assert_int_equal(page.slots[3].requests, 1);
	assert_int_equal(page.slots[3].dropped, 1);
	xfn_call__quarantine(&call, 3, false);
	assert_true(answered());
	xfn_call__free(&call);
}

static int grow_by_thousand(struct xfn_req *req)
{
	uint32_t n = req->len + 1000;

	if (n <= req->room)
		return XFN_REPLY;
	req->refused = n; /* as xfn_resize does */
	return XFN_DROP;
}

/* A reply that was refused its length is counted under what stood in the way. */
static void refused_lengths(void **state)
{
	static const struct {
		uint32_t grow, amplify;
		size_t payload;
		enum xfn_reason reason;
	} cases[] = {
		{ 1000, 2, 64, XFN_REASON_AMPLIFY },
		{ 1000, 100, 1400, XFN_REASON_MTU },
		{ 10, 100, 64, XFN_REASON_FUNCTION },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct xfn_attributes attr = { .api = XFN_API,
						     .grow = cases[i].grow,
						     .amplify = cases[i].amplify };
		const struct xfn_native_module mod = { .attr = &attr, .body = grow_by_thousand };
		uint8_t frame[4096];
		struct xfn_datagram d = { .data = frame, .capacity = sizeof(frame) };

		memset(&page, 0, sizeof(page));
		assert_int_equal(xfn_call__init(&call, &page), 0);
		assert_int_equal(xfn_call__put(&call, 0, &mod), 0);
		assert_int_equal(xfn_call__bind(&call, NULL, 1232, 0), 0);
		d.len = frame_build(frame, 4, 0, cases[i].payload);
		xfn_call__batch(&call, XFN_FRAME, &d, 1);
		assert_false(d.send);
		assert_int_equal(page.reasons[cases[i].reason], 1);
		xfn_call__free(&call);
	}
}

/* A payload from a UDP socket: guards hold there too. */
static void payloads(void **state)
{
	static const struct xfn_attributes attr = { .api = XFN_API };
	static const struct xfn_native_module reply = { .attr = &attr, .body = answer };
	uint8_t data[64] = "hello";
	struct xfn_datagram d = {
		.data = data, .len = 5, .capacity = 64, .slot = 2, .peer = { .port = 40000 }
	};

	(void)state;
	memset(&page, 0, sizeof(page));
	assert_int_equal(xfn_call__init(&call, &page), 0);
	assert_int_equal(xfn_call__put(&call, 2, &reply), 0);
	xfn_call__batch(&call, XFN_PAYLOAD, &d, 1);
	assert_true(d.send);
	assert_int_equal(d.len, 5);
	d.peer.port = 19; /* chargen would answer back for ever */
	xfn_call__batch(&call, XFN_PAYLOAD, &d, 1);
	assert_false(d.send);
	assert_int_equal(page.reasons[XFN_REASON_RESPONDER], 1);
	d.peer.port = 40000;
	xfn_call__quarantine(&call, 2, true);
	xfn_call__batch(&call, XFN_PAYLOAD, &d, 1);
	assert_false(d.send);
	assert_int_equal(page.reasons[XFN_REASON_QUARANTINE], 1);
	xfn_call__free(&call);
}

/* The keyed hash is SipHash-1-3: what its authors' program says of the bytes 0 to 7. */
static void keyed_hash(void **state)
{
	static const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

	(void)state;
	assert_int_equal(xfn_keyed_hash(key, 0x0706050403020100), 0x369095118d299a8e);
}

#define RATE	    100 /* requests per second: a burst of 16 */
#define RIVALS	    32
#define OLD(prefix) ((prefix)*0x9e3779b97f4a7c15ull >> 32 & (XFN_RATES - 1))

/* Does 10.78.7.0/24 get an answer after the /24 prefixes `rivals` have used up their bounds? */
static bool answered_beside(const uint32_t rivals[RIVALS])
{
	static const struct xfn_attributes attr = { .api = XFN_API };
	static const struct xfn_native_module mod = { .attr = &attr, .body = answer };
	uint8_t data[8] = {};
	struct xfn_datagram d = {
		.data = data, .len = 8, .capacity = 8, .peer = { .ip = { [10] = 0xff, 0xff } }
	};

	memset(&page, 0, sizeof(page));
	assert_int_equal(xfn_call__init(&call, &page), 0);
	assert_int_equal(xfn_call__bound(&call, RATE), 0);
	assert_int_equal(xfn_call__put(&call, 0, &mod), 0);
	call.thread.fixed_mono_ns = NOW;
	d.peer.port = 40000;
	for (unsigned i = 0; i <= RIVALS; i++) {
		uint32_t prefix = i < RIVALS ? rivals[i] : 10 << 16 | 78 << 8 | 7;

		d.peer.ip[12] = (uint8_t)(prefix >> 16);
		d.peer.ip[13] = (uint8_t)(prefix >> 8);
		d.peer.ip[14] = (uint8_t)prefix;
		for (unsigned k = 0; k < (i < RIVALS ? XFN_RATE_BURST_MIN + 1 : 1); k++)
			xfn_call__batch(&call, XFN_PAYLOAD, &d, 1);
		assert_true(i == RIVALS || !d.send);
	}
	xfn_call__free(&call);
	return d.send;
}

/* Prefixes that meet under a hash without a key do not use up each other's bound. */
static void rates_apart(void **state)
{
	const uint64_t own = 10 << 16 | 78 << 8 | 7;
	uint32_t rivals[RIVALS];
	unsigned count = 0;
	bool answered = false;

	(void)state;
	for (uint32_t prefix = 1 << 16; count < RIVALS; prefix++)
		if (prefix != own && OLD((uint64_t)prefix) == OLD(own))
			rivals[count++] = prefix;
	/* once in 500 times one of them meets it all the same */
	for (int i = 0; i < 4 && !answered; i++)
		answered = answered_beside(rivals);
	assert_true(answered);
}

static int beside_at; /* from the payload's first byte */
static sigjmp_buf ended;

static int write_beside(struct xfn_req *req)
{
	req->payload[beside_at] ^= 0x5a;
	return XFN_REPLY;
}

static int claim_more(struct xfn_req *req)
{
	req->len = req->room + 1;
	return XFN_REPLY;
}

static int claim_other(struct xfn_req *req)
{
	req->payload -= 8;
	return XFN_REPLY;
}

static void on_abort(int sig)
{
	siglongjmp(ended, sig);
}

/* Answers one datagram. Where the page says that the function wrote, if it ended the process. */
static uint32_t ends(const struct xfn_native_module *mod, enum xfn_datagram_kind kind,
		     struct xfn_datagram *d)
{
	struct sigaction act = { .sa_handler = on_abort }, old;
	volatile uint32_t where = XFN_OVERRUN_NONE;

	memset(&page, 0, sizeof(page));
	assert_int_equal(xfn_call__init(&call, &page), 0);
	assert_int_equal(xfn_call__put(&call, 0, mod), 0);
	assert_int_equal(xfn_call__bind(&call, NULL, 1232, 0), 0);
	sigaction(SIGABRT, &act, &old);
	if (sigsetjmp(ended, 1)) {
		assert_int_equal(page.running_slot, 1);
		assert_int_equal(page.slots[0].replies, 0);
		where = page.overrun;
	} else {
		xfn_call__batch(&call, kind, d, 1);
		assert_true(d->send);
	}
	sigaction(SIGABRT, &old, NULL);
	xfn_call__free(&call);
	return where;
}

/* Whatever byte of its headers a function changes, the frame is not sent. */
static void beside_frames(void **state)
{
	static const struct xfn_attributes attr = { .api = XFN_API };
	static const struct xfn_native_module mod = { .attr = &attr, .body = write_beside };
	static const struct xfn_native_module more = { .attr = &attr, .body = claim_more };
	static const struct xfn_native_module other = { .attr = &attr, .body = claim_other };
	uint8_t frame[256];
	struct xfn_datagram d = { .data = frame, .capacity = sizeof(frame) };

	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		for (int tags = 0; tags <= 2; tags++) {
			int len = (int)frame_build(frame, version, tags, 10), headers = len - 10;

			for (beside_at = -headers; beside_at < 0; beside_at++) {
				d.len = frame_build(frame, version, tags, 10);
				assert_int_equal(ends(&mod, XFN_FRAME, &d), XFN_OVERRUN_BEFORE);
			}
			for (beside_at = 10; beside_at < 10 + XFN_GUARD; beside_at++) {
				d.len = frame_build(frame, version, tags, 10);
				assert_int_equal(ends(&mod, XFN_FRAME, &d), XFN_OVERRUN_BEHIND);
			}
			for (beside_at = 0; beside_at < 10; beside_at += 9) {
				d.len = frame_build(frame, version, tags, 10);
				assert_int_equal(ends(&mod, XFN_FRAME, &d), XFN_OVERRUN_NONE);
			}
			d.len = frame_build(frame, version, tags, 10);
			assert_int_equal(ends(&more, XFN_FRAME, &d), XFN_OVERRUN_BEHIND);
			d.len = frame_build(frame, version, tags, 10);
			assert_int_equal(ends(&other, XFN_FRAME, &d), XFN_OVERRUN_BEHIND);
		}
	}
}

/* A payload that fills its buffer has its guards as well. */
static void beside_payloads(void **state)
{
	static const struct xfn_attributes attr = { .api = XFN_API };
	static const struct xfn_native_module mod = { .attr = &attr, .body = write_beside };
	uint8_t buffer[XFN_GUARD + 32 + XFN_GUARD] = {};
	struct xfn_datagram d = { .data = buffer + XFN_GUARD,
				  .len = 32,
				  .capacity = 32,
				  .guarded = true,
				  .peer = { .port = 40000 } };

	(void)state;
	for (beside_at = -XFN_GUARD; beside_at < 32 + XFN_GUARD; beside_at++)
		assert_int_equal(ends(&mod, XFN_PAYLOAD, &d), beside_at < 0   ? XFN_OVERRUN_BEFORE :
							      beside_at >= 32 ? XFN_OVERRUN_BEHIND :
										XFN_OVERRUN_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo),
		cmocka_unit_test(reverse),
		cmocka_unit_test(rfc868_time),
		cmocka_unit_test(bindings),
		cmocka_unit_test(refused_lengths),
		cmocka_unit_test(payloads),
		cmocka_unit_test(keyed_hash),
		cmocka_unit_test(rates_apart),
		cmocka_unit_test(beside_frames),
		cmocka_unit_test(beside_payloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
