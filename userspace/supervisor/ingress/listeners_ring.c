// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Engine packet: its ring, held here as UDP sockets are, so that requests wait in it while a worker
 * restarts; which datagrams it takes, and which are left to UDP sockets. Must never know of workers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../../skel/error.h"
#include "../supervisor_inside.h"

/*
 * The i-th VLAN id below which an address is served, 0: none; -1 past the last. Of two tags the
 * kernel takes only one off: below these the address is left to the sockets, and so is what is for
 * a socket of every address.
 */
static int tag_of(const struct xfn_supervisor *sup, const uint8_t ip[16], unsigned i)
{
	bool known = false;

	if (xfn_udp_socket__is_every(ip))
		return -1;
	for (unsigned k = 0; k < sup->local_count; k++) {
		if (memcmp(sup->local[k].ip, ip, 16))
			continue;
		known = true;
		if (!sup->local[k].tag[1] && !i--)
			return sup->local[k].tag[0];
	}
	/* named by --bind or by a module, not the interface's */
	return known || i ? -1 : 0;
}

int xfn_listeners__filter(const struct xfn_supervisor *sup, const struct xfn_listener *one)
{
	unsigned *ifindexes;
	int ret;

	if (!sup->ring_mtu || tag_of(sup, one->local.ip, 0) < 0)
		return xfn_packet_ring__strict(one->fd);
	ifindexes = calloc(sup->device_count ?: 1, sizeof(*ifindexes));
	if (!ifindexes)
		return -ENOMEM;
	for (unsigned i = 0; i < sup->device_count; i++)
		ifindexes[i] = sup->devices[i].ifindex;
	ret = xfn_packet_ring__park(one->fd, sup->ring_mtu, ifindexes, sup->device_count);
	free(ifindexes);
	return ret;
}

/* The UDP sockets leave the ring its share, and take the rest. */
static int share(const struct xfn_supervisor *sup)
{
	int ret = 0;

	for (unsigned i = 0; !ret && i < sup->listener_count; i++)
		ret = xfn_listeners__filter(sup, &sup->listeners[i]);
	return ret;
}

/* What the ring is to take. Returns their number, *out is to be freed; -ENOMEM. */
static int targets_of(const struct xfn_supervisor *sup, struct xfn_packet_target **out)
{
	unsigned n = 0;
	int tag;

	*out = NULL;
	for (unsigned i = 0; i < sup->listener_count; i++) {
		const struct xfn_address *local = &sup->listeners[i].local;

		for (unsigned k = 0; (tag = tag_of(sup, local->ip, k)) >= 0; k++) {
			struct xfn_packet_target *all = reallocarray(*out, n + 1, sizeof(*all));

			if (!all) {
				free(*out);
				return -ENOMEM;
			}
			*out = all;
			all[n++] = (struct xfn_packet_target){ *local, (uint16_t)tag };
		}
	}
	return (int)n;
}

/* `ring` takes what is to be served now. */
static int take(const struct xfn_supervisor *sup, const struct xfn_packet_ring *ring)
{
	struct xfn_packet_target *targets;
	struct xfn_packet_wanted wanted = { .mtu = sup->ring_mtu };
	int ret = targets_of(sup, &targets);

	if (ret < 0)
		return ret;
	wanted.targets = targets;
	wanted.count = (unsigned)ret;
	wanted.own_count = xfn_addresses__own(sup->addresses, &wanted.own);
	ret = xfn_packet_ring__take(ring, &wanted);
	free(targets);
	return ret;
}

static int cannot_filter(const struct xfn_supervisor *sup, int ret, struct xfn_error *err)
{
	if (ret)
		xfn_error__set(
			err, "cannot filter frames of %s: %s%s", sup->iface.name, strerror(-ret),
			ret == -E2BIG ? "; serve fewer addresses (--address) or functions" : "");
	return ret;
}

int xfn_ring__open(struct xfn_supervisor *sup, struct xfn_error *err)
{
	struct xfn_packet_ring ring, before = sup->ring;
	int ret = xfn_packet_ring__open(sup->iface.name, sup->iface.index, sup->iface.mtu, &ring,
					err);

	if (ret)
		return ret;
	sup->ring_mtu = sup->iface.mtu;
	ret = cannot_filter(sup, take(sup, &ring) ?: share(sup), err);
	/* What comes between these two is lost: the MTU changes, or nothing was served until now. */
	xfn_packet_ring__stop(&before);
	ret = ret ?: xfn_packet_ring__bind(&ring, sup->iface.name, sup->iface.index, err);
	xfn_losses__keep_ring(sup);
	xfn_packet_ring__close(&before);
	sup->ring = ring;
	if (ret)
		xfn_ring__close(sup);
	return ret;
}

int xfn_ring__follow(struct xfn_supervisor *sup, struct xfn_error *err)
{
	return cannot_filter(sup, take(sup, &sup->ring) ?: share(sup), err);
}

void xfn_ring__close(struct xfn_supervisor *sup)
{
	xfn_losses__keep_ring(sup);
	xfn_packet_ring__close(&sup->ring);
	sup->ring_mtu = 0;
}
