/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The filters on UDP sockets, which refuse what the dispatcher would and the host's stack does not.
 * That on slow sockets lets through what was sent to an address that the dispatcher serves too, on a
 * device that is known, by another host. So a legal request is answered whatever its shape, and
 * nothing else is: no broadcast, no other address of this host. That on sockets of tier socket
 * stands without a dispatcher. Neither must ever know of ports or functions.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "maps.h"
#include "packet.h"

char xfn_license[] SEC("license") = "Dual BSD/GPL";
const volatile struct xfn_settings xfn_settings = {};

XFN_MAP_ADDRESSES;
XFN_MAP_DEVICES;
XFN_MAP_OWN;
XFN_MAP_REASONS;

#include "why.h" /* it uses the maps */

/* With a reason, if no dispatcher had one to refuse it. */
static __attribute__((always_inline)) int refuse(enum xfn_reason reason)
{
	if (reason)
		xfn_why(reason, 0);
	return xfn_why(XFN_REASON_SLOW_REFUSED, 0);
}

SEC("socket") int xfn_slow(struct __sk_buff *skb)
{
	struct xfn_address_key key = { .ip = { [10] = 0xff, 0xff }, .iface = xfn_settings.iface };
	struct xfn_own_key source = { .ip = { [10] = 0xff, 0xff } };
	__u32 ifindex = skb->ifindex, len;
	__u8 ip[8] = {}; /* the header's first bytes */
	struct xfn_device *device = bpf_map_lookup_elem(&xfn_devices, &ifindex);
	long ret;

	/* A unicast address in a broadcast frame (RFC 1122, 3.3.6) is for no one. */
	if (!device || skb->pkt_type != PACKET_HOST)
		return refuse(XFN_REASON_NONE);
	key.tag[0] = device->tag[0];
	key.tag[1] = device->tag[1];
	ret = bpf_skb_load_bytes_relative(skb, 0, ip, sizeof(ip), BPF_HDR_START_NET);
	if (skb->protocol == __builtin_bswap16(0x0800)) {
		len = (ip[2] << 8 | ip[3]) - (ip[0] & 15) * 4;
		ret |= bpf_skb_load_bytes_relative(skb, 12, source.ip + 12, 4, BPF_HDR_START_NET);
		ret |= bpf_skb_load_bytes_relative(skb, 16, key.ip + 12, 4, BPF_HDR_START_NET);
	} else {
		len = ip[6] == XFN_PROTO_UDP ? ip[4] << 8 | ip[5] : skb->len;
		ret |= bpf_skb_load_bytes_relative(skb, 8, source.ip, 16, BPF_HDR_START_NET);
		ret |= bpf_skb_load_bytes_relative(skb, 24, key.ip, 16, BPF_HDR_START_NET);
	}
	if (ret || !bpf_map_lookup_elem(&xfn_addresses, &key))
		return refuse(XFN_REASON_NONE);
	if (bpf_map_lookup_elem(&xfn_own, &source))
		return refuse(XFN_REASON_BAD_SOURCE);
	/* The stack has cut the datagram to its UDP length: the fast path refuses longer ones. */
	if (skb->len != len)
		return refuse(XFN_REASON_BAD_UDP_LEN);
	return skb->len;
}

#define LOOPBACK 1 /* the index of lo, in every network namespace */

/*
 * Of tier socket: its socket is bound to the address, and this host asks it too, from whichever of
 * its own addresses, by lo.
 */
SEC("socket") int xfn_own_socket(struct __sk_buff *skb)
{
	struct xfn_own_key source __attribute__((aligned(8))) = { .ip = { [10] = 0xff, 0xff } };
	__u8 ip[XFN_IPV6_LEN] __attribute__((aligned(8))) = {};
	__u32 len = skb->len;
	long ret;

	if (skb->pkt_type != PACKET_HOST)
		return refuse(XFN_REASON_MULTICAST);
	/* the header in one call, which costs as much as all the rest */
	if (skb->protocol == __builtin_bswap16(0x0800)) {
		ret = bpf_skb_load_bytes_relative(skb, 0, ip, XFN_IPV4_LEN, BPF_HDR_START_NET);
		len = xfn_load_be16(ip + 2) - (ip[0] & 15) * 4;
		__builtin_memcpy(source.ip + 12, ip + 12, 4);
	} else {
		ret = bpf_skb_load_bytes_relative(skb, 0, ip, XFN_IPV6_LEN, BPF_HDR_START_NET);
		if (ip[6] == XFN_PROTO_UDP)
			len = xfn_load_be16(ip + 4);
		__builtin_memcpy(source.ip, ip + 8, 16);
	}
	if (ret)
		return refuse(XFN_REASON_NONE);
	if (skb->ifindex != LOOPBACK && bpf_map_lookup_elem(&xfn_own, &source))
		return refuse(XFN_REASON_BAD_SOURCE);
	if (skb->len != len)
		return refuse(XFN_REASON_BAD_UDP_LEN);
	return len;
}
