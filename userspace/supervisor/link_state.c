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
#include "supervisor_inside.h"

#define RETRY_MS 2000

const char *xfn_link_state__state(const struct xfn_supervisor *sup, char *text, size_t len)
{
	const char *name = sup->iface.name, *why = sup->not_serving;

	/* most errors name it themselves */
	if (!strncmp(why, name, strlen(name)) && !strncmp(why + strlen(name), ": ", 2))
		why += strlen(name) + 2;
	text[0] = '\0';
	if (name[0] && !sup->iface.index) {
		snprintf(text, len, "%s: %s", name,
			 sup->served_once ? "gone, waiting for it to come back" :
					    "no such interface yet, waiting for it");
		return "gone";
	}
	if (name[0] && !sup->iface.up) {
		snprintf(text, len, "%s: down, waiting for it to come up", name);
		return "down";
	}
	if (sup->phase && !sup->serving) {
		snprintf(text, len, "%s: starting, since %u ms", name[0] ? name : "UDP sockets",
			 (unsigned)((xfn_now_ns() - sup->begun_ns) / 1000000));
		return "starting";
	}
	if (!sup->serving) {
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

/* Why it is served in a lesser way than it might be. */
static void log_why(const struct xfn_supervisor *sup)
{
	if (sup->mode != XFN_MODE_NATIVE && sup->mode_reason.line[0] &&
	    sup->opts->mode == XFN_MODE_AUTO && sup->opts->tier != XFN_TIER_SOCKET)
		xfn_log__line(LOG_NOTICE, "%s: %s mode, because %s", sup->iface.name,
			      xfn_mode_name(sup->mode), sup->mode_reason.line);
	if (sup->engine_reason[0])
		xfn_log__line(LOG_NOTICE, "%s: engine %s, %s", sup->iface.name,
			      sup->udp_engine ?: "", sup->engine_reason);
}

/* It is served again, or cannot be: that is said once, and tried again. */
static void begun(struct xfn_supervisor *sup, int ret, const char *err)
{
	if (!ret) {
		sup->not_serving[0] = '\0';
		xfn_log__line(LOG_NOTICE, "%s: there, and served after %u ms", sup->iface.name,
			      (unsigned)((xfn_now_ns() - sup->begun_ns) / 1000000));
		log_why(sup);
		return;
	}
	log_why(sup);
	sup->retry_at_ns = xfn_now_ns() + RETRY_MS * 1000000ull;
	if (!strncmp(sup->not_serving, err, sizeof(sup->not_serving) - 1))
		return;
	snprintf(sup->not_serving, sizeof(sup->not_serving), "%.255s", err);
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
	sup->iface.index = 0;
	sup->iface.up = false;
	sup->not_serving[0] = '\0';
	xfn_local_addresses__follow(sup, 0);
	say(sup, LOG_WARNING);
}

/* The interface has another MTU, as `mtu` says, or other numbers of queues. `workers`: they have its frames. */
static void reshape(struct xfn_supervisor *sup, bool workers, bool mtu)
{
	const struct xfn_interface *now = &sup->iface;

	if (sup->phase && !sup->serving) { /* what was begun is for the shape it had */
		xfn_serving__end(sup);
		sup->retry_at_ns = 0;
	}
	if (!sup->serving)
		return;
	xfn_local_addresses__set_runtime(sup);
	if (workers) {
		xfn_log__line(LOG_NOTICE,
			      "%s: MTU %u, RX queues: %u, TX queues: %u; its workers start anew",
			      now->name, now->mtu, now->queues, now->tx_queues);
		xfn_serving__renew_workers(sup);
	} else if (mtu) {
		/* no reply of theirs may be longer */
		xfn_log__line(LOG_NOTICE, "%s: MTU %u; the worker of its UDP sockets starts anew",
			      now->name, now->mtu);
		sup->renewals++;
		xfn_workers__renew_sockets(sup);
	}
}

/* The same interface, perhaps not in the same shape. */
static void compare(struct xfn_supervisor *sup, const struct xfn_interface *now)
{
	struct xfn_interface was = sup->iface;
	bool workers = sup->ring_mtu || (sup->loader && xfn_deploy__wants_frames(sup));

	sup->iface = *now;
	if (!now->up) { /* its new shape counts when it is up */
		sup->iface.mtu = was.index ? was.mtu : now->mtu;
		sup->iface.queues = was.index ? was.queues : now->queues;
		sup->iface.tx_queues = was.index ? was.tx_queues : now->tx_queues;
	}
	if (was.up && !now->up)
		say(sup, LOG_WARNING);
	if (!was.up && now->up && sup->serving) {
		xfn_log__line(LOG_NOTICE, "%s: up again", now->name);
		for (unsigned i = 0; i < sup->worker_count; i++)
			sup->workers[i].restart_at_ns = 0;
	}
	if (was.mtu != sup->iface.mtu || was.queues != sup->iface.queues ||
	    was.tx_queues != sup->iface.tx_queues)
		reshape(sup, workers, was.mtu != sup->iface.mtu);
}

/* Addresses and devices are others now: so are sockets, rules, and what workers have of them. */
static void follow(struct xfn_supervisor *sup)
{
	bool renew = xfn_listeners__follow(sup);

	if (sup->addresses_changed)
		xfn_nic_features__follow(sup);
	/* the ring's filter has addresses in it, that of its sockets devices */
	if (sup->ring_mtu && (renew || sup->devices_changed)) {
		xfn_serving__renew_workers(sup);
	} else if (renew) {
		sup->renewals++;
		xfn_workers__renew_sockets(sup);
	}
	sup->addresses_changed = sup->devices_changed = false;
}

/* Workers that are being made are to be there first. */
static void follow_changes(struct xfn_supervisor *sup)
{
	if (!sup->phase && (sup->addresses_changed || sup->devices_changed))
		follow(sup);
}

bool xfn_link_state__changed(struct xfn_supervisor *sup)
{
	bool said = sup->unread_at_ns;
	unsigned was = sup->renewals;
	int ret = xfn_local_addresses__read(sup), unread;
	struct xfn_interface now;
	struct xfn_error err;

	if (!sup->iface.name[0]) /* none is used */
		return false;
	unread = xfn_interface__read(sup->iface.name, &now, &err);
	if (unread)
		snprintf(now.name, sizeof(now.name), "%s", sup->iface.name);
	if (unread == -ENODEV)
		unread = 0;
	if (sup->iface.index && (ret == 1 || (!unread && now.index != sup->iface.index)))
		gone(sup);
	/* What cannot be read is no interface that is gone. */
	if (unread) {
		if (!said)
			xfn_log__line(LOG_WARNING, "%s; it is taken for what it was", err.line);
		sup->unread_at_ns = xfn_now_ns() + RETRY_MS * 1000000ull;
	}
	if (!now.index || unread)
		return sup->renewals != was;
	if (!sup->iface.index)
		xfn_local_addresses__follow(sup, now.index);
	compare(sup, &now);
	if (sup->serving)
		follow_changes(sup);
	else if (sup->iface.up && !sup->phase)
		begin(sup);
	return sup->renewals != was;
}

void xfn_link_state__begun(struct xfn_supervisor *sup, bool anew, int ret, const char *err)
{
	if (!anew)
		begun(sup, ret, err);
	if (anew && ret) {
		xfn_log__line(LOG_ERR, "%s: workers cannot be made anew (%s); all is",
			      sup->iface.name, err);
		sup->retry_at_ns = 0;
	}
	/* what has changed meanwhile */
	if (sup->serving)
		follow_changes(sup);
}

static int ms_until(uint64_t at_ns)
{
	uint64_t now = xfn_now_ns();

	return at_ns > now ? (int)((at_ns - now) / 1000000) + 1 : 0;
}

int xfn_link_state__retry(struct xfn_supervisor *sup)
{
	bool stepping = sup->phase;
	int next = -1, unread;

	if (sup->unread_at_ns && !ms_until(sup->unread_at_ns))
		xfn_link_state__changed(sup);
	if (sup->serving && !sup->phase && !xfn_listeners__retry_ms(sup))
		follow(sup);
	if (!sup->serving && !sup->phase && sup->iface.up && !ms_until(sup->retry_at_ns))
		begin(sup);
	if (sup->phase)
		next = stepping ? -1 : 0;
	else if (sup->serving)
		next = xfn_listeners__retry_ms(sup);
	else if (sup->iface.up)
		next = ms_until(sup->retry_at_ns);
	if (!sup->unread_at_ns)
		return next;
	unread = ms_until(sup->unread_at_ns);
	return next < 0 || unread < next ? unread : next;
}
