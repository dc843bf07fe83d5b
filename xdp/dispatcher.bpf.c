/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The program attached to an interface, in two forms: finds the function of a datagram's port and
 * hands the frame to its program (tail call) or to its worker (redirect). What is for no function
 * goes on to the host's stack, whatever is wrong with it. Must never change a frame, nor know what
 * a function does.
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
XFN_MAP_CREWS;
XFN_MAP_SPREADS;
XFN_MAP_REASONS;
XFN_MAP_SLOT_STAT;
XFN_MAP_LIVE;
XFN_MAP_RATES;

#include "worker.h" /* it uses the maps */

XFN_INLINE int xfn_why(enum xfn_reason reason, int action)
{
	__u32 key = reason;
	__u64 *value = bpf_map_lookup_elem(&xfn_reasons, &key);

	if (value)
		(*value)++;
	return action;
}

/* A constant index is a direct jump; a variable one goes through a retpoline, 14 to 18 ns more. */
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

/* Who can take a frame of this size, where not all of an interface fit. */
XFN_INLINE enum xfn_size xfn_size(struct xdp_md *ctx, const struct xfn_packet *pkt)
{
	__u64 whole = bpf_xdp_get_buff_len(ctx);
	struct xfn_live *live;
	__u32 zero = 0;

	live = bpf_map_lookup_elem(&xfn_live, &zero);
	if (!live)
		return XFN_SIZE_STACK;
	if ((xfn_settings.flags & XFN_GENERIC) && whole > (__u64)live->mtu + pkt->l3_off)
		return XFN_SIZE_STACK;
	if (whole == (__u64)xfn_frame_len(ctx) && whole <= XFN_FRAME_MAX)
		return XFN_SIZE_FITS;
	return live->several ? XFN_SIZE_WORKER : XFN_SIZE_STACK;
}

/* Is the destination one of the first that are served? False says nothing. */
XFN_INLINE int xfn_near(struct xdp_md *ctx, const struct xfn_packet *pkt)
{
	__u8 *l3 = XFN_DATA(ctx) + pkt->l3_off, *end = XFN_DATA_END(ctx);
	struct xfn_live *live;
	__u32 zero = 0;

	live = bpf_map_lookup_elem(&xfn_live, &zero);
	if (!live || pkt->tags)
		return 0;
	if (pkt->version == 4) {
		if (l3 + XFN_IPV4_LEN > end || !*(__u32 *)(l3 + 16))
			return 0;
		for (int i = 0; i < XFN_NEAR; i++)
			if (live->near4[i] == *(__u32 *)(l3 + 16))
				return 1;
		return 0;
	}
	if (l3 + XFN_IPV6_LEN > end || !*(__u64 *)(l3 + 24))
		return 0;
	for (int i = 0; i < XFN_NEAR; i++)
		if (live->near6[i][0] == *(__u64 *)(l3 + 24) &&
		    live->near6[i][1] == *(__u64 *)(l3 + 32))
			return 1;
	return 0;
}

XFN_INLINE int xfn_dispatch(struct xdp_md *ctx, int tail_calls)
{
	struct xfn_address_key key = {};
	enum xfn_size size = XFN_SIZE_FITS;
	struct xfn_packet pkt = {};
	enum xfn_reason reason;
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

	served = (xfn_settings.flags & XFN_ANY_ADDRESS) || xfn_near(ctx, &pkt);
	if (!served || where == XFN_PORT_SHARED) {
		if (!xfn_packet_address(XFN_DATA(ctx), XFN_DATA_END(ctx), &pkt, 1, key.ip))
			return xfn_why(XFN_REASON_NOT_IP, XDP_PASS);
	}
	if (where == XFN_PORT_SHARED) {
		struct xfn_binding_key binding = { .port = pkt.dport, .iface = xfn_settings.iface };

		__builtin_memcpy(binding.ip, key.ip, sizeof(binding.ip));
		value = bpf_map_lookup_elem(&xfn_bindings, &binding);
		if (!value) {
			/* 0.0.0.0, ::: the function of every address not named otherwise. */
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
		key.iface = xfn_settings.iface;
		if (!bpf_map_lookup_elem(&xfn_addresses, &key))
			return xfn_why(XFN_REASON_NOT_LOCAL, XDP_PASS);
	}
	if (xfn_settings.flags & (XFN_GENERIC | XFN_FRAGS))
		size = xfn_size(ctx, &pkt);
	if (size == XFN_SIZE_STACK)
		return xfn_why(XFN_REASON_LARGE_FRAME, XDP_PASS);
	if (XFN_PORT_TIER(where) == XFN_PORT_TIER_XDP && size == XFN_SIZE_FITS) {
		if (tail_calls)
			xfn_tail_call(ctx, XFN_PORT_SLOT(where));
		return xfn_why(XFN_REASON_NO_PROGRAM, XDP_DROP);
	}
	if (xfn_redirect(ctx, &pkt, xfn_settings.iface, XFN_PORT_SLOT(where)) != XDP_REDIRECT)
		return xfn_why(XFN_REASON_NO_WORKER, XDP_PASS);
	return XDP_REDIRECT;
}

SEC("xdp") int xfn_dispatcher(struct xdp_md *ctx)
{
	return xfn_dispatch(ctx, 1);
}

/* Where a tail call is refused, as below libxdp's dispatcher: all functions are in workers. */
SEC("xdp") int xfn_redirector(struct xdp_md *ctx)
{
	return xfn_dispatch(ctx, 0);
}
