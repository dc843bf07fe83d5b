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
#include "../ingress/listeners.h"
#include "process.h"
#include "provision.h"
#include "quarantine.h"
#include "workers_inside.h"

static uint32_t flags_of(const struct xfn_workers *workers)
{
	return (workers->of.opts->trust_checksum ? XFN_TRUST_CHECKSUM : 0) |
	       (workers->of.interface->iface.local_peer ? XFN_LOCAL_PEER : 0);
}

/* Can requests of the function in `slot` come to `worker`, now or when addresses are others? */
static bool may_be_asked(const struct xfn_workers *workers, const struct xfn_worker_process *worker,
			 unsigned slot)
{
	if (xfn_worker_process__by_ring(worker)) /* no other tier is served beside it */
		return true;
	return xfn_worker_process__by_afxdp(worker) ?
		       xfn_functions__at(workers->of.functions, slot)->tier != XFN_TIER_SOCKET :
		       xfn_listeners__has(workers->of.ingress, slot);
}

static int put_functions(const struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	int ret = 0;

	for (unsigned slot = 0; !ret && slot < xfn_functions__count(workers->of.functions);
	     slot++) {
		const struct xfn_deployed *fn = xfn_functions__at(workers->of.functions, slot);
		bool aside = workers->health[slot].set_aside[0];
		struct xfn_message msg = { .type = XFN_MESSAGE_FUNCTION,
					   .version = XFN_WORKER_PROTOCOL_VERSION };

		if (!may_be_asked(workers, worker, slot))
			continue;
		msg.function.slot = slot;
		memcpy(msg.function.name, fn->mod->attr.name, sizeof(msg.function.name));
		if (aside) { /* it keeps its port, and its requests are dropped */
			msg.type = XFN_MESSAGE_QUARANTINE;
			msg.quarantine.slot = slot;
			msg.quarantine.on = 1;
		}
		ret = xfn_outbox__put(&worker->outbox, &msg, aside ? -1 : fn->mod->fd);
		if (ret)
			break;
		memset(&msg.bind, 0, sizeof(msg.bind));
		msg.type = XFN_MESSAGE_BIND;
		msg.bind.slot = slot;
		msg.bind.any = fn->any && !fn->version;
		msg.bind.addr = fn->addr;
		/* Behind UDP sockets each socket belongs to one function. */
		if (xfn_worker_process__by_afxdp(worker) || xfn_worker_process__by_ring(worker))
			ret = xfn_outbox__put(&worker->outbox, &msg, -1);
	}
	return ret;
}

static int put_sockets(const struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	struct xfn_message msg = { .type = XFN_MESSAGE_UMEM,
				   .version = XFN_WORKER_PROTOCOL_VERSION };
	unsigned held_count;
	const struct xfn_listener *held = xfn_listeners__held(workers->of.ingress, &held_count);
	const struct xfn_packet_ring *ring = xfn_ring__held(workers->of.ingress);
	int ret = 0;

	if (xfn_worker_process__by_afxdp(worker)) {
		msg.umem.len = worker->umem.len;
		msg.umem.frame_size = worker->umem.frame_size;
		msg.umem.headroom = worker->umem.headroom;
		msg.umem.fill_size = worker->umem.fill_size;
		msg.umem.comp_size = worker->umem.comp_size;
		msg.umem.longest = worker->umem.longest;
		ret = xfn_outbox__put(&worker->outbox, &msg, worker->umem.memfd);
		memset(&msg.socket, 0, sizeof(msg.socket));
		msg.type = XFN_MESSAGE_SOCKET;
		msg.socket.queue = worker->queue;
		msg.socket.rx_size = worker->umem.rx_size;
		msg.socket.tx_size = worker->umem.tx_size;
		for (unsigned i = 0; !ret && i < worker->threads; i++)
			ret = xfn_outbox__put(&worker->outbox, &msg, worker->umem.xsk[i]);
		msg.type = XFN_MESSAGE_SENDER;
		for (unsigned i = 0; !ret && i < worker->threads && worker->umem.send[i] >= 0; i++)
			ret = xfn_outbox__put(&worker->outbox, &msg, worker->umem.send[i]);
		return ret;
	}
	if (xfn_worker_process__by_ring(worker)) {
		memset(&msg.socket, 0, sizeof(msg.socket));
		msg.type = XFN_MESSAGE_SOCKET;
		msg.socket.block_size = xfn_packet_ring__block(xfn_ring__mtu(workers->of.ingress));
		msg.socket.block_count = XFN_PACKET_RING / msg.socket.block_size;
		ret = xfn_outbox__put(&worker->outbox, &msg, ring->receive);
		return ret ?: xfn_outbox__put(&worker->outbox, &msg, ring->send);
	}
	for (unsigned i = 0; !ret && i < held_count; i++) {
		memset(&msg.socket, 0, sizeof(msg.socket));
		msg.type = XFN_MESSAGE_SOCKET;
		msg.socket.slot = held[i].slot;
		msg.socket.local = held[i].local;
		ret = xfn_outbox__put(&worker->outbox, &msg, held[i].fd);
	}
	return ret;
}

int xfn_provision__send(const struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	struct xfn_message msg = { .type = XFN_MESSAGE_HELLO,
				   .version = XFN_WORKER_PROTOCOL_VERSION };
	int ret;

	snprintf(msg.hello.engine, sizeof(msg.hello.engine), "%s", worker->engine);
	msg.hello.flags = flags_of(workers);
	msg.hello.mtu = workers->of.interface->iface.mtu ?: XFN_MTU_DEFAULT;
	msg.hello.rate = workers->of.opts->rate;
	msg.hello.uid = msg.hello.gid = geteuid() ? 0 : XFN_NOBODY;
	/* beside workers of frames, the one of sockets has the slow path only: it may sleep */
	msg.hello.spin = workers->of.opts->spin && (xfn_worker_process__by_afxdp(worker) ||
						    xfn_worker_process__by_ring(worker) ||
						    (!xfn_worker_process__by_afxdp(workers->all) &&
						     !xfn_worker_process__by_ring(workers->all)));
	msg.hello.sqpoll = workers->of.opts->sqpoll;
	msg.hello.careful = worker->careful;
	msg.hello.busy_us = workers->of.opts->links.busy_poll;
	msg.hello.memory_mb = workers->of.opts->memory_mb;
	msg.hello.threads = worker->threads;
	memcpy(msg.hello.cpu, worker->cpu, sizeof(msg.hello.cpu));
	ret = xfn_outbox__put(&worker->outbox, &msg, worker->page_fd);
	ret = ret ?: put_functions(workers, worker);
	ret = ret ?: xfn_quarantine__send(workers, worker);
	ret = ret ?: put_sockets(workers, worker);
	ret = ret ?: xfn_workers__send_active(worker);
	msg = (struct xfn_message){ .type = XFN_MESSAGE_START,
				    .version = XFN_WORKER_PROTOCOL_VERSION };
	return ret ?: xfn_outbox__put(&worker->outbox, &msg, -1);
}

int xfn_workers__command(struct xfn_worker_process *worker, const struct xfn_message *msg)
{
	bool starts = worker->state != XFN_WORKER_READY;
	int ret;

	if (worker->sock < 0)
		return 0;
	/* behind the messages that still wait; START is the last of these */
	if (xfn_outbox__waits(&worker->outbox))
		return xfn_outbox__put(&worker->outbox, msg, -1);
	ret = xfn_message__send(worker->sock, msg, -1);
	if (ret == -EAGAIN && starts) {
		ret = xfn_outbox__put(&worker->outbox, msg, -1);
		xfn_workers__watch(worker); /* until its socket takes the message */
		return ret;
	}
	if (ret == -EAGAIN) {
		xfn_log__line(LOG_ERR,
			      "worker of engine %s, queue %u takes no orders any more: ended",
			      worker->engine, worker->queue);
		xfn_process__kill(worker);
	}
	return ret;
}

int xfn_workers__send_active(struct xfn_worker_process *worker)
{
	struct xfn_message msg = { .type = XFN_MESSAGE_ACTIVE,
				   .version = XFN_WORKER_PROTOCOL_VERSION,
				   .active = { .threads = worker->active } };

	return xfn_workers__command(worker, &msg);
}
