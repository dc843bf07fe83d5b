/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The filters on UDP sockets, which refuse what the dispatcher would refuse and the host's stack
 * does not. The filter on slow sockets lets a datagram through that another host sent to a served
 * address, on a known device. So a legal request is answered whatever its shape, and nothing else
 * is answered: no broadcast, no other address of this host. The filter on sockets of tier socket
 * needs no dispatcher. Must never know of ports or functions.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "maps.h"
#include "packet.h"

char xfn_license[] SEC("license") = "Dual BSD/GPL";

XFN_MAP_ADDRESSES;
XFN_MAP_DEVICES;
XFN_MAP_OWN;
XFN_MAP_REASONS;

#include "why.h" /* it uses the maps */

/* `reason`: why, where no dispatcher has counted one. */
static __attribute__((always_inline)) int refuse(enum xfn_reason reason)
{
	if (reason)
		xfn_why(reason, 0);
	return xfn_why(XFN_REASON_SLOW_REFUSED, 0);
}

SEC("socket") int xfn_slow(struct __sk_buff *skb)
{
	struct xfn_address_key key = {};
	struct xfn_own_key source = {};
	__u32 ifindex = skb->ifindex, len;
	__u8 ip[8] = {}; /* the header's first bytes */
	struct xfn_device *device = bpf_map_lookup_elem(&xfn_devices, &ifindex);
	long ret;

	/* a broadcast frame with a unicast address is to be discarded (RFC 1122, 3.3.6) */
	if (!device || skb->pkt_type != PACKET_HOST)
		return refuse(XFN_REASON_NONE);
	key.tag[0] = device->tag[0];
	key.tag[1] = device->tag[1];
	ret = bpf_skb_load_bytes_relative(skb, 0, ip, sizeof(ip), BPF_HDR_START_NET);
	if (skb->protocol == __builtin_bswap16(ETH_P_IP)) {
		len = (ip[2] << 8 | ip[3]) - (ip[0] & 15) * 4;
		source.ip[10] = source.ip[11] = 0xff;
		key.ip[10] = key.ip[11] = 0xff;
		ret |= bpf_skb_load_bytes_relative(skb, 12, source.ip + 12, 4, BPF_HDR_START_NET);
		ret |= bpf_skb_load_bytes_relative(skb, 16, key.ip + 12, 4, BPF_HDR_START_NET);
	} else {
		len = ip[6] == IPPROTO_UDP ? ip[4] << 8 | ip[5] : skb->len;
		ret |= bpf_skb_load_bytes_relative(skb, 8, source.ip, 16, BPF_HDR_START_NET);
		ret |= bpf_skb_load_bytes_relative(skb, 24, key.ip, 16, BPF_HDR_START_NET);
	}
	if (ret || !bpf_map_lookup_elem(&xfn_addresses, &key))
		return refuse(XFN_REASON_NONE);
	if (bpf_map_lookup_elem(&xfn_own, &source))
		return refuse(XFN_REASON_BAD_SOURCE);
	/* the stack has cut the datagram to its UDP length; the fast path refuses longer ones */
	if (skb->len != len)
		return refuse(XFN_REASON_BAD_UDP_LEN);
	return skb->len;
}

#define LOOPBACK 1 /* the index of lo, in every network namespace */

/*
 * The filter of tier socket, whose sockets are bound to their addresses. This host may ask them
 * too, by lo and from any of its own addresses.
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
	if (skb->protocol == __builtin_bswap16(ETH_P_IP)) {
		ret = bpf_skb_load_bytes_relative(skb, 0, ip, XFN_IPV4_LEN, BPF_HDR_START_NET);
		len = xfn_load_be16(ip + 2) - (ip[0] & 15) * 4;
		__builtin_memcpy(source.ip + 12, ip + 12, 4);
	} else {
		ret = bpf_skb_load_bytes_relative(skb, 0, ip, XFN_IPV6_LEN, BPF_HDR_START_NET);
		if (ip[6] == IPPROTO_UDP)
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
