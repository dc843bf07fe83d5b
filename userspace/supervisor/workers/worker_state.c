// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is said of workers: their names, and why one does not serve. Changes nothing. */
#include <stdio.h>
#include "../../host/now.h"
#include "../ingress/losses.h"
#include "workers_inside.h"

unsigned xfn_workers__count(const struct xfn_workers *workers)
{
	return workers->count;
}

const struct xfn_worker_process *xfn_workers__at(const struct xfn_workers *workers, unsigned i)
{
	return &workers->all[i];
}

const char *xfn_worker_process__who(const struct xfn_worker_process *worker, char who[XFN_WHO])
{
	snprintf(who, XFN_WHO, "worker of engine %s, queue %u", worker->engine, worker->queue);
	return who;
}

const char *xfn_worker_process__state(const struct xfn_worker_process *worker, char *text,
				      size_t len)
{
	uint64_t now = xfn_now_ns(), due = worker->restart_at_ns;
	unsigned wait_ms = due > now ? (unsigned)((due - now) / 1000000) : 0;

	text[0] = '\0';
	switch (worker->state) {
	case XFN_WORKER_READY:
		return "serving";
	case XFN_WORKER_LEAVING:
		snprintf(text, len, "is being ended%s%s", worker->error.line[0] ? ": " : "",
			 worker->error.line);
		return "ending";
	case XFN_WORKER_DEAD:
		snprintf(text, len, "%s%s; tried again in %u ms",
			 worker->error.line[0] ? "cannot start: " : "has ended", worker->error.line,
			 wait_ms);
		return "waiting";
	default:
		snprintf(text, len, "starts%s%s%s", worker->error.line[0] ? " (" : "",
			 worker->error.line, worker->error.line[0] ? ")" : "");
		return "starting";
	}
}

bool xfn_workers__on_frames(const struct xfn_workers *workers)
{
	return workers->count && xfn_worker_process__by_afxdp(&workers->all[0]);
}

bool xfn_workers__zero_copy(const struct xfn_workers *workers)
{
	for (unsigned i = 0; i < workers->count; i++)
		if (xfn_worker_process__by_afxdp(&workers->all[i]) &&
		    !workers->all[i].umem.zero_copy)
			return false;
	return true;
}

unsigned xfn_workers__send_apart(const struct xfn_workers *workers)
{
	unsigned n = 0;

	for (unsigned i = 0; i < workers->count; i++)
		n += workers->all[i].has_umem && workers->all[i].umem.send[0] >= 0;
	return n;
}

void xfn_workers__losses(const struct xfn_workers *workers, uint64_t sum[XFN_REASON_SLOTS])
{
	for (unsigned i = 0; i < workers->count; i++)
		xfn_losses__add_rings(workers->ingress, xfn_worker_process__umem(&workers->all[i]),
				      &workers->all[i].ring, sum);
}

bool xfn_workers__multi_buffer(const struct xfn_workers *workers)
{
	/* one kernel makes all sets alike */
	for (unsigned i = 0; i < workers->count; i++)
		if (workers->all[i].umem.longest)
			return true;
	return false;
}

const char *xfn_workers__state(const struct xfn_workers *workers, const struct xfn_deployed *fn,
			       char *text, size_t len)
{
	char who[XFN_WHO], why[300];
	const char *state;

	text[0] = '\0';
	for (unsigned i = 0; i < workers->count; i++) {
		const struct xfn_worker_process *worker = &workers->all[i];

		/* the kernel goes on answering, whatever its slow path does */
		if (fn->tier == XFN_TIER_XDP ||
		    (fn->tier == XFN_TIER_AFXDP) != xfn_worker_process__by_afxdp(worker))
			continue;
		state = xfn_worker_process__state(worker, why, sizeof(why));
		if (worker->state == XFN_WORKER_READY)
			continue;
		snprintf(text, len, "%s %s", xfn_worker_process__who(worker, who), why);
		return state;
	}
	return "serving";
}
