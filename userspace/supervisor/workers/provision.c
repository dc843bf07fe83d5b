// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a worker is given before it starts, in the order of worker_protocol.h: written down, for its
 * socket to take. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "../../host/log.h"
#include "../../worker/sandbox.h"
#include "../supervisor_inside.h"

static uint32_t flags_of(const struct xfn_supervisor *sup)
{
	return (sup->opts->trust_checksum ? XFN_TRUST_CHECKSUM : 0) |
	       (sup->iface.local_peer ? XFN_LOCAL_PEER : 0);
}

/* Is the address and port of listener `i` an earlier one's too, on another device? */
static bool bound_before(const struct xfn_supervisor *sup, unsigned i)
{
	const struct xfn_listener *own = &sup->listeners[i];

	for (unsigned j = 0; j < i; j++)
		if (sup->listeners[j].local.port == own->local.port &&
		    !memcmp(sup->listeners[j].local.ip, own->local.ip, 16))
			return true;
	return false;
}

static int put_functions(const struct xfn_supervisor *sup, struct xfn_child *child)
{
	int ret = 0;

	for (unsigned slot = 0; !ret && slot < sup->function_count; slot++) {
		const struct xfn_deployed *fn = &sup->functions[slot];
		struct xfn_handover msg = { .type = XFN_HO_FUNCTION,
					    .version = XFN_HANDOVER_VERSION };

		if (xfn_child_by_afxdp(child) ? fn->tier == XFN_TIER_SOCKET : !fn->listening)
			continue;
		msg.function.slot = slot;
		memcpy(msg.function.name, fn->mod->attr.name, sizeof(msg.function.name));
		if (fn->set_aside[0]) { /* has a port, and drops what comes to it */
			msg.type = XFN_HO_QUARANTINE;
			msg.quarantine.slot = slot;
			msg.quarantine.on = 1;
		}
		ret = xfn_outbox__put(&child->outbox, &msg, fn->set_aside[0] ? -1 : fn->mod->fd);
		if (ret)
			break;
		memset(&msg.bind, 0, sizeof(msg.bind));
		msg.type = XFN_HO_BIND;
		msg.bind.slot = slot;
		msg.bind.any = fn->any && !fn->version;
		msg.bind.addr = fn->addr;
		/* Behind UDP sockets the socket tells the function. */
		if (xfn_child_by_afxdp(child))
			ret = xfn_outbox__put(&child->outbox, &msg, -1);
	}
	for (unsigned i = 0; !ret && xfn_child_by_ring(child) && i < sup->listener_count; i++) {
		struct xfn_handover msg = { .type = XFN_HO_BIND, .version = XFN_HANDOVER_VERSION };

		if (bound_before(sup, i))
			continue;
		msg.bind.slot = sup->listeners[i].slot;
		msg.bind.addr = sup->listeners[i].local;
		ret = xfn_outbox__put(&child->outbox, &msg, -1);
	}
	return ret;
}

static int put_sockets(const struct xfn_supervisor *sup, struct xfn_child *child)
{
	struct xfn_handover msg = { .type = XFN_HO_UMEM, .version = XFN_HANDOVER_VERSION };
	int ret = 0;

	if (xfn_child_by_afxdp(child)) {
		msg.umem.len = child->umem.len;
		msg.umem.frame_size = child->umem.frame_size;
		msg.umem.headroom = child->umem.headroom;
		msg.umem.fill_size = child->umem.fill_size;
		msg.umem.comp_size = child->umem.comp_size;
		msg.umem.longest = child->umem.longest;
		ret = xfn_outbox__put(&child->outbox, &msg, child->umem.memfd);
		memset(&msg.socket, 0, sizeof(msg.socket));
		msg.type = XFN_HO_SOCKET;
		msg.socket.queue = child->queue;
		msg.socket.rx_size = child->umem.rx_size;
		msg.socket.tx_size = child->umem.tx_size;
		for (unsigned i = 0; !ret && i < child->threads; i++)
			ret = xfn_outbox__put(&child->outbox, &msg, child->umem.xsk[i]);
		msg.type = XFN_HO_SENDER;
		for (unsigned i = 0; !ret && i < child->threads && child->umem.send[i] >= 0; i++)
			ret = xfn_outbox__put(&child->outbox, &msg, child->umem.send[i]);
		return ret;
	}
	if (xfn_child_by_ring(child)) {
		memset(&msg.socket, 0, sizeof(msg.socket));
		msg.type = XFN_HO_SOCKET;
		msg.socket.block_size = xfn_packet_ring__block(sup->ring_mtu);
		msg.socket.block_count = XFN_PACKET_RING / msg.socket.block_size;
		ret = xfn_outbox__put(&child->outbox, &msg, child->ring.receive);
		return ret ?: xfn_outbox__put(&child->outbox, &msg, child->ring.send);
	}
	for (unsigned i = 0; !ret && i < sup->listener_count; i++) {
		memset(&msg.socket, 0, sizeof(msg.socket));
		msg.type = XFN_HO_SOCKET;
		msg.socket.slot = sup->listeners[i].slot;
		msg.socket.local = sup->listeners[i].local;
		ret = xfn_outbox__put(&child->outbox, &msg, sup->listeners[i].fd);
	}
	return ret;
}

int xfn_children__hand_over(const struct xfn_supervisor *sup, struct xfn_child *child)
{
	struct xfn_handover msg = { .type = XFN_HO_HELLO, .version = XFN_HANDOVER_VERSION };
	int ret;

	snprintf(msg.hello.engine, sizeof(msg.hello.engine), "%s", child->engine);
	msg.hello.flags = flags_of(sup);
	msg.hello.mtu = sup->iface.mtu ?: XFN_MTU_DEFAULT;
	msg.hello.rate = sup->opts->rate;
	msg.hello.uid = msg.hello.gid = geteuid() ? 0 : XFN_NOBODY;
	/* beside workers of frames, the one of sockets has the slow path only: it may sleep */
	msg.hello.spin =
		sup->opts->spin &&
		(xfn_child_by_afxdp(child) || xfn_child_by_ring(child) ||
		 (!xfn_child_by_afxdp(sup->children) && !xfn_child_by_ring(sup->children)));
	msg.hello.sqpoll = sup->opts->sqpoll;
	msg.hello.busy_us = sup->opts->links.busy_poll;
	msg.hello.memory_mb = sup->opts->memory_mb;
	msg.hello.threads = child->threads;
	memcpy(msg.hello.cpu, child->cpu, sizeof(msg.hello.cpu));
	ret = xfn_outbox__put(&child->outbox, &msg, child->page_fd);
	ret = ret ?: put_functions(sup, child);
	ret = ret ?: xfn_quarantine__tell(sup, child);
	ret = ret ?: put_sockets(sup, child);
	ret = ret ?: xfn_children__tell_active(child);
	msg = (struct xfn_handover){ .type = XFN_HO_START, .version = XFN_HANDOVER_VERSION };
	return ret ?: xfn_outbox__put(&child->outbox, &msg, -1);
}

int xfn_children__order(struct xfn_child *child, const struct xfn_handover *msg)
{
	bool starts = child->state != XFN_CHILD_READY;
	int ret;

	if (child->sock < 0)
		return 0;
	/* in the order of all others, of which the last is START */
	if (xfn_outbox__waits(&child->outbox))
		return xfn_outbox__put(&child->outbox, msg, -1);
	ret = xfn_handover__send(child->sock, msg, -1);
	if (ret == -EAGAIN && starts)
		return xfn_outbox__put(&child->outbox, msg, -1);
	if (ret == -EAGAIN) {
		xfn_log__line(LOG_ERR,
			      "worker of engine %s, queue %u takes no orders any more: ended",
			      child->engine, child->queue);
		xfn_process__kill(child);
	}
	return ret;
}

int xfn_children__tell_active(struct xfn_child *child)
{
	struct xfn_handover msg = { .type = XFN_HO_ACTIVE,
				    .version = XFN_HANDOVER_VERSION,
				    .active = { .threads = child->active } };

	return xfn_children__order(child, &msg);
}
