// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who this host is, for the dispatcher: MACs that frames are sent to, and addresses that no request
 * comes from. Must never know where they come from. */
#include <errno.h>
#include <string.h>
#include <bpf/bpf.h>
#include "loader_inside.h"
#include "../xdp/packet.h"

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
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	uint64_t hi = 0, lo = 0;

	/* as it stands in a frame */
	if (!memcmp(ip, mapped, sizeof(mapped))) {
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
	int ret = xfn_map__own(xfn_loader__map(ld, "xfn_own"), ips, count);

	memset(ld->runtime.own, 0, sizeof(ld->runtime.own));
	for (unsigned i = 0; i < count; i++) {
		uint32_t bit = own_bit(ips[i]);

		ld->runtime.own[bit / 64] |= 1ull << bit % 64;
	}
	return xfn_loader__write_runtime(ld) ?: ret;
}
