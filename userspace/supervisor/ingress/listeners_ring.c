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
#include "../../sockets/udp_socket.h"
#include "ingress_inside.h"

/*
 * The i-th VLAN id below which an address is served, 0: none; -1 past the last. Of two tags the
 * kernel takes only one off: below these the address is left to the sockets, and so is what is for
 * a socket of every address.
 */
static int tag_of(const struct xfn_ingress *ing, const uint8_t ip[16], unsigned i)
{
	bool known = false;

	if (xfn_udp_socket__is_every(ip))
		return -1;
	for (unsigned k = 0; k < ing->interface->local_count; k++) {
		if (memcmp(ing->interface->local[k].ip, ip, 16))
			continue;
		known = true;
		if (!ing->interface->local[k].tag[1] && !i--)
			return ing->interface->local[k].tag[0];
	}
	/* an address named by --bind or by a module, which is not the interface's */
	return known || i ? -1 : 0;
}

const struct xfn_packet_ring *xfn_ring__held(const struct xfn_ingress *ing)
{
	return ing->ring.receive >= 0 ? &ing->ring : NULL;
}

uint32_t xfn_ring__mtu(const struct xfn_ingress *ing)
{
	return ing->ring_mtu;
}

int xfn_listeners__filter(struct xfn_ingress *ing, const struct xfn_listener *one)
{
	unsigned *ifindexes;
	int ret;

	if (!ing->ring_mtu || tag_of(ing, one->local.ip, 0) < 0)
		return xfn_socket_guard__attach(ing, one->fd);
	ifindexes = calloc(ing->interface->device_count ?: 1, sizeof(*ifindexes));
	if (!ifindexes)
		return -ENOMEM;
	for (unsigned i = 0; i < ing->interface->device_count; i++)
		ifindexes[i] = ing->interface->devices[i].ifindex;
	ret = xfn_socket_guard__rest(ing, one->fd, ifindexes);
	free(ifindexes);
	return ret;
}

/* UDP sockets leave the ring its share, and take the rest. */
static int share(struct xfn_ingress *ing)
{
	int ret = 0;

	for (unsigned i = 0; !ret && i < ing->listener_count; i++)
		ret = xfn_listeners__filter(ing, &ing->listeners[i]);
	return ret;
}

/* What the ring is to take. Returns their number, *out is to be freed; -ENOMEM. */
static int targets_of(const struct xfn_ingress *ing, struct xfn_packet_target **out)
{
	unsigned n = 0;
	int tag;

	*out = NULL;
	for (unsigned i = 0; i < ing->listener_count; i++) {
		const struct xfn_address *local = &ing->listeners[i].local;

		for (unsigned k = 0; (tag = tag_of(ing, local->ip, k)) >= 0; k++) {
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
static int take(const struct xfn_ingress *ing, const struct xfn_packet_ring *ring)
{
	struct xfn_packet_target *targets;
	struct xfn_packet_wanted wanted = { .mtu = ing->ring_mtu };
	int ret = targets_of(ing, &targets);

	if (ret < 0)
		return ret;
	wanted.targets = targets;
	wanted.count = (unsigned)ret;
	wanted.own_count = xfn_addresses__own(ing->interface->addresses, &wanted.own);
	ret = xfn_packet_ring__take(ring, &wanted);
	free(targets);
	return ret;
}

/* Both filters, for what is to be served now. */
static int filter(struct xfn_ingress *ing, const struct xfn_packet_ring *ring,
		  struct xfn_error *err)
{
	int ret = take(ing, ring) ?: share(ing);

	if (!ret)
		return 0;
	return xfn_fail(err, ret, "cannot filter frames of %s: %s%s", ing->interface->iface.name,
			strerror(-ret),
			ret == -E2BIG ? "; serve fewer addresses (--address) or functions" : "");
}

int xfn_ring__open(struct xfn_ingress *ing, struct xfn_error *err)
{
	const struct xfn_interface *iface = &ing->interface->iface;
	struct xfn_packet_ring ring, before = ing->ring;
	int ret = xfn_packet_ring__open(iface->name, iface->index, iface->mtu, &ring, err);

	if (ret) {
		xfn_ring__close(ing);
		return ret;
	}
	ing->ring_mtu = iface->mtu;
	ret = filter(ing, &ring, err);
	/* What comes between these two is lost: the MTU changes, or nothing was served until now. */
	xfn_packet_ring__stop(&before);
	ret = ret ?: xfn_packet_ring__bind(&ring, iface->name, iface->index, err);
	xfn_losses__keep_ring(ing);
	xfn_packet_ring__close(&before);
	ing->ring = ring;
	if (ret)
		xfn_ring__close(ing);
	return ret;
}

int xfn_ring__follow(struct xfn_ingress *ing, struct xfn_error *err)
{
	return filter(ing, &ing->ring, err);
}

void xfn_ring__close(struct xfn_ingress *ing)
{
	xfn_losses__keep_ring(ing);
	xfn_packet_ring__close(&ing->ring);
}
