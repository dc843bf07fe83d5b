/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The filter on slow sockets: lets through what was sent to an address that the dispatcher serves
 * too, on a device that is known. So a legal request is answered whatever its shape, and nothing
 * else is: no broadcast, no other address of this host. Must never know of ports or functions.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "maps.h"

char xfn_license[] SEC("license") = "Dual BSD/GPL";
const volatile struct xfn_settings xfn_settings = {};

XFN_MAP_ADDRESSES;
XFN_MAP_DEVICES;
XFN_MAP_REASONS;

static __attribute__((always_inline)) int refuse(void)
{
	__u32 key = XFN_REASON_SLOW_REFUSED;
	__u64 *value = bpf_map_lookup_elem(&xfn_reasons, &key);

	if (value)
		(*value)++;
	return 0;
}

SEC("socket") int xfn_slow(struct __sk_buff *skb)
{
	struct xfn_address_key key = { .ip = { [10] = 0xff, 0xff }, .iface = xfn_settings.iface };
	__u32 ifindex = skb->ifindex;
	struct xfn_device *device = bpf_map_lookup_elem(&xfn_devices, &ifindex);
	long ret;

	/* A unicast address in a broadcast frame (RFC 1122, 3.3.6) is for no one. */
	if (!device || skb->pkt_type != PACKET_HOST)
		return refuse();
	key.tag[0] = device->tag[0];
	key.tag[1] = device->tag[1];
	if (skb->protocol == __builtin_bswap16(0x0800))
		ret = bpf_skb_load_bytes_relative(skb, 16, key.ip + 12, 4, BPF_HDR_START_NET);
	else
		ret = bpf_skb_load_bytes_relative(skb, 24, key.ip, 16, BPF_HDR_START_NET);
	if (ret || !bpf_map_lookup_elem(&xfn_addresses, &key))
		return refuse();
	return skb->len;
}
