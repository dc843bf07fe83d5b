/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What surrounds a function in an object of its own, for loaders that know nothing of xfn (`ip
 * link`, `xdp-loader`, a NIC's). Ports, addresses and settings are compiled in, and the counters
 * are the object's. There is one program and no tail call. Must never need anything of its loader.
 *
 * `xfn build --standalone` and `--offload` (tools/compiler/standalone.c) force-include a header of
 * settings before this:
 *	XFN_ALONE		this flavour
 *	XFN_OFFLOAD		for a NIC: no .rodata, no per-CPU or LRU map, at most two entries
 *	XFN_OBJECT_FLAGS	XFN_TRUST_CHECKSUM, ... of abi.h
 *	XFN_OBJECT_MTU		IP bytes of the longest reply; a longer request is the host's
 *	XFN_OBJECT_RATE		requests per second and source prefix; 0: no bound
 *	XFN_OBJECT_TAI		CLOCK_TAI less CLOCK_REALTIME, nanoseconds
 *	XFN_OBJECT_MAC		what frames are sent to, as xfn_packet_mac has it; 0: to any MAC
 *	XFN_MOVES		1: move a frame that has no tailroom towards its headroom
 *	XFN_LICENCE		a string
 *	XFN_BOUND_TO(X)		X(slot, port, version, hi, lo): version 0 is any served address,
 *				else the address as loaded from a frame, IPv4 in lo, and 0 for every
 *				one of that version; the more exact ones
 *				come first
 *	XFN_SERVED(X)		X(version, hi, lo): the addresses served; not defined: any unicast
 *	XFN_MEMBERS(X)		X(slot): the functions, where there are several
 * and per translation unit XFN_SLOT and XFN_NAME, the function's, and one of XFN_SINGLE: the only
 * function; XFN_MEMBER: one of several; XFN_LEADER: the unit that calls those (standalone_entry.h).
 */
#ifndef XFN_STANDALONE_BPF_H
#define XFN_STANDALONE_BPF_H

#include <stdint.h>
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "checksum.h"
#include "maps.h"
#include "packet.h"

/* Else clang puts small constants into sections for merging, which its BTF says nothing of:
 * libbpf's linker then writes an object that libbpf does not open. */
#pragma clang section rodata = ".rodata"

#define XFN_PASTE_(a, b) a##b
#define XFN_PASTE(a, b)	 XFN_PASTE_(a, b)

#ifdef XFN_MEMBER
#define XFN_THE extern /* the leader's */
#else
#define XFN_THE
#endif

/* NICs take static subprograms; alone, each is verified by itself. */
#ifdef XFN_OFFLOAD
#define XFN_SUBPROGRAM __hidden __attribute__((noinline))
#define XFN_OWN_ARRAY  BPF_MAP_TYPE_ARRAY
#else
#define XFN_SUBPROGRAM __attribute__((noinline))
#define XFN_OWN_ARRAY  BPF_MAP_TYPE_PERCPU_ARRAY
#endif

/*
 * Under libxdp's dispatcher others' programs go on with what this one passes (libxdp, protocol.org:
 * "Program metadata").
 */
#ifdef XFN_OFFLOAD
#define XFN_RUN_CONFIG(program)
#else
#define XFN_RUN_CONFIG(program)                                                                    \
	struct {                                                                                   \
		__uint(priority, 50);                                                              \
		__uint(XDP_PASS, 1);                                                               \
	} _##program SEC(".xdp_run_config");
#endif

#ifdef XFN_MEMBER
#define XFN_ENTRY(function)                                                                        \
	static inline __attribute__((always_inline)) int xfn_body(struct xfn_req *req);            \
	XFN_SUBPROGRAM int XFN_PASTE(xfn_member_, XFN_SLOT)(struct xdp_md * ctx)                   \
	{                                                                                          \
		return xfn_program(ctx, &xfn_attributes);                                          \
	}
#else
#define XFN_ENTRY(function)                                                                        \
	static inline __attribute__((always_inline)) int xfn_body(struct xfn_req *req);            \
	XFN_RUN_CONFIG(xfn_##function)                                                             \
	SEC("xdp") int xfn_##function(struct xdp_md *ctx)                                          \
	{                                                                                          \
		return xfn_program(ctx, &xfn_attributes);                                          \
	}
#endif

/* Maps are shared by name across the units of an object: a function's own carry its name. */
#define XFN_COUNTER(counter)                                                                       \
	XFN_SHARED_MAP(XFN_PASTE(XFN_NAME, _##counter), XFN_OWN_ARRAY, 1, __u32, __u64)
#define xfn_count(counter) xfn_counter_add(&XFN_PASTE(XFN_NAME, _##counter))

/* A constant to the compiler, which leaves out what is off. */
static const struct xfn_settings xfn_settings __attribute__((unused)) = {
	.flags = XFN_OBJECT_FLAGS,
	.rate = XFN_OBJECT_RATE,
	.large = XFN_OBJECT_MTU > XFN_MTU_SMALL ? XFN_LARGE : 0,
};
#define XFN_KEEP_PADDING 1 /* a reply as long as its request: no call that resizes */

char xfn_license[] SEC("license") = XFN_LICENCE;

#ifndef XFN_LEADER
#define xfn_slot_stat XFN_PASTE(XFN_NAME, _stat)
XFN_SHARED_MAP(xfn_slot_stat, XFN_OWN_ARRAY, 1, __u32, struct xfn_slot_counters);
#endif
#if XFN_OBJECT_RATE
XFN_THE XFN_MAP_RATES;
#else
extern char xfn_rates; /* never asked */
#endif
#if XFN_MOVES
struct xfn_move_buffer {
	__u8 frame[XFN_OFFSET_MAX + 1];
};
XFN_THE XFN_SHARED_MAP(xfn_move, BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct xfn_move_buffer);
#endif

#ifdef XFN_OFFLOAD
/* NICs' maps have two entries, and entries of 64 bytes: reason r is word r % 8 of entry r / 8 % 2
 * of map r / 16. */
struct xfn_reason_words {
	__u64 count[8];
};
XFN_THE XFN_SHARED_MAP(xfn_reasons_0, BPF_MAP_TYPE_ARRAY, 2, __u32, struct xfn_reason_words);
XFN_THE XFN_SHARED_MAP(xfn_reasons_16, BPF_MAP_TYPE_ARRAY, 2, __u32, struct xfn_reason_words);
XFN_THE XFN_SHARED_MAP(xfn_reasons_32, BPF_MAP_TYPE_ARRAY, 2, __u32, struct xfn_reason_words);
_Static_assert(XFN_REASON_COUNT <= 48, "three maps hold 48 reasons");

XFN_INLINE int xfn_why(enum xfn_reason reason, int action)
{
	struct xfn_reason_words *words;
	__u32 key = reason / 8 % 2;

	if (reason < 16)
		words = bpf_map_lookup_elem(&xfn_reasons_0, &key);
	else if (reason < 32)
		words = bpf_map_lookup_elem(&xfn_reasons_16, &key);
	else
		words = bpf_map_lookup_elem(&xfn_reasons_32, &key);
	if (!words)
		return action;
	/* NICs reach map values at constant offsets only */
	switch (reason % 8) {
#define XFN_WORD(n)                                                                                \
	case n:                                                                                    \
		asm volatile("" ::"i"(n));                                                         \
		__sync_fetch_and_add(&words->count[n], 1);                                         \
		break;
		XFN_WORD(0)
		XFN_WORD(1)
		XFN_WORD(2)
		XFN_WORD(3)
		XFN_WORD(4)
		XFN_WORD(5)
		XFN_WORD(6)
		XFN_WORD(7)
#undef XFN_WORD
	}
	return action;
}
#else
XFN_THE XFN_MAP_REASONS;

#include "why.h" /* it uses the map */
#endif

/* There are no workers: the request is left to the host. */
XFN_INLINE int xfn_to_worker(__attribute__((unused)) const struct xfn_req *req,
			     enum xfn_reason reason)
{
	if (reason)
		xfn_why(reason, 0);
	return xfn_why(XFN_REASON_NO_WORKER, XDP_PASS);
}

/* No supervisor keeps clock and MTU current. */
XFN_INLINE const struct xfn_runtime *xfn_runtime_now(void)
{
	return (void *)0;
}

static inline __attribute__((always_inline, unused)) uint64_t xfn_mono_ns(void)
{
	return bpf_ktime_get_boot_ns();
}

static inline __attribute__((always_inline, unused)) uint64_t xfn_real_ns(void)
{
	return bpf_ktime_get_tai_ns() - XFN_OBJECT_TAI;
}

static inline __attribute__((always_inline, unused)) uint32_t xfn_random(void)
{
	return bpf_get_prandom_u32();
}

/* Is it this address of that version? hi and lo 0: any address of that version. */
#define XFN_IS(version_, hi_, lo_)                                                                 \
	(pkt->version == (version_) && (!((hi_) | (lo_)) || (hi == (hi_) && lo == (lo_))))

/* Find the datagram's function: its slot, or the reason why there is none. */
XFN_INLINE enum xfn_reason xfn_pick(struct xdp_md *ctx, const struct xfn_packet *pkt, __u32 *slot)
{
	__u8 *d = XFN_DATA(ctx), *end = XFN_DATA_END(ctx), *l3 = d + pkt->l3_off;
	__u64 hi = 0, lo = 0;

	if (XFN_OBJECT_MAC) {
		if (d + XFN_ETH_LEN > end)
			return XFN_REASON_NOT_IP;
		if (xfn_packet_mac(d) != XFN_OBJECT_MAC)
			return d[0] & 1 ? XFN_REASON_MULTICAST : XFN_REASON_OTHERHOST;
	}

	if (pkt->version == 4) {
		if (l3 + XFN_IPV4_LEN > end)
			return XFN_REASON_NOT_IP;
		lo = *(__u32 *)(l3 + 16);
	} else {
		if (l3 + XFN_IPV6_LEN > end)
			return XFN_REASON_NOT_IP;
		hi = *(__u64 *)(l3 + 24);
		lo = *(__u64 *)(l3 + 32);
	}
	do {
#define XFN_BOUND(slot_, port_, version_, hi_, lo_)                                                \
	if (pkt->dport == (port_) && (!(version_) || XFN_IS(version_, hi_, lo_))) {                \
		*slot = (slot_);                                                                   \
		break;                                                                             \
	}
		XFN_BOUND_TO(XFN_BOUND)
#undef XFN_BOUND
		return XFN_REASON_NOT_OURS;
	} while (0);
#ifdef XFN_SERVED
	do {
#define XFN_ONE(version_, hi_, lo_)                                                                \
	if (XFN_IS(version_, hi_, lo_))                                                            \
		break;
		XFN_SERVED(XFN_ONE)
#undef XFN_ONE
		return XFN_REASON_NOT_LOCAL;
	} while (0);
	/* no request comes from the served addresses, which are this host's */
	if (pkt->version == 4) {
		lo = *(__u32 *)(l3 + 12);
	} else {
		hi = *(__u64 *)(l3 + 8);
		lo = *(__u64 *)(l3 + 16);
	}
#define XFN_ONE(version_, hi_, lo_)                                                                \
	if (XFN_IS(version_, hi_, lo_))                                                            \
		return XFN_REASON_BAD_SOURCE;
	XFN_SERVED(XFN_ONE)
#undef XFN_ONE
	return XFN_REASON_NONE;
#else
	return XFN_REASON_NONE;
#endif
}

/* Is the frame several datagrams in one (GRO, GSO in generic mode), or longer than the compiled
 * MTU? */
XFN_INLINE int xfn_too_large(struct xdp_md *ctx, const struct xfn_packet *pkt)
{
	return xfn_frame_len(ctx) > (__s64)XFN_OBJECT_MTU + pkt->l3_off;
}

/* Is this request the function's? For a member the leader has checked it. */
XFN_INLINE enum xfn_reason xfn_filter(struct xdp_md *ctx, const struct xfn_packet *pkt)
{
#ifdef XFN_MEMBER
	return XFN_REASON_NONE;
#else
	__u32 slot;

	return xfn_pick(ctx, pkt, &slot);
#endif
}

#endif
