// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Engine packet: which datagrams its ring takes, and which are left to UDP sockets. Must never open
 * a socket. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "../../host/log.h"
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

void xfn_listeners__use_ring(struct xfn_ingress *ing)
{
	ing->ring_mtu = ing->interface->iface.mtu;
}

uint32_t xfn_listeners__ring_mtu(const struct xfn_ingress *ing)
{
	return ing->ring_mtu;
}

int xfn_listeners__share(const struct xfn_ingress *ing, struct xfn_error *err)
{
	unsigned *ifindexes = calloc(ing->interface->device_count ?: 1, sizeof(*ifindexes));
	int ret = ifindexes ? 0 : -ENOMEM;

	for (unsigned i = 0; !ret && i < ing->interface->device_count; i++)
		ifindexes[i] = ing->interface->devices[i].ifindex;
	for (unsigned i = 0; !ret && i < ing->listener_count; i++)
		if (tag_of(ing, ing->listeners[i].local.ip, 0) >= 0)
			ret = xfn_socket_guard__rest(ing, ing->listeners[i].fd, ifindexes);
	if (ret)
		xfn_error__set(err, "cannot filter a UDP socket: %s", strerror(-ret));
	free(ifindexes);
	return ret;
}

void xfn_listeners__take_all(struct xfn_ingress *ing)
{
	for (unsigned i = 0; i < ing->listener_count; i++)
		if (xfn_socket_guard__attach(ing, ing->listeners[i].fd))
			xfn_log__line(LOG_WARNING, "cannot filter a UDP socket anew: requests are "
						   "lost until its worker serves again");
}

int xfn_listeners__targets(const struct xfn_ingress *ing, struct xfn_packet_target **out)
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
