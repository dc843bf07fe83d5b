// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a worker works with, made before its process and taken back after it: pages, rings, a CPU.
 * Must never know of the process.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "../../../skel/error.h"
#include "../../host/cpus.h"
#include "../../host/log.h"
#include "../supervisor_inside.h"

static int make_pages(struct xfn_supervisor *sup, struct xfn_child *child)
{
	int ret = child->page ? 0 : xfn_told__make(child);

	if (ret)
		return ret;
	xfn_told__begin(sup, child);
	for (unsigned i = 0; i < child->threads; i++)
		child->load[i].stalls = 0;
	memset(child->seen, 0, sizeof(child->seen));
	memset(child->progress, 0, sizeof(child->progress));
	child->hung = false;
	child->still = NULL;
	return 0;
}

void xfn_provision__drop(struct xfn_supervisor *sup, struct xfn_child *child)
{
	/* what no frame comes to any more loses none */
	for (unsigned i = 0; child->has_umem && sup->loader && i < child->threads; i++)
		xfn_loader__socket(sup->loader, child->queue, i, -1);
	if (child->ring.receive >= 0) {
		xfn_packet_ring__stop(&child->ring);
		xfn_listeners__take_all(sup);
	}
	xfn_losses__keep_rings(sup, child);
	xfn_packet_ring__close(&child->ring);
	if (!child->has_umem)
		return;
	xfn_umem__close(&child->umem);
	child->has_umem = false;
}

static int open_ring(struct xfn_supervisor *sup, struct xfn_child *child, struct xfn_error *err)
{
	struct xfn_packet_target *targets;
	const uint8_t(*own)[16];
	unsigned own_count = xfn_addresses__own(sup->addresses, &own);
	int ret = xfn_listeners__targets(sup, &targets);

	if (ret < 0)
		return ret;
	ret = xfn_packet_ring__open(sup->iface.name, sup->iface.index, sup->ring_mtu, targets,
				    (unsigned)ret, own, own_count, &child->ring, err);
	free(targets);
	return ret;
}

/* A crash leaves rings in an unknown state: always a fresh set. */
static int renew_rings(struct xfn_supervisor *sup, struct xfn_child *child, struct xfn_error *err)
{
	int ret = 0;

	xfn_provision__drop(sup, child);
	if (xfn_child_by_afxdp(child)) {
		ret = xfn_umem__open(sup->iface.name, child->queue, child->threads, sup->iface.mtu,
				     xfn_cpus__node(child->cpu[0]), &child->umem, err);
		child->has_umem = !ret;
		if (!ret && child->queue >= sup->iface.tx_queues)
			ret = xfn_umem__send_apart(&child->umem, sup->iface.name, sup->iface.index,
						   err);
		if (!ret)
			xfn_log__line(LOG_DEBUG, "frames of queue %u are in %s pages", child->queue,
				      child->umem.huge ? "huge" : "normal");
	} else if (xfn_child_by_ring(child)) {
		ret = open_ring(sup, child, err);
	}
	return ret;
}

/*
 * By --cpus; else the first thread of a worker of frames goes where its queue's interrupt goes. -1:
 * nowhere.
 */
static int cpu_for(const struct xfn_supervisor *sup, const struct xfn_child *child, unsigned thread)
{
	const struct xfn_run_options *opts = sup->opts;
	unsigned i = (child - sup->children) * child->threads + thread;

	if (opts->cpu_count)
		return opts->cpus[i % opts->cpu_count];
	/* veth has no interrupt; a device that has its name elsewhere may */
	if (thread || !xfn_child_by_afxdp(child) || !strcmp(sup->iface.driver, "veth"))
		return -1;
	return xfn_cpus__of_queue("", sup->iface.name, child->queue);
}

/* What is meant to be bound is: else it is said, and nothing is claimed. */
void xfn_provision__check_pinned(struct xfn_child *child)
{
	for (unsigned i = 0; i < child->threads; i++) {
		int wanted = child->cpu[i];
		char thread[32] = "";
		pid_t tid;

		if (wanted < 0)
			continue;
		if (child->threads > 1)
			snprintf(thread, sizeof(thread), ", thread %u", i);
		tid = xfn_child__tid(child, i);
		child->cpu[i] = tid ? xfn_cpus__of_process(tid) : -1;
		if (child->cpu[i] != wanted)
			xfn_log__line(LOG_WARNING,
				      "worker of engine %s, queue %u%s is not bound to CPU %d; is "
				      "it online?",
				      child->engine, child->queue, thread, wanted);
		else
			xfn_log__line(LOG_DEBUG,
				      "worker of engine %s, queue %u%s is bound to CPU %d",
				      child->engine, child->queue, thread, wanted);
	}
}

int xfn_provision__bind(struct xfn_supervisor *sup, struct xfn_child *child, struct xfn_error *err)
{
	int ret = child->has_umem ? xfn_links__bind(sup, &child->umem, err) : 0;

	for (unsigned i = 0; !ret && child->has_umem && i < child->threads; i++)
		ret = xfn_loader__socket(sup->loader, child->queue, i, child->umem.xsk[i]);
	if (child->ring.receive < 0)
		return ret;
	/* UDP sockets have taken all until now: they leave it its requests as it begins */
	ret = xfn_listeners__share(sup, err);
	if (ret)
		return ret;
	return xfn_packet_ring__bind(&child->ring, sup->iface.name, sup->iface.index, err);
}

int xfn_provision__make(struct xfn_supervisor *sup, struct xfn_child *child, struct xfn_error *err)
{
	int ret;

	for (unsigned i = 0; i < child->threads; i++)
		child->cpu[i] = cpu_for(sup, child, i);
	ret = make_pages(sup, child);
	if (!ret && xfn_child_by_afxdp(child))
		ret = xfn_crews__apply(sup, child);
	return ret ?: renew_rings(sup, child, err);
}
