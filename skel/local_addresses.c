// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who this host is, for the dispatcher: the addresses served, the MACs that frames are sent to, and
 * the addresses that send no requests. Must never know where they come from.
 */
#include <errno.h>
#include <string.h>
#include <bpf/bpf.h>
#include "loader_inside.h"
#include "dispatcher.skel.h"
#include "../xdp/address.h"
#include "../xdp/packet.h"

static struct xfn_address_key address_key(const uint8_t ip[16], const uint16_t tag[XFN_TAGS])
{
	struct xfn_address_key key = {};

	memcpy(key.ip, ip, sizeof(key.ip));
	for (int i = 0; i < XFN_TAGS; i++)
		key.tag[i] = tag[i];
	return key;
}

/* Put an address into the address cache (xfn_runtime), or take it out. Where the cache is full the
 * address is in the hash only. */
static void cache(struct xfn_loader *ld, const struct xfn_address_key *key, bool in)
{
	bool v4 = xfn_address__is_v4(key->ip);
	void *places = v4 ? (void *)ld->runtime.cached4 : (void *)ld->runtime.cached6;
	const void *ip = v4 ? key->ip + 12 : key->ip;
	size_t len = v4 ? 4 : 16;
	char none[16] = {}, *at = NULL;

	if (key->tag[0] || key->tag[1])
		return;
	for (unsigned i = 0; i < XFN_ADDRESS_CACHE; i++) {
		char *place = (char *)places + i * len;

		if (!memcmp(place, ip, len)) {
			if (!in)
				memset(place, 0, len);
			at = NULL;
			break;
		}
		if (in && !at && !memcmp(place, none, len))
			at = place;
	}
	if (at)
		memcpy(at, ip, len);
	xfn_loader__write_runtime(ld);
}

int xfn_loader__address_add(struct xfn_loader *ld, const uint8_t ip[16],
			    const uint16_t tag[XFN_TAGS])
{
	struct xfn_address_key key = address_key(ip, tag);
	__u8 served = 1;

	cache(ld, &key, true);
	return bpf_map_update_elem(bpf_map__fd(ld->skel->maps.xfn_addresses), &key, &served,
				   BPF_ANY);
}

int xfn_loader__address_del(struct xfn_loader *ld, const uint8_t ip[16],
			    const uint16_t tag[XFN_TAGS])
{
	struct xfn_address_key key = address_key(ip, tag);

	cache(ld, &key, false);
	return bpf_map_delete_elem(bpf_map__fd(ld->skel->maps.xfn_addresses), &key);
}

int xfn_loader__macs(struct xfn_loader *ld, const uint8_t (*macs)[6], unsigned count)
{
	memset(ld->runtime.mac, 0, sizeof(ld->runtime.mac));
	/* The first MAC fills the places that are left: a frame to 00:00:00:00:00:00 would find its
	 * destination in an empty one. */
	for (unsigned i = 0; count && i < XFN_MACS; i++) {
		uint8_t frame[8] = {};

		memcpy(frame, macs[i < count ? i : 0], 6);
		ld->runtime.mac[i] = xfn_packet_mac(frame);
	}
	return xfn_loader__write_runtime(ld);
}

static uint32_t own_bit(const uint8_t ip[16])
{
	uint64_t hi = 0, lo = 0;

	/* as loaded from a frame */
	if (xfn_address__is_v4(ip)) {
		memcpy(&lo, ip + 12, 4);
	} else {
		memcpy(&hi, ip, 8);
		memcpy(&lo, ip + 8, 8);
	}
	return xfn_packet_own_bit(hi, lo);
}

static bool among(const uint8_t (*ips)[16], unsigned count, const struct xfn_own_key *key)
{
	for (unsigned i = 0; i < count; i++)
		if (!memcmp(ips[i], key->ip, 16))
			return true;
	return false;
}

int xfn_map__own(int fd, const uint8_t (*ips)[16], unsigned count)
{
	struct xfn_own_key key, *last = NULL, gone[XFN_OWN];
	unsigned gones = 0;
	__u8 is = 1;
	int ret = 0;

	while (!bpf_map_get_next_key(fd, last, &key) && gones < XFN_OWN) {
		if (!among(ips, count, &key))
			gone[gones++] = key;
		last = &key;
	}
	for (unsigned i = 0; i < gones; i++)
		bpf_map_delete_elem(fd, &gone[i]);
	for (unsigned i = 0; i < count; i++) {
		memcpy(key.ip, ips[i], sizeof(key.ip));
		ret = bpf_map_update_elem(fd, &key, &is, BPF_ANY) ? -ENOSPC : ret;
	}
	return ret;
}

int xfn_loader__own(struct xfn_loader *ld, const uint8_t (*ips)[16], unsigned count)
{
	int ret = xfn_map__own(bpf_map__fd(ld->skel->maps.xfn_own), ips, count);

	memset(ld->runtime.own, 0, sizeof(ld->runtime.own));
	for (unsigned i = 0; i < count; i++) {
		uint32_t bit = own_bit(ips[i]);

		ld->runtime.own[bit / 64] |= 1ull << bit % 64;
	}
	return xfn_loader__write_runtime(ld) ?: ret;
}
