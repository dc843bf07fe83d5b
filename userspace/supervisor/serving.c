// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Serving on the interface: dispatcher attached, tiers settled, sockets open, workers started; and
 * the end of that. Workers take their time to start, and nothing here waits for them. Must never
 * know why it begins or ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "../../skel/error.h"
#include "../host/log.h"
#include "../host/now.h"
#include "supervisor_inside.h"

/* The best engine behind UDP sockets that this host runs. */
static int best_udp_engine(struct xfn_supervisor *sup, const char **engine, struct xfn_error *err)
{
	const struct xfn_engine_ops *best;
	struct xfn_error why;

	for (unsigned rank = 1; (best = xfn_engine_of_rank(rank)); rank++) {
		*engine = best->name;
		if (!xfn_engine_probe(best, &why))
			return 0;
		snprintf(sup->engine_reason, sizeof(sup->engine_reason), "not %s: %.220s",
			 best->name, why.line);
	}
	return xfn_fail(err, -EOPNOTSUPP, "no engine for UDP sockets: %s; run `xfn check`",
			sup->engine_reason);
}

/* The engine of tier socket: the one asked for, or the best. */
static int choose_engine(struct xfn_supervisor *sup, struct xfn_error *err)
{
	const char *asked = sup->opts->engine;
	struct xfn_error why;

	if (asked && strcmp(asked, "afxdp")) {
		sup->udp_engine = asked;
		if (!xfn_engine_probe(xfn_engine_find(asked), &why))
			return 0;
		return xfn_fail(err, -EOPNOTSUPP, "engine %s: %s; leave --%s out", asked, why.line,
				sup->opts->sqpoll ? "sqpoll" : "engine");
	}
	return best_udp_engine(sup, &sup->udp_engine, err);
}

static void start_frame_workers(struct xfn_supervisor *sup)
{
	unsigned queues = xfn_nic_features__queues(sup->ingress);

	for (unsigned i = 0;
	     sup->attachment->loader && xfn_functions__wants_frames(sup->functions) && i < queues;
	     i++)
		xfn_workers__add(sup, "afxdp", xfn_nic_features__queue(sup->ingress, i));
}

/*
 * Have all serve that were added? 0, 1: one is still starting, or -errno with its line in err: one
 * cannot. An optional one that cannot is said, and its place, the last one, is given up.
 */
static int all_serve(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret = 0;

	for (unsigned i = 0; i < sup->worker_count; i++) {
		struct xfn_worker_process *worker = &sup->workers[i];

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
		xfn_workers__remove(sup, i);
	}
	return ret;
}

/* How the workers of frames have started. 0: the next ones may. */
static int frames_started(struct xfn_supervisor *sup, int ret, struct xfn_error *err)
{
	if (!ret && sup->worker_count && sup->interface->iface.mtu > XFN_MTU_LINEAR &&
	    !sup->workers[0].umem.longest)
		xfn_log__line(LOG_NOTICE,
			      "%s: frames in several buffers take the slow path: this kernel's "
			      "AF_XDP does not take them (6.6 and later do)",
			      sup->interface->iface.name);
	if (!ret && sup->worker_count && sup->opts->route_fib)
		xfn_log__line(LOG_NOTICE, "--reply-route fib: in tier xdp only; AF_XDP workers "
					  "answer the way the request came");
	if (!ret && sup->worker_count)
		xfn_nic_features__log_queues(sup->ingress, xfn_workers__send_apart(sup));
	if (!ret)
		return 0;
	xfn_workers__remove(sup, 0);
	if (sup->opts->tier == XFN_TIER_AFXDP || xfn_nic_features__insists(sup->ingress))
		return ret;
	snprintf(sup->engine_reason, sizeof(sup->engine_reason), "not afxdp: %.200s", err->line);
	xfn_log__line(LOG_WARNING, "AF_XDP cannot be had (%s); UDP sockets serve instead",
		      err->line);
	xfn_deploy__to_sockets(sup, sup->engine_reason);
	if (!sup->serving)
		return 0;
	/* other tiers want other sockets and ports */
	return xfn_fail(err, -EAGAIN, "its functions change to UDP sockets");
}

/*
 * Engine packet: a worker on the interface's frames, and one behind UDP sockets for what these
 * leave: fragments, options, what came by another way.
 */
static void start_ring_worker(struct xfn_supervisor *sup)
{
	const char *engine;
	struct xfn_error why;

	xfn_listeners__use_ring(sup->ingress);
	xfn_workers__add(sup, sup->udp_engine, 0);
	if (best_udp_engine(sup, &engine, &why))
		xfn_log__line(LOG_WARNING, "no slow path: %s", why.line);
	else
		xfn_workers__add(sup, engine, 0)->optional = true;
}

static int start_socket_worker(struct xfn_supervisor *sup, struct xfn_error *err)
{
	bool wanted = xfn_functions__wants_sockets(sup->functions);
	unsigned listeners;
	int ret;

	if (!wanted && (!sup->attachment->loader || !xfn_functions__wants_slow(sup->functions)))
		return 0;
	xfn_listeners__held(sup->ingress, &listeners);
	ret = choose_engine(sup, err);
	if (!ret && xfn_run_options__by_ring(sup->opts))
		start_ring_worker(sup);
	else if (!ret && listeners)
		xfn_workers__add(sup, sup->udp_engine, 0)->optional = !wanted;
	if (!ret || wanted)
		return ret;
	xfn_log__line(LOG_WARNING, "no slow path: %s", err->line);
	return 0;
}

int xfn_serving__begin(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret;

	sup->renewals++;
	sup->begun_ns = xfn_now_ns();
	xfn_interface_state__clear_changes(sup->interface);
	sup->engine_reason[0] = '\0';
	for (unsigned i = 0; !xfn_functions__served_once(sup->functions) &&
			     i < xfn_functions__count(sup->functions);
	     i++)
		sup->health[i].set_aside[0] = '\0'; /* a first start tries all of them */
	ret = xfn_attachment__attach(sup->attachment, err);
	ret = ret ?: xfn_deploy__tiers(sup, err);
	ret = ret ?: xfn_nic_features__begin(sup->ingress, err);
	xfn_attachment__load_addresses(sup->attachment);
	xfn_pools__load(sup);
	if (!ret)
		xfn_attachment__log_forwarding(sup->attachment);
	if (ret) {
		xfn_serving__end(sup);
		return ret;
	}
	start_frame_workers(sup);
	sup->phase = XFN_PHASE_FRAMES;
	xfn_supervisor__settle(sup);
	return 0;
}

/*
 * Workers of frames serve, or there are none: now those behind UDP sockets. 1: sockets are tried
 * again soon.
 */
static int begin_sockets(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret = 0;

	if (!sup->serving)
		ret = xfn_listeners__open(sup->ingress, sup->begun_ns, err);
	if (ret == 1)
		return 1;
	sup->phase = XFN_PHASE_SOCKETS;
	return ret ?: start_socket_worker(sup, err);
}

/* All workers serve: let requests in. */
static int open_ports(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret = xfn_deploy__bind(sup, err);

	/* last: what the card passes on finds the host serving */
	ret = ret ?: xfn_attachment__load_device(sup->attachment, err);
	/* a run that serves nothing is of no use to whom it was started for */
	if (!xfn_functions__served_once(sup->functions))
		ret = ret ?: xfn_quarantine__any_serves(sup, err);
	if (!ret && !xfn_functions__served_once(sup->functions))
		xfn_deploy__log_unasked(sup);
	if (!ret) {
		xfn_attachment__part(sup->attachment);
		sup->serving = true;
		xfn_functions__set_served(sup->functions);
	}
	return ret;
}

int xfn_serving__step(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret = all_serve(sup, err);

	if (ret == 1)
		return 1;
	if (sup->phase == XFN_PHASE_FRAMES) {
		ret = frames_started(sup, ret, err);
		xfn_attachment__set_runtime(sup->attachment, xfn_workers__multi_buffer(sup));
		sup->phase = XFN_PHASE_LISTENERS;
	}
	if (!ret && sup->phase == XFN_PHASE_LISTENERS) {
		ret = begin_sockets(sup, err);
		ret = ret ?: all_serve(sup, err);
	}
	if (ret == 1)
		return 1;
	if (!ret && !sup->serving)
		ret = open_ports(sup, err);
	if (ret)
		xfn_serving__end(sup);
	sup->phase = XFN_PHASE_NONE;
	return ret;
}

void xfn_serving__end(struct xfn_supervisor *sup)
{
	/* card and interface first: what still comes goes to the host's stack */
	xfn_attachment__detach(sup->attachment);
	sup->renewals++;
	xfn_workers__remove(sup, 0);
	xfn_nic_features__end(sup->ingress);
	xfn_listeners__close(sup->ingress);
	xfn_attachment__retire(sup->attachment);
	sup->serving = false;
	sup->phase = XFN_PHASE_NONE;
}

void xfn_serving__renew_workers(struct xfn_supervisor *sup)
{
	sup->renewals++;
	sup->begun_ns = xfn_now_ns();
	xfn_workers__remove(sup, 0);
	start_frame_workers(sup);
	sup->phase = XFN_PHASE_FRAMES;
	xfn_supervisor__settle(sup);
}
