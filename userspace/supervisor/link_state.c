// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The interface comes and goes: down and up, removed and made again, with another MTU or number of
 * queues. One that is removed takes its XDP program, its AF_XDP sockets and its addresses along;
 * all is made anew for what comes back by that name. One that is down keeps all. Must never know
 * how serving is done.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include "../../skel/error.h"
#include "../host/log.h"
#include "../host/now.h"
#include "ingress/listeners.h"
#include "ingress/nic_features.h"
#include "supervisor_parts.h"

#define RETRY_MS  2000
#define REREAD_MS 1000 /* what the kernel tells of links and addresses */

const char *xfn_link_state__state(const struct xfn_supervisor *sup, char *text, size_t len)
{
	const char *name = sup->interface->iface.name, *why = sup->link.not_serving;

	/* most errors name it themselves */
	if (!strncmp(why, name, strlen(name)) && !strncmp(why + strlen(name), ": ", 2))
		why += strlen(name) + 2;
	text[0] = '\0';
	if (name[0] && !sup->interface->iface.index) {
		snprintf(text, len, "%s: %s", name,
			 xfn_functions__served_once(sup->functions) ?
				 "gone, waiting for it to come back" :
				 "no such interface yet, waiting for it");
		return "gone";
	}
	if (name[0] && !sup->interface->iface.up) {
		snprintf(text, len, "%s: down, waiting for it to come up", name);
		return "down";
	}
	if (sup->serving.phase && !sup->serving.on) {
		snprintf(text, len, "%s: starting, since %u ms", name[0] ? name : "UDP sockets",
			 (unsigned)((xfn_now_ns() - sup->serving.begun_ns) / 1000000));
		return "starting";
	}
	if (!sup->serving.on) {
		snprintf(text, len, "%s: not served: %s", name, why);
		return "failed";
	}
	return "serving";
}

static void say(const struct xfn_supervisor *sup, int level)
{
	char text[300];

	xfn_link_state__state(sup, text, sizeof(text));
	xfn_log__line(level, "%s", text);
}

/* Log why the interface is served in a lesser way than it might be. */
static void log_why(const struct xfn_supervisor *sup)
{
	if (sup->attachment->mode != XFN_MODE_NATIVE && sup->attachment->mode_reason.line[0] &&
	    sup->opts->mode == XFN_MODE_AUTO && sup->opts->tier != XFN_TIER_SOCKET)
		xfn_log__line(LOG_NOTICE, "%s: %s mode, because %s", sup->interface->iface.name,
			      xfn_mode_name(sup->attachment->mode),
			      sup->attachment->mode_reason.line);
	if (xfn_workers__engine_reason(sup->workers)[0])
		xfn_log__line(LOG_NOTICE, "%s: engine %s, %s", sup->interface->iface.name,
			      xfn_workers__udp_engine(sup->workers) ?: "",
			      xfn_workers__engine_reason(sup->workers));
}

static void on_retry(void *ctx);
static void plan_missing(struct xfn_supervisor *sup);

/* Serving has begun, or cannot: the reason is logged once, and it is tried again. */
static void begun(struct xfn_supervisor *sup, int ret, const char *err)
{
	if (!ret) {
		sup->link.not_serving[0] = '\0';
		xfn_log__line(LOG_NOTICE, "%s: there, and served after %u ms",
			      sup->interface->iface.name,
			      (unsigned)((xfn_now_ns() - sup->serving.begun_ns) / 1000000));
		log_why(sup);
		return;
	}
	log_why(sup);
	xfn_events__after(&sup->loop, &sup->link.retry, RETRY_MS, on_retry, sup);
	if (!strncmp(sup->link.not_serving, err, sizeof(sup->link.not_serving) - 1))
		return;
	snprintf(sup->link.not_serving, sizeof(sup->link.not_serving), "%.255s", err);
	say(sup, LOG_ERR);
}

/* It is there and up: serve. */
static void begin(struct xfn_supervisor *sup)
{
	struct xfn_error err = { 0 };
	int ret = xfn_serving__begin(sup, &err);

	if (ret)
		begun(sup, ret, err.line);
}

static void gone(struct xfn_supervisor *sup)
{
	xfn_serving__end(sup);
	xfn_interface_state__set_gone(sup->interface);
	sup->link.not_serving[0] = '\0';
	say(sup, LOG_WARNING);
}

/* The interface has another MTU, as `mtu` says, or other numbers of queues. `workers`: they have its frames, or a ring that has
 * no queues, and blocks of the MTU's size. */
static void reshape(struct xfn_supervisor *sup, bool workers, bool mtu)
{
	const struct xfn_interface *now = &sup->interface->iface;

	if (sup->serving.phase && !sup->serving.on) /* what was begun is for the shape it had */
		xfn_serving__end(sup);
	if (!sup->serving.on)
		return;
	xfn_attachment__set_runtime(sup->attachment, xfn_workers__multi_buffer(sup->workers));
	if (workers) {
		xfn_log__line(LOG_NOTICE,
			      "%s: MTU %u, RX queues: %u, TX queues: %u; its workers start anew",
			      now->name, now->mtu, now->queues, now->tx_queues);
		xfn_serving__renew_workers(sup);
	} else if (mtu) {
		/* no reply of theirs may be longer */
		xfn_log__line(LOG_NOTICE, "%s: MTU %u; the worker of its UDP sockets starts anew",
			      now->name, now->mtu);
		xfn_serving__renew_sockets(sup);
	}
}

/* The same interface, perhaps not in the same shape. */
static void compare(struct xfn_supervisor *sup, const struct xfn_interface *now)
{
	struct xfn_interface was = sup->interface->iface;
	bool workers = sup->attachment->loader && xfn_functions__wants_frames(sup->functions);
	uint32_t ring_mtu = xfn_ring__mtu(sup->ingress);

	xfn_interface_state__set(sup->interface, now);
	if (was.up && !now->up)
		say(sup, LOG_WARNING);
	if (!was.up && now->up && sup->serving.on) {
		xfn_log__line(LOG_NOTICE, "%s: up again", now->name);
		xfn_workers__restart_now(sup->workers);
	}
	if (was.mtu != sup->interface->iface.mtu || was.queues != sup->interface->iface.queues ||
	    was.tx_queues != sup->interface->iface.tx_queues)
		reshape(sup, workers || (ring_mtu && ring_mtu != sup->interface->iface.mtu),
			was.mtu != sup->interface->iface.mtu);
}

/* Addresses and devices are others now: so are sockets, rules, and what workers have of them. */
static void follow(struct xfn_supervisor *sup)
{
	const struct xfn_interface_state *now = sup->interface;
	bool renew = xfn_listeners__follow(sup->ingress);
	/* the ring's filter holds addresses, the filters of its sockets hold devices */
	bool refilter = xfn_ring__mtu(sup->ingress) && (renew || now->addresses_changed ||
							now->devices_changed || now->host_changed);
	struct xfn_error err;

	if (now->addresses_changed)
		xfn_nic_features__follow(sup->ingress);
	if (refilter && xfn_ring__follow(sup->ingress, &err)) {
		/* a new ring may have room for its filter */
		xfn_serving__renew_workers(sup);
	} else if (renew) {
		xfn_serving__renew_sockets(sup);
	}
	xfn_interface_state__clear_changes(sup->interface);
	plan_missing(sup);
}

/* Workers that are being made come first; changes are followed when they serve. */
static void follow_changes(struct xfn_supervisor *sup)
{
	const struct xfn_interface_state *now = sup->interface;

	if (!sup->serving.phase && (now->addresses_changed || now->devices_changed ||
				    (now->host_changed && xfn_ring__mtu(sup->ingress))))
		follow(sup);
}

/* Try again to open the sockets that are missing. */
static void on_missing(void *ctx)
{
	struct xfn_supervisor *sup = ctx;

	if (sup->serving.on && !sup->serving.phase)
		follow(sup);
}

static void plan_missing(struct xfn_supervisor *sup)
{
	int ms = xfn_listeners__retry_ms(sup->ingress);

	xfn_events__stop(&sup->link.missing_retry);
	if (ms >= 0)
		xfn_events__after(&sup->loop, &sup->link.missing_retry, (unsigned)ms, on_missing,
				  sup);
}

/* Read links and addresses, and act on them. True: workers may be others than before. */
static bool changed(struct xfn_supervisor *sup)
{
	bool said = sup->interface->unread;
	unsigned was = sup->serving.renewals;
	int ret = xfn_interface_state__read_addresses(sup->interface), unread;
	struct xfn_interface now;
	struct xfn_error err;

	if (!sup->interface->iface.name[0]) /* none is used */
		return false;
	unread = xfn_interface__read(sup->interface->iface.name, &now, &err);
	if (unread)
		snprintf(now.name, sizeof(now.name), "%s", sup->interface->iface.name);
	if (unread == -ENODEV)
		unread = 0;
	if (sup->interface->iface.index &&
	    (ret == 1 || (!unread && now.index != sup->interface->iface.index)))
		gone(sup);
	/* An interface that cannot be read is not taken for gone. */
	if (unread) {
		if (!said)
			xfn_log__line(LOG_WARNING, "%s; it is taken for what it was", err.line);
		xfn_interface_state__set_unread(sup->interface);
	}
	if (!now.index || unread)
		return sup->serving.renewals != was;
	if (!sup->interface->iface.index)
		xfn_interface_state__follow(sup->interface, now.index);
	compare(sup, &now);
	if (sup->serving.on)
		follow_changes(sup);
	else if (sup->interface->iface.up && !sup->serving.phase)
		begin(sup);
	return sup->serving.renewals != was;
}

static void on_unread(void *ctx)
{
	xfn_link_state__changed(ctx);
}

bool xfn_link_state__changed(struct xfn_supervisor *sup)
{
	bool others = changed(sup);

	xfn_events__stop(&sup->link.unread_retry);
	if (sup->interface->unread)
		xfn_events__after(&sup->loop, &sup->link.unread_retry, REREAD_MS, on_unread, sup);
	return others;
}

static void on_retry(void *ctx)
{
	struct xfn_supervisor *sup = ctx;

	if (!sup->serving.on && !sup->serving.phase && sup->interface->iface.up)
		begin(sup);
}

void xfn_link_state__begun(struct xfn_supervisor *sup, bool anew, int ret, const char *err)
{
	if (!anew)
		begun(sup, ret, err);
	if (anew && ret) {
		xfn_log__line(LOG_ERR, "%s: workers cannot be made anew (%s); all is",
			      sup->interface->iface.name, err);
		xfn_events__after(&sup->loop, &sup->link.retry, 0, on_retry, sup);
	}
	if (sup->serving.on)
		xfn_link_state__follow(sup);
}

void xfn_link_state__follow(struct xfn_supervisor *sup)
{
	follow_changes(sup);
	plan_missing(sup);
}
