// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What UDP sockets of tier socket refuse of what the host's stack lets through (skel/socket_filter.h). Where
 * no BPF program may be loaded, a classic filter refuses the same, which the kernel counts among
 * what a socket lost: SOCKET_FULL. Must never open a socket.
 */
#include <syslog.h>
#include "../../../skel/socket_filter.h"
#include "../../host/log.h"
#include "../../sockets/packet_ring.h"
#include "ingress_inside.h"

/* As the kernel told them last; none before it was asked. */
static unsigned own_of(const struct xfn_ingress *ing, const uint8_t (**ips)[16])
{
	*ips = NULL;
	return ing->interface->addresses ? xfn_addresses__own(ing->interface->addresses, ips) : 0;
}

static void tell_filter(const struct xfn_ingress *ing)
{
	const uint8_t(*ips)[16];
	unsigned count = own_of(ing, &ips);

	if (xfn_socket_filter__own(ing->socket_filter, ips, count))
		xfn_log__line(LOG_WARNING,
			      "not all of %u addresses of this host are refused as source by UDP "
			      "sockets; at most %u are",
			      count, XFN_OWN);
}

int xfn_socket_guard__attach(struct xfn_ingress *ing, int fd)
{
	const uint8_t(*ips)[16];
	unsigned count = own_of(ing, &ips);

	if (!ing->socket_filter && !ing->no_socket_filter) {
		ing->no_socket_filter = xfn_socket_filter__open(&ing->socket_filter);
		if (ing->socket_filter)
			tell_filter(ing);
	}
	if (ing->socket_filter)
		return xfn_socket_filter__attach(ing->socket_filter, fd);
	return xfn_packet_ring__strict(fd, ips, count);
}

int xfn_socket_guard__rest(const struct xfn_ingress *ing, int fd, const unsigned *ifindexes)
{
	const uint8_t(*ips)[16];
	unsigned count = own_of(ing, &ips);

	return xfn_packet_ring__park(fd, ing->ring_mtu, ifindexes, ing->interface->device_count,
				     ips, count);
}

void xfn_ingress__host_changed(struct xfn_ingress *ing)
{
	const uint8_t(*ips)[16];
	unsigned count = own_of(ing, &ips);

	if (ing->socket_filter)
		tell_filter(ing);
	/* with engine packet a new ring comes, and with it new filters */
	if (ing->socket_filter || ing->ring_mtu)
		return;
	for (unsigned i = 0; i < ing->listener_count; i++)
		if (!ing->listeners[i].slow &&
		    xfn_packet_ring__strict(ing->listeners[i].fd, ips, count))
			xfn_log__line(
				LOG_WARNING,
				"cannot filter a UDP socket anew: a changed address of this host "
				"is not refused as source");
}

void xfn_socket_guard__reasons(const struct xfn_ingress *ing, uint64_t sum[XFN_REASON_SLOTS])
{
	if (ing->socket_filter)
		xfn_socket_filter__reasons(ing->socket_filter, sum);
}
