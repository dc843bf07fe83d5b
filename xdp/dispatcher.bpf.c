/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The program attached to an interface, in two forms. It finds the function of a datagram's port
 * and hands the frame to the function's program (tail call) or to a worker (redirect). A frame for
 * no function goes on to the host's stack, whatever is wrong with it. Must never change a frame,
 * nor know what a function does.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "checksum.h"
#include "maps.h"
#include "packet.h"

char xfn_license[] SEC("license") = "Dual BSD/GPL";
const volatile struct xfn_settings xfn_settings = {};

XFN_MAP_SLOTS;
XFN_MAP_PORTS;
XFN_MAP_BINDINGS;
XFN_MAP_ADDRESSES;
XFN_MAP_XSKS;
XFN_MAP_POOLS;
XFN_MAP_INDIRECTIONS;
XFN_MAP_REASONS;
XFN_MAP_SLOT_STAT;
XFN_MAP_RUNTIME;
XFN_MAP_RATES;
XFN_MAP_OWN;

/* they use the maps */
#include "why.h"
#include "worker.h"

/* A tail call with a constant index is a direct jump; one with a variable index goes through a
 * retpoline, which takes 14 to 18 ns more. */
#define XFN_CASE(n)                                                                                \
	case n:                                                                                    \
		bpf_tail_call_static(ctx, &xfn_slots, n);                                          \
		break;
#define XFN_CASE4(n)  XFN_CASE(n) XFN_CASE((n) + 1) XFN_CASE((n) + 2) XFN_CASE((n) + 3)
#define XFN_CASE16(n) XFN_CASE4(n) XFN_CASE4((n) + 4) XFN_CASE4((n) + 8) XFN_CASE4((n) + 12)
_Static_assert(XFN_SLOTS_STATIC == 64, "the switch below has 64 cases");

/* Returns only if the slot has no program. */
XFN_INLINE void xfn_tail_call(struct xdp_md *ctx, __u32 slot)
{
	switch (slot) {
		XFN_CASE16(0)
		XFN_CASE16(16)
		XFN_CASE16(32)
		XFN_CASE16(48)
	default:
		bpf_tail_call(ctx, &xfn_slots, slot);
	}
}

enum xfn_size {
	XFN_SIZE_FITS,
	XFN_SIZE_WORKER, /* in several buffers, or longer than a function's program reaches */
	XFN_SIZE_STACK,	 /* several datagrams in one (GRO, GSO), or no worker takes such frames */
};

/* Who can take a frame of this size, on an interface where some do not fit. */
XFN_INLINE enum xfn_size xfn_size(struct xdp_md *ctx, const struct xfn_packet *pkt,
				  const struct xfn_runtime *runtime)
{
	__u64 whole = bpf_xdp_get_buff_len(ctx);

	if ((xfn_settings.flags & XFN_GENERIC) && whole > (__u64)runtime->mtu + pkt->l3_off)
		return XFN_SIZE_STACK;
	if (whole == (__u64)xfn_frame_len(ctx) && whole <= XFN_FRAME_MAX)
		return XFN_SIZE_FITS;
	return runtime->multi_buffer ? XFN_SIZE_WORKER : XFN_SIZE_STACK;
}

/* Is the destination in the address cache? False: it may be served all the same. */
XFN_INLINE int xfn_address_cached(struct xdp_md *ctx, const struct xfn_packet *pkt,
				  const struct xfn_runtime *runtime)
{
	__u8 *l3 = XFN_DATA(ctx) + pkt->l3_off, *end = XFN_DATA_END(ctx);

	if (pkt->tags)
		return 0;
	if (pkt->version == 4) {
		if (l3 + XFN_IPV4_LEN > end || !*(__u32 *)(l3 + 16))
			return 0;
		for (int i = 0; i < XFN_ADDRESS_CACHE; i++)
			if (runtime->cached4[i] == *(__u32 *)(l3 + 16))
				return 1;
		return 0;
	}
	if (l3 + XFN_IPV6_LEN > end || !*(__u64 *)(l3 + 24))
		return 0;
	for (int i = 0; i < XFN_ADDRESS_CACHE; i++)
		if (runtime->cached6[i][0] == *(__u64 *)(l3 + 24) &&
		    runtime->cached6[i][1] == *(__u64 *)(l3 + 32))
			return 1;
	return 0;
}

/* Is the frame sent to this host alone? */
XFN_INLINE enum xfn_reason xfn_to_us(struct xdp_md *ctx, const struct xfn_runtime *runtime)
{
	__u8 *d = XFN_DATA(ctx), *end = XFN_DATA_END(ctx);
	__u64 mac;

	if (d + XFN_ETH_LEN > end)
		return XFN_REASON_NOT_IP;
	mac = xfn_packet_mac(d);
	if (__builtin_expect(runtime->mac[0] == mac, 1))
		return XFN_REASON_NONE;
	for (int i = 1; i < XFN_MACS; i++)
		if (runtime->mac[i] == mac)
			return XFN_REASON_NONE;
	if (d[0] & 1)
		return XFN_REASON_MULTICAST;
	return runtime->mac[0] ? XFN_REASON_OTHERHOST : XFN_REASON_NONE;
}

/* Is the source one of this host's own addresses, or a subnet's broadcast? */
XFN_INLINE int xfn_from_us(struct xdp_md *ctx, const struct xfn_packet *pkt,
			   const struct xfn_runtime *runtime)
{
	__u8 *l3 = XFN_DATA(ctx) + pkt->l3_off, *end = XFN_DATA_END(ctx);
	struct xfn_own_key key;
	__u64 hi = 0, lo;
	__u32 bit;

	if (pkt->version == 4) {
		if (l3 + XFN_IPV4_LEN > end)
			return 0;
		lo = *(__u32 *)(l3 + 12);
	} else {
		if (l3 + XFN_IPV6_LEN > end)
			return 0;
		hi = *(__u64 *)(l3 + 8);
		lo = *(__u64 *)(l3 + 16);
	}
	bit = xfn_packet_own_bit(hi, lo);
	if (__builtin_expect(!(runtime->own[bit / 64] & 1ull << bit % 64), 1))
		return 0;
	return xfn_packet_address(XFN_DATA(ctx), XFN_DATA_END(ctx), pkt, 0, key.ip) &&
	       bpf_map_lookup_elem(&xfn_own, &key);
}

/*
 * Is the UDP checksum not computed yet? In generic mode a burst sent with UDP_SEGMENT, or merged by
 * GRO, arrives as one frame with such a sum. A local sender's lone datagram has one too. Only the
 * stack can tell the two apart.
 */
XFN_INLINE int xfn_unfinished(struct xdp_md *ctx, const struct xfn_packet *pkt)
{
	__u8 *l3 = XFN_DATA(ctx) + pkt->l3_off, *end = XFN_DATA_END(ctx), *udp;

	if (pkt->version == 4) {
		udp = l3 + XFN_IPV4_LEN;
		if (udp + XFN_UDP_LEN > end)
			return 0;
		return xfn_sum_unfinished(*(__u16 *)(udp + 6),
					  xfn_sum_pseudo(l3, 4, xfn_load_be16(udp + 4)));
	}
	udp = l3 + XFN_IPV6_LEN;
	if (udp + XFN_UDP_LEN > end)
		return 0;
	return xfn_sum_unfinished(*(__u16 *)(udp + 6),
				  xfn_sum_pseudo(l3, 6, xfn_load_be16(udp + 4)));
}

/* Redirect the frame of a function in `tier` to a worker. */
XFN_INLINE int xfn_to_its_worker(struct xdp_md *ctx, const struct xfn_packet *pkt, __u32 tier,
				 __u32 slot)
{
	struct xfn_slot_counters *stat;

	if (!(xfn_settings.flags & (XFN_GENERIC | XFN_LOCAL_PEER)) && xfn_unfinished(ctx, pkt))
		return xfn_why(XFN_REASON_PARTIAL_SUM, XDP_PASS);
	if (xfn_redirect(ctx, pkt, slot) != XDP_REDIRECT)
		return xfn_why(XFN_REASON_NO_WORKER, XDP_PASS);
	if (tier == XFN_PORT_TIER_XDP) {
		stat = bpf_map_lookup_elem(&xfn_slot_stat, &slot);
		if (stat)
			stat->handed++;
	}
	return XDP_REDIRECT;
}

/*
 * Long: the order of the checks is what decides between the host's stack and a function, and each has
 * its reason; it is read as one list.
 */
XFN_INLINE int xfn_dispatch(struct xdp_md *ctx, int tail_calls)
{
	struct xfn_address_key key = {};
	enum xfn_size size = XFN_SIZE_FITS;
	struct xfn_packet pkt = {};
	enum xfn_reason reason;
	struct xfn_runtime *runtime;
	__u32 zero = 0;
	__u32 *value;
	__u32 where;
	__u32 port;
	int served;

	reason = xfn_packet_parse(XFN_DATA(ctx), XFN_DATA_END(ctx), &pkt);
	if (reason)
		return xfn_why(reason, XDP_PASS);
	port = pkt.dport;
	value = bpf_map_lookup_elem(&xfn_ports, &port);
	if (!value || !*value)
		return xfn_why(XFN_REASON_NOT_OURS, XDP_PASS);
	where = *value;

	runtime = bpf_map_lookup_elem(&xfn_runtime, &zero);
	if (!runtime)
		return xfn_why(XFN_REASON_NOT_LOCAL, XDP_PASS);
	served = (xfn_settings.flags & XFN_ANY_ADDRESS) || xfn_address_cached(ctx, &pkt, runtime);
	if (!served || where == XFN_PORT_SHARED) {
		if (!xfn_packet_address(XFN_DATA(ctx), XFN_DATA_END(ctx), &pkt, 1, key.ip))
			return xfn_why(XFN_REASON_NOT_IP, XDP_PASS);
	}
	if (where == XFN_PORT_SHARED) {
		struct xfn_binding_key binding = { .port = pkt.dport };

		__builtin_memcpy(binding.ip, key.ip, sizeof(binding.ip));
		value = bpf_map_lookup_elem(&xfn_bindings, &binding);
		if (!value) {
			/* 0.0.0.0 or ::, for every address that has no binding of its own */
			__builtin_memset(binding.ip, 0, sizeof(binding.ip));
			if (pkt.version == 4)
				binding.ip[10] = binding.ip[11] = 0xff;
			value = bpf_map_lookup_elem(&xfn_bindings, &binding);
		}
		if (!value || !*value)
			return xfn_why(XFN_REASON_NOT_OURS, XDP_PASS);
		where = *value;
	}
	if (!served) {
		key.tag[0] = pkt.tag[0];
		key.tag[1] = pkt.tag[1];
		if (!bpf_map_lookup_elem(&xfn_addresses, &key))
			return xfn_why(XFN_REASON_NOT_LOCAL, XDP_PASS);
	}
	reason = xfn_to_us(ctx, runtime);
	if (reason)
		return xfn_why(reason, XDP_PASS);
	if (xfn_from_us(ctx, &pkt, runtime))
		return xfn_why(XFN_REASON_BAD_SOURCE, XDP_DROP);
	if (xfn_settings.flags & (XFN_GENERIC | XFN_FRAGS))
		size = xfn_size(ctx, &pkt, runtime);
	if (size == XFN_SIZE_STACK)
		return xfn_why(XFN_REASON_LARGE_FRAME, XDP_PASS);
	if ((xfn_settings.flags & XFN_GENERIC) && xfn_unfinished(ctx, &pkt))
		return xfn_why(XFN_REASON_PARTIAL_SUM, XDP_PASS);
	if (XFN_PORT_TIER(where) == XFN_PORT_TIER_XDP && size == XFN_SIZE_FITS) {
		if (tail_calls)
			xfn_tail_call(ctx, XFN_PORT_SLOT(where));
		return xfn_why(XFN_REASON_NO_PROGRAM, XDP_DROP);
	}
	return xfn_to_its_worker(ctx, &pkt, XFN_PORT_TIER(where), XFN_PORT_SLOT(where));
}

SEC("xdp") int xfn_dispatcher(struct xdp_md *ctx)
{
	return xfn_dispatch(ctx, 1);
}

/* The form for where the kernel refuses tail calls, as below libxdp's dispatcher: all functions run
 * in workers. */
SEC("xdp") int xfn_redirector(struct xdp_md *ctx)
{
	return xfn_dispatch(ctx, 0);
}
