// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the kernel dropped on its way to a worker. The supervisor holds all sockets, so it can ask
 * them, also when a worker has ended. Must never touch a packet. socket(7), packet(7),
 * Documentation/networking/af_xdp.rst.
 */
#include <sys/socket.h>
#include <linux/if_packet.h>
#include "../../sockets/udp_socket.h"
#include "ingress_inside.h"
#include "losses.h"

/*
 * A socket of engine packet refuses by its filter each datagram that the ring has taken: what it
 * lost besides cannot be told.
 */
static uint64_t lost_by(const struct xfn_ingress *ing, const struct xfn_listener *listener)
{
	return ing->ring_mtu ? 0 : xfn_udp_socket__dropped(listener->fd);
}

void xfn_losses__add_rings(struct xfn_ingress *ing, const struct xfn_umem *umem,
			   const struct xfn_packet_ring *ring, uint64_t sum[XFN_REASON_SLOTS])
{
	struct tpacket_stats_v3 stats = {};
	socklen_t len = sizeof(stats);

	for (unsigned i = 0; umem && i < umem->threads; i++) {
		struct xfn_umem_losses lost = xfn_umem__losses(umem, i);

		sum[XFN_REASON_RING_FULL] += lost.ring_full;
		sum[XFN_REASON_NO_FRAME] += lost.no_frame;
	}
	/* the kernel resets this count with each question: nobody else may ask */
	if (ring->receive >= 0 &&
	    !getsockopt(ring->receive, SOL_PACKET, PACKET_STATISTICS, &stats, &len))
		ing->losses[XFN_REASON_RING_FULL] += stats.tp_drops;
}

void xfn_losses__keep_rings(struct xfn_ingress *ing, const struct xfn_umem *umem,
			    const struct xfn_packet_ring *ring)
{
	xfn_losses__add_rings(ing, umem, ring, ing->losses);
}

void xfn_losses__keep_socket(struct xfn_ingress *ing, const struct xfn_listener *listener)
{
	ing->losses[XFN_REASON_SOCKET_FULL] += lost_by(ing, listener);
}

void xfn_losses__add(const struct xfn_ingress *ing, uint64_t sum[XFN_REASON_SLOTS])
{
	uint64_t refused;

	xfn_socket_guard__reasons(ing, sum);
	refused = sum[XFN_REASON_SLOW_REFUSED];
	for (unsigned i = 0; i < ing->listener_count; i++)
		sum[XFN_REASON_SOCKET_FULL] += lost_by(ing, &ing->listeners[i]);
	for (unsigned i = 0; i < XFN_REASON_SLOTS; i++)
		sum[i] += ing->losses[i];
	/* the kernel counts what a filter refuses as lost by its socket */
	if (refused > sum[XFN_REASON_SOCKET_FULL])
		refused = sum[XFN_REASON_SOCKET_FULL];
	sum[XFN_REASON_SOCKET_FULL] -= refused;
	sum[XFN_REASON_SLOW_REFUSED] = 0;
}
