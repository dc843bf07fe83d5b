/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * xfn.h for the kernel target. Force-included before the author's source, with the flags of
 * tools/compiler/compiler_flags.h.
 *
 * The program around the function (program_bpf.h) is complete in itself: it parses and checks
 * again, so that it needs no dispatcher. Must never call a GPL-only kernel function except for
 * --reply-route fib: authors choose their licence.
 */
#ifndef XFN_FUNCTION_BPF_H
#define XFN_FUNCTION_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define XFN_CALL	       static inline __attribute__((always_inline, unused))
#define XFN_ATTRIBUTES_SECTION __attribute__((unused))
#ifdef XFN_ALONE
#include "standalone_bpf.h"
#else
#define XFN_ENTRY(function)                                                                        \
	static inline __attribute__((always_inline)) int xfn_body(struct xfn_req *req);            \
	SEC("xdp") int xfn_##function(struct xdp_md *ctx)                                          \
	{                                                                                          \
		return xfn_program(ctx, &xfn_attributes);                                          \
	}
#define XFN_COUNTER(counter)                                                                       \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                           \
		__uint(max_entries, 1);                                                            \
		__type(key, __u32);                                                                \
		__type(value, __u64);                                                              \
	} xfn_counter_##counter SEC(".maps")
#define xfn_count(counter) xfn_counter_add(&xfn_counter_##counter)
#endif

/* LLVM turns memcmp into a call, which BPF code does not have: compare byte by byte, n constant. */
XFN_CALL int xfn_memcmp(const void *a, const void *b, __u64 n)
{
	const unsigned char *x = a, *y = b;

	for (__u64 i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}
/* variadic, since the commas of a compound literal separate a macro's arguments */
#define memcpy(...) __builtin_memcpy(__VA_ARGS__)
#define memset(...) __builtin_memset(__VA_ARGS__)
#define memcmp(...) xfn_memcmp(__VA_ARGS__)

#include "../functions/xfn.h"
#include "checksum.h"
#include "guard.h"
#include "maps.h"
#include "packet.h"
#include "reply.h"

#ifndef XFN_ALONE
/* As long as .licence may be: the build writes .licence over it. */
char xfn_license[32] SEC("license") = "Dual BSD/GPL";
const volatile struct xfn_settings xfn_settings = {};

XFN_MAP_XSKS;
XFN_MAP_POOLS;
XFN_MAP_INDIRECTIONS;
XFN_MAP_REASONS;
XFN_MAP_SLOT_STAT;
XFN_MAP_RUNTIME;
XFN_MAP_RATES;

/* A copy of a frame that is being moved towards its headroom. */
struct xfn_move_buffer {
	__u8 frame[XFN_OFFSET_MAX + 1];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xfn_move_buffer);
} xfn_move SEC(".maps");
#define XFN_MOVES	 1 /* a frame without tailroom is moved towards its headroom */
#define XFN_OBJECT_MTU	 XFN_MTU_DEFAULT /* until xfn_runtime has the MTU */
#define XFN_KEEP_PADDING 0		 /* a reply ends where its payload does */
#endif

struct xfn_req {
	struct xdp_md *ctx;
	struct xfn_packet pkt;
	__u32 len;
	__u32 room;
	__u8 mac[2 * ETH_ALEN]; /* of the reply, where its route was looked up */
	bool routed;
	__u32 way_mtu; /* of that route: IP bytes; 0: the interface's MTU holds */
	__u32 refused; /* length that the last refused resize asked for, 0 if none */
	bool written;
	bool resized;
};

static inline __attribute__((always_inline)) int xfn_body(struct xfn_req *req);

/* Counters are per CPU, except on a NIC, which has no per-CPU maps. */
XFN_INLINE void xfn_add(__u64 *counter, __u64 n)
{
#ifdef XFN_OFFLOAD
	__sync_fetch_and_add(counter, n);
#else
	*counter += n;
#endif
}

XFN_INLINE void xfn_counter_add(void *map)
{
	__u32 zero = 0;
	__u64 *value = bpf_map_lookup_elem(map, &zero);

	if (value)
		xfn_add(value, 1);
}

#ifndef XFN_ALONE
#include "why.h" /* it uses the maps */

XFN_INLINE const struct xfn_runtime *xfn_runtime_now(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&xfn_runtime, &zero);
}

#include "worker.h" /* which uses the maps */

/*
 * A subprogram of its own. Inline, it changes which registers hold what across the body, and the
 * verifier then cannot follow some bodies.
 */
__attribute__((noinline)) int xfn_redirect_to_worker(struct xdp_md *ctx, __u32 l3_off, __u32 sport)
{
	const struct xfn_packet pkt = { .l3_off = l3_off & 63, .sport = sport };

	return xfn_redirect(ctx, &pkt, xfn_settings.slot);
}

/* Redirect the untouched request to this queue's worker; without one, leave it to the host. */
XFN_INLINE int xfn_to_worker(const struct xfn_req *req, enum xfn_reason reason)
{
	if (reason)
		xfn_why(reason, 0);
	if (xfn_redirect_to_worker(req->ctx, req->pkt.l3_off, req->pkt.sport) != XDP_REDIRECT)
		return xfn_why(XFN_REASON_NO_WORKER, XDP_PASS);
	return XDP_REDIRECT;
}

/* The dispatcher has checked that port and address are this function's. */
XFN_INLINE enum xfn_reason xfn_filter(__attribute__((unused)) struct xdp_md *ctx,
				      __attribute__((unused)) const struct xfn_packet *pkt)
{
	return XFN_REASON_NONE;
}

/* The dispatcher has checked the MTU too. */
XFN_INLINE int xfn_too_large(__attribute__((unused)) struct xdp_md *ctx,
			     __attribute__((unused)) const struct xfn_packet *pkt)
{
	return 0;
}
#endif

/* The calls of xfn.h. */

/*
 * The same number, bounded by the longest frame, without a relation that the verifier knows to the
 * original: a comparison of it does not narrow the original. So the state behind a loop is the same
 * whichever round left the loop, and the verifier walks it once.
 */
XFN_INLINE __u64 xfn_apart(__u64 value)
{
	__u64 mask = XFN_FRAME_SMALL + (__u64)xfn_settings.large;

	asm volatile("%0 &= %1" : "+r"(value) : "r"(mask));
	return value;
}

XFN_CALL uint32_t xfn_len(const struct xfn_req *req)
{
	return xfn_apart(req->len);
}

XFN_CALL uint32_t xfn_room(const struct xfn_req *req)
{
	return req->room;
}

/*
 * The same number, of which the verifier knows no least value. Else the verifier would let a
 * function step back from its payload into the headers whose length it knows, and write to them.
 */
XFN_INLINE __u64 xfn_no_least(__u64 off)
{
	asm volatile("%0 &= %1" : "+r"(off) : "i"(2 * XFN_OFFSET_MAX + 1));
	return off;
}

XFN_CALL void *xfn_payload_at(struct xfn_req *req, uint32_t off, uint32_t n)
{
	if ((__u64)off + n > xfn_apart(req->len))
		return NULL;
	return xfn_frame_at(req->ctx, xfn_no_least((__u64)req->pkt.payload_off + off), n);
}

XFN_CALL const void *xfn_at(struct xfn_req *req, uint32_t off, uint32_t n)
{
	return xfn_payload_at(req, off, n);
}

XFN_CALL void *xfn_edit(struct xfn_req *req, uint32_t off, uint32_t n)
{
	req->written = true;
	return xfn_payload_at(req, off, n);
}

/* Of a copy between payload and memory: n, bounded for the verifier; or -EINVAL. */
XFN_INLINE __s64 xfn_copied(const struct xfn_req *req, uint32_t off, uint32_t n, uint32_t max)
{
	__u64 bytes = n;

	if (n > max || (__u64)off + n > xfn_apart(req->len))
		return -EINVAL;
	asm volatile("" : "+r"(bytes));
	if (bytes == 0)
		return 0;
	return bytes > max ? -EINVAL : (__s64)bytes;
}

XFN_CALL int xfn_read(struct xfn_req *req, uint32_t off, void *dst, uint32_t n, uint32_t max)
{
	__s64 bytes = xfn_copied(req, off, n, max);

	if (bytes <= 0)
		return (int)bytes;
	return bpf_xdp_load_bytes(req->ctx, req->pkt.payload_off + off, dst, bytes) ? -EINVAL : 0;
}

XFN_CALL int xfn_write(struct xfn_req *req, uint32_t off, const void *src, uint32_t n, uint32_t max)
{
	__s64 bytes = xfn_copied(req, off, n, max);

	if (bytes <= 0)
		return (int)bytes;
	req->written = true;
	return bpf_xdp_store_bytes(req->ctx, req->pkt.payload_off + off, (void *)src, bytes) ?
		       -EINVAL :
		       0;
}

/* Make the frame end where a payload of `n` bytes ends; the kernel zeroes bytes that it adds. 0, or
 * the kernel's error. */
XFN_INLINE long xfn_frame_end(struct xfn_req *req, __u32 n)
{
	__s64 have = xfn_frame_len(req->ctx);

	return bpf_xdp_adjust_tail(req->ctx, (int)((__s64)req->pkt.payload_off + n - have));
}

/* The end is moved even by 0 bytes: so the verifier always knows that old pointers are dead. */
XFN_CALL int xfn_resize(struct xfn_req *req, uint32_t n)
{
	if (n > req->room) {
		req->refused = n;
		return -EMSGSIZE;
	}
	if (xfn_frame_end(req, n))
		return -EMSGSIZE;
	if (n != req->len)
		req->resized = true;
	req->len = n;
	return 0;
}

XFN_INLINE void xfn_end_of(struct xfn_req *req, int which, struct xfn_address *addr)
{
	__u8 ip[16] = {};

	xfn_packet_address(XFN_DATA(req->ctx), XFN_DATA_END(req->ctx), &req->pkt, which, ip);
	__builtin_memcpy(addr->ip, ip, sizeof(ip));
	addr->port = which ? req->pkt.dport : req->pkt.sport;
}

XFN_CALL void xfn_peer(struct xfn_req *req, struct xfn_address *addr)
{
	xfn_end_of(req, 0, addr);
}

XFN_CALL void xfn_local(struct xfn_req *req, struct xfn_address *addr)
{
	xfn_end_of(req, 1, addr);
}

#ifndef XFN_ALONE
XFN_CALL uint64_t xfn_mono_ns(void)
{
	const struct xfn_runtime *runtime = xfn_runtime_now();

	return runtime && runtime->fixed_mono_ns ? runtime->fixed_mono_ns : bpf_ktime_get_boot_ns();
}

XFN_CALL uint64_t xfn_real_ns(void)
{
	const struct xfn_runtime *runtime = xfn_runtime_now();

	if (!runtime)
		return 0;
	return runtime->fixed_real_ns ? runtime->fixed_real_ns :
					bpf_ktime_get_tai_ns() - runtime->tai_offset_ns;
}

XFN_CALL uint32_t xfn_random(void)
{
	const struct xfn_runtime *runtime = xfn_runtime_now();

	return runtime && runtime->fixed_random ? runtime->fixed_random : bpf_get_prandom_u32();
}

#endif

#include "program_bpf.h"

#endif
