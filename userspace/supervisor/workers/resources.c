// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a worker works with, made before its process and taken back after it: pages, rings, a CPU.
 * Must never know of the process.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include "../../host/cpus.h"
#include "../../host/log.h"
#include "../ingress/listeners.h"
#include "../ingress/losses.h"
#include "../ingress/nic_features.h"
#include "page_check.h"
#include "pools.h"
#include "provision.h"
#include "workers_inside.h"

static int make_pages(struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	int ret = worker->page ? 0 : xfn_page_check__make(worker);

	if (ret)
		return ret;
	xfn_page_check__begin(workers, worker);
	for (unsigned i = 0; i < worker->threads; i++)
		worker->load[i].stalls = 0;
	memset(worker->seen, 0, sizeof(worker->seen));
	memset(worker->progress, 0, sizeof(worker->progress));
	worker->hung = false;
	worker->still = NULL;
	return 0;
}

void xfn_provision__drop(struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	/* first no frame is sent to its sockets any more: then none is lost in them */
	for (unsigned i = 0; worker->has_umem && workers->attachment->loader && i < worker->threads;
	     i++)
		xfn_loader__socket(workers->attachment->loader, worker->queue, i, -1);
	if (!worker->has_umem)
		return;
	xfn_losses__keep_rings(workers->ingress, &worker->umem);
	xfn_umem__close(&worker->umem);
	worker->has_umem = false;
}

/* A crash leaves rings of AF_XDP in an unknown state: always a fresh set. */
static int renew_rings(struct xfn_workers *workers, struct xfn_worker_process *worker,
		       struct xfn_error *err)
{
	const struct xfn_umem_config frames = { .ifname = workers->interface->iface.name,
						.queue = worker->queue,
						.threads = worker->threads,
						.mtu = workers->interface->iface.mtu,
						.node = xfn_cpus__node(worker->cpu[0]) };
	int ret = 0;

	xfn_provision__drop(workers, worker);
	if (xfn_worker_process__by_afxdp(worker)) {
		ret = xfn_umem__open(&frames, &worker->umem, err);
		worker->has_umem = !ret;
		if (!ret && worker->queue >= workers->interface->iface.tx_queues)
			ret = xfn_umem__send_apart(&worker->umem, workers->interface->iface.name,
						   workers->interface->iface.index, err);
		if (!ret)
			xfn_log__line(LOG_DEBUG, "frames of queue %u are in %s pages",
				      worker->queue, worker->umem.huge ? "huge" : "normal");
	}
	return ret;
}

/*
 * By --cpus; else the first thread of a worker of frames goes where its queue's interrupt goes. -1:
 * nowhere.
 */
static int cpu_for(const struct xfn_workers *workers, const struct xfn_worker_process *worker,
		   unsigned thread)
{
	const struct xfn_run_options *opts = workers->opts;
	unsigned i = (worker - workers->all) * worker->threads + thread;

	if (opts->cpu_count)
		return opts->cpus[i % opts->cpu_count];
	/* veth has no interrupt; a device of the same name in another namespace may have one */
	if (thread || !xfn_worker_process__by_afxdp(worker) ||
	    !strcmp(workers->interface->iface.driver, "veth"))
		return -1;
	return xfn_cpus__of_queue("", workers->interface->iface.name, worker->queue);
}

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

int xfn_provision__bind(struct xfn_workers *workers, struct xfn_worker_process *worker,
			struct xfn_error *err)
{
	int ret =
		worker->has_umem ? xfn_nic_features__bind(workers->ingress, &worker->umem, err) : 0;

	for (unsigned i = 0; !ret && worker->has_umem && i < worker->threads; i++)
		ret = xfn_loader__socket(workers->attachment->loader, worker->queue, i,
					 worker->umem.xsk[i]);
	return ret;
}

int xfn_provision__make(struct xfn_workers *workers, struct xfn_worker_process *worker,
			struct xfn_error *err)
{
	int ret;

	for (unsigned i = 0; i < worker->threads; i++)
		worker->cpu[i] = cpu_for(workers, worker, i);
	ret = make_pages(workers, worker);
	if (!ret && xfn_worker_process__by_afxdp(worker))
		ret = xfn_pools__apply(workers, worker);
	return ret ?: renew_rings(workers, worker, err);
}
