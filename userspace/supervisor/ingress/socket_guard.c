// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What UDP sockets of tier socket refuse of what the host's stack lets through (skel/socket_filter.h). Where
 * no BPF program may be loaded, a classic filter refuses the same, which the kernel counts among
 * what a socket lost: SOCKET_FULL. Must never open a socket.
 */
#include <syslog.h>
#include "../../../skel/socket_filter.h"
#include "../../host/log.h"
#include "../supervisor_inside.h"

/* As the kernel told them last; none before it was asked. */
static unsigned own_of(const struct xfn_supervisor *sup, const uint8_t (**ips)[16])
{
	*ips = NULL;
	return sup->addresses ? xfn_addresses__own(sup->addresses, ips) : 0;
}

static void tell_filter(const struct xfn_supervisor *sup)
{
	const uint8_t(*ips)[16];
	unsigned count = own_of(sup, &ips);

	if (xfn_socket_filter__own(sup->socket_filter, ips, count))
		xfn_log__line(LOG_WARNING,
			      "not all of %u addresses of this host are refused as source by UDP "
			      "sockets; at most %u are",
			      count, XFN_OWN);
}

int xfn_socket_guard__attach(struct xfn_supervisor *sup, int fd)
{
	const uint8_t(*ips)[16];
	unsigned count = own_of(sup, &ips);

	if (!sup->socket_filter && !sup->no_socket_filter) {
		sup->no_socket_filter = xfn_socket_filter__open(&sup->socket_filter);
		if (sup->socket_filter)
			tell_filter(sup);
	}
	if (sup->socket_filter)
		return xfn_socket_filter__attach(sup->socket_filter, fd);
	return xfn_packet_ring__strict(fd, ips, count);
}

int xfn_socket_guard__rest(const struct xfn_supervisor *sup, int fd, const unsigned *ifindexes)
{
	const uint8_t(*ips)[16];
	unsigned count = own_of(sup, &ips);

	return xfn_packet_ring__park(fd, sup->ring_mtu, ifindexes, sup->device_count, ips, count);
}

void xfn_socket_guard__host(struct xfn_supervisor *sup)
{
	const uint8_t(*ips)[16];
	unsigned count = own_of(sup, &ips);

	if (sup->socket_filter)
		tell_filter(sup);
	/* with engine packet a new ring comes, and with it new filters */
	if (sup->socket_filter || sup->ring_mtu)
		return;
	for (unsigned i = 0; i < sup->listener_count; i++)
		if (!sup->listeners[i].slow &&
		    xfn_packet_ring__strict(sup->listeners[i].fd, ips, count))
			xfn_log__line(
				LOG_WARNING,
				"cannot filter a UDP socket anew: a changed address of this host "
				"is not refused as source");
}

void xfn_socket_guard__reasons(const struct xfn_supervisor *sup, uint64_t sum[XFN_REASON_SLOTS])
{
	if (sup->socket_filter)
		xfn_socket_filter__reasons(sup->socket_filter, sum);
}
