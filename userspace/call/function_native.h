/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * xfn.h for the native target; force-included before an author's source, with XFN_NATIVE defined.
 * Works on struct xfn_req alone; must never know of engines, workers or frames.
 */
#ifndef XFN_FUNCTION_NATIVE_H
#define XFN_FUNCTION_NATIVE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define XFN_CALL	       static inline __attribute__((always_inline, unused))
#define XFN_ATTRIBUTES_SECTION __attribute__((section("xfn.attr"), used, aligned(8)))

/* The cell is the worker's once the module is loaded; until then the counter counts in itself. */
#define XFN_COUNTER(counter)                                                                       \
	_Static_assert(sizeof(#counter) <= XFN_COUNTER_NAME,                                       \
		       "the name of an XFN_COUNTER has at most 23 letters");                       \
	static struct xfn_native_counter xfn_counter_##counter = {                                 \
		.name = #counter,                                                                  \
		.value = &xfn_counter_##counter.own,                                               \
	};                                                                                         \
	static struct xfn_native_counter *const xfn_counter_entry_##counter                        \
		__attribute__((section("xfn_counters"), used)) = &xfn_counter_##counter
#define xfn_count(counter) ((void)++*xfn_counter_##counter.value)

#define XFN_ENTRY(function)                                                                        \
	__attribute__((visibility("default"), used)) const struct xfn_native_module xfn_module = { \
		.api = XFN_API,                                                                    \
		.abi = XFN_ABI,                                                                    \
		.attr = &xfn_attributes,                                                           \
		.body = xfn_body_entry,                                                            \
		.init = xfn_init,                                                                  \
		.counters = __start_xfn_counters,                                                  \
		.counters_end = __stop_xfn_counters,                                               \
	};

#include <linux/types.h>
#include "../../xdp/abi.h"
#include "request.h"

/* Weak: a source without XFN_INIT, without XFN_COUNTER leaves them NULL. */
__attribute__((weak, visibility("hidden"))) int xfn_init(void);
extern struct xfn_native_counter *const __start_xfn_counters[]
	__attribute__((weak, visibility("hidden")));
extern struct xfn_native_counter *const __stop_xfn_counters[]
	__attribute__((weak, visibility("hidden")));

static inline int xfn_body(struct xfn_req *req);

__attribute__((unused)) static int xfn_body_entry(struct xfn_req *req)
{
#ifdef __clang_analyzer__
	req->lent[0] = req->lent[1] = req->lent[2] = req->lent[3] = NULL;
#endif
	return xfn_body(req);
}

#ifdef __clang_analyzer__
/*
 * What the static analyzer is to see instead of a place in the payload: memory of `n` bytes that
 * hold anything, and that xfn_resize gives back.
 */
void xfn_lent(void *p); /* nobody defines it: the bytes may be anything now */

XFN_CALL void *xfn_lend(struct xfn_req *req, uint32_t off, uint32_t n)
{
	void *p = malloc(n);

	(void)off;
	if (!p)
		return NULL;
	xfn_lent(p);
	req->lent[3] = req->lent[2];
	req->lent[2] = req->lent[1];
	req->lent[1] = req->lent[0];
	req->lent[0] = p;
	return p;
}
#else
#define xfn_lend(req, off, n) ((req)->payload + (off))
#endif

XFN_CALL uint32_t xfn_len(const struct xfn_req *req)
{
	return req->len;
}

XFN_CALL const void *xfn_at(struct xfn_req *req, uint32_t off, uint32_t n)
{
	return off <= req->len && n <= req->len - off ? xfn_lend(req, off, n) : NULL;
}

XFN_CALL void *xfn_edit(struct xfn_req *req, uint32_t off, uint32_t n)
{
	if (off > req->len || n > req->len - off)
		return NULL;
	req->written = true;
	return xfn_lend(req, off, n);
}

XFN_CALL int xfn_read(struct xfn_req *req, uint32_t off, void *dst, uint32_t n, uint32_t max)
{
	const void *p = xfn_at(req, off, n);

	if (!p || n > max)
		return -EINVAL;
	memcpy(dst, p, n);
	return 0;
}

XFN_CALL int xfn_write(struct xfn_req *req, uint32_t off, const void *src, uint32_t n, uint32_t max)
{
	void *p = n <= max ? xfn_edit(req, off, n) : NULL;

	if (!p)
		return -EINVAL;
	memcpy(p, src, n);
	return 0;
}

XFN_CALL uint32_t xfn_room(const struct xfn_req *req)
{
	return req->room;
}

XFN_CALL int xfn_resize(struct xfn_req *req, uint32_t n)
{
	if (n > req->room) {
		req->refused = n;
		return -EMSGSIZE;
	}
#ifdef __clang_analyzer__
	/* Nothing moves here, but a frame may: to the analyzer, earlier pointers die. */
	free(req->lent[0]);
	free(req->lent[1]);
	free(req->lent[2]);
	free(req->lent[3]);
	req->lent[0] = req->lent[1] = req->lent[2] = req->lent[3] = NULL;
#endif
	if (n > req->len)
		memset(req->payload + req->len, 0, n - req->len);
	req->resized |= n != req->len;
	req->len = n;
	return 0;
}

XFN_CALL void xfn_peer(struct xfn_req *req, struct xfn_address *addr)
{
	*addr = req->peer;
}

XFN_CALL void xfn_local(struct xfn_req *req, struct xfn_address *addr)
{
	*addr = req->local;
}

static inline __attribute__((unused)) uint64_t xfn_clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

XFN_CALL uint64_t xfn_mono_ns(void)
{
	uint64_t fixed = xfn_thread->fixed_mono_ns;

	return fixed ? fixed : xfn_clock_ns(CLOCK_BOOTTIME);
}

XFN_CALL uint64_t xfn_real_ns(void)
{
	uint64_t fixed = xfn_thread->fixed_real_ns;

	return fixed ? fixed : xfn_clock_ns(CLOCK_REALTIME);
}

/* xorshift64* (Marsaglia): one word of state per thread, seeded by the worker. */
XFN_CALL uint32_t xfn_random(void)
{
	uint64_t x = xfn_thread->random_state;

	if (xfn_thread->fixed_random)
		return xfn_thread->fixed_random;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	xfn_thread->random_state = x;
	return (uint32_t)((x * 0x2545f4914f6cdd1dull) >> 32);
}

#endif
