// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which workers there are to be, and by which engine: of frames, of a ring, behind UDP sockets. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "../../engine/engine.h"
#include "../../host/log.h"
#include "../ingress/listeners.h"
#include "../ingress/nic_features.h"
#include "pools.h"
#include "process.h"
#include "workers_inside.h"

int xfn_workers__make(const struct xfn_workers_parts *parts, struct xfn_workers **out,
		      struct xfn_error *err)
{
	struct xfn_workers *workers = calloc(1, sizeof(*workers));
	unsigned count = xfn_functions__count(parts->of.functions);
	int ret;

	*out = NULL;
	if (!workers)
		return xfn_fail(err, -ENOMEM, "out of memory");
	workers->of = parts->of;
	workers->events = parts->events;
	workers->program_fd = -1;
	workers->health = calloc(count ?: 1, sizeof(*workers->health));
	workers->pool = calloc(count ?: 1, sizeof(*workers->pool));
	if (workers->health && workers->pool)
		ret = xfn_pools__open(workers, err);
	else
		ret = xfn_fail(err, -ENOMEM, "out of memory");
	if (ret) {
		xfn_workers__close(workers);
		return ret;
	}
	xfn_process__hold_program(workers);
	*out = workers;
	return 0;
}

void xfn_workers__close(struct xfn_workers *workers)
{
	if (!workers)
		return;
	xfn_events__stop(&workers->calls_look);
	xfn_events__stop(&workers->progress_look);
	xfn_events__stop(&workers->load_look);
	if (workers->program_fd >= 0)
		close(workers->program_fd);
	free(workers->health);
	free(workers->pool);
	free(workers->retired);
	free(workers);
}

/* The best engine behind UDP sockets that this host runs. */
static int best_udp_engine(struct xfn_workers *workers, const char **engine, struct xfn_error *err)
{
	const struct xfn_engine_ops *best;
	struct xfn_error why;

	for (unsigned rank = 1; (best = xfn_engine_of_rank(rank)); rank++) {
		*engine = best->name;
		if (!xfn_engine_probe(best, &why))
			return 0;
		snprintf(workers->engine_reason, sizeof(workers->engine_reason), "not %s: %.220s",
			 best->name, why.line);
	}
	return xfn_fail(err, -EOPNOTSUPP, "no engine for UDP sockets: %s; run `xfn check`",
			workers->engine_reason);
}

/* The engine of tier socket: the one asked for, or the best. */
static int choose_engine(struct xfn_workers *workers, struct xfn_error *err)
{
	const char *asked = workers->of.opts->engine;
	struct xfn_error why;

	if (asked && strcmp(asked, "afxdp")) {
		workers->udp_engine = asked;
		if (!xfn_engine_probe(xfn_engine_find(asked), &why))
			return 0;
		return xfn_fail(err, -EOPNOTSUPP, "engine %s: %s; leave --%s out", asked, why.line,
				workers->of.opts->sqpoll ? "sqpoll" : "engine");
	}
	return best_udp_engine(workers, &workers->udp_engine, err);
}

void xfn_workers__start_frames(struct xfn_workers *workers)
{
	unsigned queues = xfn_nic_features__queues(workers->of.ingress);

	for (unsigned i = 0; workers->of.attachment->loader &&
			     xfn_functions__wants_frames(workers->of.functions) && i < queues;
	     i++)
		xfn_workers__add(workers, "afxdp", xfn_nic_features__queue(workers->of.ingress, i));
}

int xfn_workers__all_serve(struct xfn_workers *workers, struct xfn_error *err)
{
	int ret = 0;

	for (unsigned i = 0; i < workers->count; i++) {
		struct xfn_worker_process *worker = &workers->all[i];

		if (worker->served)
			continue;
		if (worker->state != XFN_WORKER_DEAD) {
			ret = 1;
			continue;
		}
		if (!worker->optional) {
			xfn_error__set(err, "%s", worker->error.line);
			return worker->ret;
		}
		xfn_log__line(LOG_WARNING, "no slow path: %s", worker->error.line);
		xfn_workers__remove(workers, i);
	}
	return ret;
}

/*
 * Engine packet: a worker on the interface's frames, and one behind UDP sockets for what these
 * leave: fragments, options, what came by another way.
 */
static int start_ring_worker(struct xfn_workers *workers, unsigned listeners, struct xfn_error *err)
{
	struct xfn_error why;
	int ret =
		xfn_ring__held(workers->of.ingress) ? 0 : xfn_ring__open(workers->of.ingress, err);

	if (ret)
		return ret;
	xfn_workers__add(workers, workers->udp_engine, 0);
	if (best_udp_engine(workers, &workers->slow_engine, &why)) {
		xfn_log__line(LOG_WARNING, "no slow path: %s", why.line);
		workers->slow_engine = NULL;
	} else if (listeners) {
		xfn_workers__add(workers, workers->slow_engine, 0)->optional = true;
	}
	return 0;
}

int xfn_workers__start_sockets(struct xfn_workers *workers, struct xfn_error *err)
{
	bool wanted = xfn_functions__wants_sockets(workers->of.functions);
	unsigned listeners;
	int ret;

	if (!wanted &&
	    (!workers->of.attachment->loader || !xfn_functions__wants_slow(workers->of.functions)))
		return 0;
	xfn_listeners__held(workers->of.ingress, &listeners);
	ret = choose_engine(workers, err);
	if (!ret && xfn_run_options__by_ring(workers->of.opts))
		ret = start_ring_worker(workers, listeners, err);
	else if (!ret && listeners)
		xfn_workers__add(workers, workers->udp_engine, 0)->optional = !wanted;
	if (!ret || wanted)
		return ret;
	xfn_log__line(LOG_WARNING, "no slow path: %s", err->line);
	return 0;
}

const char *xfn_workers__udp_engine(const struct xfn_workers *workers)
{
	return workers->udp_engine;
}

const char *xfn_workers__engine_reason(const struct xfn_workers *workers)
{
	return workers->engine_reason;
}

void xfn_workers__set_no_afxdp(struct xfn_workers *workers, const char *why)
{
	workers->engine_reason[0] = '\0';
	if (why)
		snprintf(workers->engine_reason, sizeof(workers->engine_reason),
			 "not afxdp: %.200s", why);
}
