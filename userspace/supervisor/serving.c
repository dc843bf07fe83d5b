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
#include "ingress/listeners.h"
#include "ingress/nic_features.h"
#include "workers/pools.h"
#include "workers/quarantine.h"
#include "supervisor_parts.h"

/* The workers of frames serve, if there are any: log what they serve in a lesser way. */
static void log_frames(const struct xfn_supervisor *sup)
{
	if (!xfn_workers__count(sup->workers))
		return;
	if (sup->interface->iface.mtu > XFN_MTU_LINEAR && !xfn_workers__multi_buffer(sup->workers))
		xfn_log__line(LOG_NOTICE,
			      "%s: frames in several buffers take the slow path: this kernel's "
			      "AF_XDP does not take them (6.6 and later do)",
			      sup->interface->iface.name);
	if (sup->opts->route_fib)
		xfn_log__line(LOG_NOTICE, "--reply-route fib: in tier xdp only; AF_XDP workers "
					  "answer the way the request came");
	xfn_nic_features__log_queues(sup->ingress, xfn_workers__send_apart(sup->workers));
}

/* How the workers of frames have started. 0: the next ones may. */
static int frames_started(struct xfn_supervisor *sup, int ret, struct xfn_error *err)
{
	if (!ret)
		log_frames(sup);
	if (!ret)
		return 0;
	xfn_workers__remove(sup->workers, 0);
	if (sup->opts->tier == XFN_TIER_AFXDP || xfn_nic_features__insists(sup->ingress))
		return ret;
	xfn_workers__set_no_afxdp(sup->workers, err->line);
	xfn_log__line(LOG_WARNING, "AF_XDP cannot be had (%s); UDP sockets serve instead",
		      err->line);
	xfn_deploy__to_sockets(sup, xfn_workers__engine_reason(sup->workers));
	if (!sup->serving.on)
		return 0;
	/* with other tiers the functions need other sockets and ports: all begins anew */
	return xfn_fail(err, -EAGAIN, "its functions change to UDP sockets");
}

int xfn_serving__begin(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret;

	sup->serving.renewals++;
	sup->serving.begun_ns = xfn_now_ns();
	xfn_interface_state__clear_changes(sup->interface);
	xfn_workers__set_no_afxdp(sup->workers, NULL);
	if (!xfn_functions__served_once(sup->functions))
		xfn_quarantine__forget_set_aside(sup->workers); /* a first start tries all */
	ret = xfn_attachment__attach(sup->attachment, err);
	ret = ret ?: xfn_deploy__tiers(sup, err);
	ret = ret ?: xfn_nic_features__begin(sup->ingress, err);
	xfn_attachment__load_addresses(sup->attachment);
	xfn_pools__load(sup->workers);
	if (!ret)
		xfn_attachment__log_forwarding(sup->attachment);
	if (ret) {
		xfn_serving__end(sup);
		return ret;
	}
	xfn_workers__start_frames(sup->workers);
	sup->serving.phase = XFN_PHASE_FRAMES;
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

	if (!sup->serving.on)
		ret = xfn_listeners__open(sup->ingress, sup->serving.begun_ns, err);
	if (ret == 1)
		return 1;
	sup->serving.phase = XFN_PHASE_SOCKETS;
	return ret ?: xfn_workers__start_sockets(sup->workers, err);
}

/* All workers serve: let requests in. */
static int open_ports(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret = xfn_deploy__bind(sup, err);

	/* last: what the card passes on finds the host serving */
	ret = ret ?: xfn_attachment__load_device(sup->attachment, err);
	/* the first start fails where no function serves */
	if (!xfn_functions__served_once(sup->functions))
		ret = ret ?: xfn_quarantine__any_serves(sup->workers, err);
	if (!ret && !xfn_functions__served_once(sup->functions))
		xfn_deploy__log_unasked(sup);
	if (!ret) {
		xfn_attachment__part(sup->attachment);
		sup->serving.on = true;
		xfn_functions__set_served(sup->functions);
	}
	return ret;
}

int xfn_serving__step(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret = xfn_workers__all_serve(sup->workers, err);

	if (ret == 1)
		return 1;
	if (sup->serving.phase == XFN_PHASE_FRAMES) {
		ret = frames_started(sup, ret, err);
		xfn_attachment__set_runtime(sup->attachment,
					    xfn_workers__multi_buffer(sup->workers));
		sup->serving.phase = XFN_PHASE_LISTENERS;
	}
	if (!ret && sup->serving.phase == XFN_PHASE_LISTENERS) {
		ret = begin_sockets(sup, err);
		ret = ret ?: xfn_workers__all_serve(sup->workers, err);
	}
	if (ret == 1)
		return 1;
	if (!ret && !sup->serving.on)
		ret = open_ports(sup, err);
	if (ret)
		xfn_serving__end(sup);
	sup->serving.phase = XFN_PHASE_NONE;
	return ret;
}

void xfn_serving__end(struct xfn_supervisor *sup)
{
	/* card and interface first: what still comes goes to the host's stack */
	xfn_attachment__detach(sup->attachment);
	sup->serving.renewals++;
	xfn_workers__remove(sup->workers, 0);
	xfn_nic_features__end(sup->ingress);
	xfn_listeners__close(sup->ingress);
	xfn_attachment__retire(sup->attachment);
	sup->serving.on = false;
	sup->serving.phase = XFN_PHASE_NONE;
}

void xfn_serving__renew_workers(struct xfn_supervisor *sup)
{
	sup->serving.renewals++;
	sup->serving.begun_ns = xfn_now_ns();
	xfn_workers__remove(sup->workers, 0);
	xfn_workers__start_frames(sup->workers);
	sup->serving.phase = XFN_PHASE_FRAMES;
	xfn_supervisor__settle(sup);
}

void xfn_serving__renew_sockets(struct xfn_supervisor *sup)
{
	sup->serving.renewals++;
	xfn_workers__renew_sockets(sup->workers);
}
