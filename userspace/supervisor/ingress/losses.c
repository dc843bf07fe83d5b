// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the kernel dropped on its way to a worker. The supervisor holds all sockets, so it can ask
 * them, also when a worker has ended. Must never touch a packet. socket(7), packet(7),
 * Documentation/networking/af_xdp.rst.
 */
#include <sys/socket.h>
#include <linux/if_packet.h>
#include "../supervisor_inside.h"

/*
 * A socket of engine packet refuses by its filter each datagram that the ring has taken: what it
 * lost besides cannot be told.
 */
static uint64_t lost_by(const struct xfn_supervisor *sup, const struct xfn_listener *listener)
{
	return sup->ring_mtu ? 0 : xfn_udp_socket__dropped(listener->fd);
}

static void add_rings(const struct xfn_worker_process *worker, uint64_t sum[XFN_REASON_SLOTS])
{
	struct tpacket_stats_v3 ring = {};
	socklen_t len = sizeof(ring);

	for (unsigned i = 0; worker->has_umem && i < worker->threads; i++) {
		struct xfn_umem_losses lost = xfn_umem__losses(&worker->umem, i);

		sum[XFN_REASON_RING_FULL] += lost.ring_full;
		sum[XFN_REASON_NO_FRAME] += lost.no_frame;
	}
	/* counted from zero by each question: nobody else may ask */
	if (worker->ring.receive >= 0 &&
	    !getsockopt(worker->ring.receive, SOL_PACKET, PACKET_STATISTICS, &ring, &len))
		sum[XFN_REASON_RING_FULL] += ring.tp_drops;
}

void xfn_losses__keep_socket(struct xfn_supervisor *sup, const struct xfn_listener *listener)
{
	sup->losses[XFN_REASON_SOCKET_FULL] += lost_by(sup, listener);
}

void xfn_losses__keep_rings(struct xfn_supervisor *sup, const struct xfn_worker_process *worker)
{
	add_rings(worker, sup->losses);
}

void xfn_losses__add(struct xfn_supervisor *sup, uint64_t sum[XFN_REASON_SLOTS])
{
	uint64_t refused;

	xfn_socket_guard__reasons(sup, sum);
	refused = sum[XFN_REASON_SLOW_REFUSED];
	for (unsigned i = 0; i < sup->worker_count; i++)
		add_rings(&sup->workers[i],
			  xfn_worker_process__by_ring(&sup->workers[i]) ? sup->losses : sum);
	for (unsigned i = 0; i < sup->listener_count; i++)
		sum[XFN_REASON_SOCKET_FULL] += lost_by(sup, &sup->listeners[i]);
	for (unsigned i = 0; i < XFN_REASON_SLOTS; i++)
		sum[i] += sup->losses[i];
	/* what a filter refuses is lost by its socket, as the kernel sees it */
	if (refused > sum[XFN_REASON_SOCKET_FULL])
		refused = sum[XFN_REASON_SOCKET_FULL];
	sum[XFN_REASON_SOCKET_FULL] -= refused;
	sum[XFN_REASON_SLOW_REFUSED] = 0;
}
