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

static int make_pages(struct xfn_supervisor *sup, struct xfn_worker_process *worker)
{
	int ret = worker->page ? 0 : xfn_page_check__make(worker);

	if (ret)
		return ret;
	xfn_page_check__begin(sup, worker);
	for (unsigned i = 0; i < worker->threads; i++)
		worker->load[i].stalls = 0;
	memset(worker->seen, 0, sizeof(worker->seen));
	memset(worker->progress, 0, sizeof(worker->progress));
	worker->hung = false;
	worker->still = NULL;
	return 0;
}

void xfn_provision__drop(struct xfn_supervisor *sup, struct xfn_worker_process *worker)
{
	/* what no frame comes to any more loses none */
	for (unsigned i = 0; worker->has_umem && sup->loader && i < worker->threads; i++)
		xfn_loader__socket(sup->loader, worker->queue, i, -1);
	if (worker->ring.receive >= 0) {
		xfn_packet_ring__stop(&worker->ring);
		xfn_listeners__take_all(sup);
	}
	xfn_losses__keep_rings(sup, worker);
	xfn_packet_ring__close(&worker->ring);
	if (!worker->has_umem)
		return;
	xfn_umem__close(&worker->umem);
	worker->has_umem = false;
}

static int open_ring(struct xfn_supervisor *sup, struct xfn_worker_process *worker,
		     struct xfn_error *err)
{
	struct xfn_packet_ring_config config = { .ifname = sup->iface.name,
						 .ifindex = sup->iface.index,
						 .mtu = sup->ring_mtu };
	struct xfn_packet_target *targets;
	int ret = xfn_listeners__targets(sup, &targets);

	if (ret < 0)
		return ret;
	config.targets = targets;
	config.count = (unsigned)ret;
	config.own_count = xfn_addresses__own(sup->addresses, &config.own);
	ret = xfn_packet_ring__open(&config, &worker->ring, err);
	free(targets);
	return ret;
}

/* A crash leaves rings in an unknown state: always a fresh set. */
static int renew_rings(struct xfn_supervisor *sup, struct xfn_worker_process *worker,
		       struct xfn_error *err)
{
	const struct xfn_umem_config frames = { .ifname = sup->iface.name,
						.queue = worker->queue,
						.threads = worker->threads,
						.mtu = sup->iface.mtu,
						.node = xfn_cpus__node(worker->cpu[0]) };
	int ret = 0;

	xfn_provision__drop(sup, worker);
	if (xfn_worker_process__by_afxdp(worker)) {
		ret = xfn_umem__open(&frames, &worker->umem, err);
		worker->has_umem = !ret;
		if (!ret && worker->queue >= sup->iface.tx_queues)
			ret = xfn_umem__send_apart(&worker->umem, sup->iface.name, sup->iface.index,
						   err);
		if (!ret)
			xfn_log__line(LOG_DEBUG, "frames of queue %u are in %s pages",
				      worker->queue, worker->umem.huge ? "huge" : "normal");
	} else if (xfn_worker_process__by_ring(worker)) {
		ret = open_ring(sup, worker, err);
	}
	return ret;
}

/*
 * By --cpus; else the first thread of a worker of frames goes where its queue's interrupt goes. -1:
 * nowhere.
 */
static int cpu_for(const struct xfn_supervisor *sup, const struct xfn_worker_process *worker,
		   unsigned thread)
{
	const struct xfn_run_options *opts = sup->opts;
	unsigned i = (worker - sup->workers) * worker->threads + thread;

	if (opts->cpu_count)
		return opts->cpus[i % opts->cpu_count];
	/* veth has no interrupt; a device that has its name elsewhere may */
	if (thread || !xfn_worker_process__by_afxdp(worker) || !strcmp(sup->iface.driver, "veth"))
		return -1;
	return xfn_cpus__of_queue("", sup->iface.name, worker->queue);
}

/* What is meant to be bound is: else it is said, and nothing is claimed. */
void xfn_provision__check_pinned(struct xfn_worker_process *worker)
{
	for (unsigned i = 0; i < worker->threads; i++) {
		int wanted = worker->cpu[i];
		char thread[32] = "";
		pid_t tid;

		if (wanted < 0)
			continue;
		if (worker->threads > 1)
			snprintf(thread, sizeof(thread), ", thread %u", i);
		tid = xfn_worker_process__tid(worker, i);
		worker->cpu[i] = tid ? xfn_cpus__of_process(tid) : -1;
		if (worker->cpu[i] != wanted)
			xfn_log__line(LOG_WARNING,
				      "worker of engine %s, queue %u%s is not bound to CPU %d; is "
				      "it online?",
				      worker->engine, worker->queue, thread, wanted);
		else
			xfn_log__line(LOG_DEBUG,
				      "worker of engine %s, queue %u%s is bound to CPU %d",
				      worker->engine, worker->queue, thread, wanted);
	}
}

int xfn_provision__bind(struct xfn_supervisor *sup, struct xfn_worker_process *worker,
			struct xfn_error *err)
{
	int ret = worker->has_umem ? xfn_nic_features__bind(sup, &worker->umem, err) : 0;

	for (unsigned i = 0; !ret && worker->has_umem && i < worker->threads; i++)
		ret = xfn_loader__socket(sup->loader, worker->queue, i, worker->umem.xsk[i]);
	if (worker->ring.receive < 0)
		return ret;
	/* UDP sockets have taken all until now: they leave it its requests as it begins */
	ret = xfn_listeners__share(sup, err);
	if (ret)
		return ret;
	return xfn_packet_ring__bind(&worker->ring, sup->iface.name, sup->iface.index, err);
}

int xfn_provision__make(struct xfn_supervisor *sup, struct xfn_worker_process *worker,
			struct xfn_error *err)
{
	int ret;

	for (unsigned i = 0; i < worker->threads; i++)
		worker->cpu[i] = cpu_for(sup, worker, i);
	ret = make_pages(sup, worker);
	if (!ret && xfn_worker_process__by_afxdp(worker))
		ret = xfn_pools__apply(sup, worker);
	return ret ?: renew_rings(sup, worker, err);
}
