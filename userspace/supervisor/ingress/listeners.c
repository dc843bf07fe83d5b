// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * UDP sockets of functions, held here: opened where they are wanted, closed where they no longer
 * are, tried again where they cannot be had. Must never know of workers, nor why a socket is
 * wanted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "../../host/limits.h"
#include "../../host/log.h"
#include "../../host/now.h"
#include "../../sockets/packet_ring.h"
#include "../../sockets/udp_socket.h"
#include "ingress_inside.h"

#define PORT_OFFSET 10000 /* where ports below 1024 may not be bound and no offset was given */
/* What is missing is tried again after so long, later less often: a run before may have ended just
 * now, and the kernel frees what its io_uring held a moment later. */
#define RETRY_MS      50
#define RETRY_MAX_MS  2000
#define FIRST_WAIT_MS 500 /* so long the first start waits for that, and nothing is logged */

static const char *name_of(const struct xfn_ingress *ing, const struct xfn_listener *one)
{
	return xfn_functions__at(ing->functions, one->slot)->mod->attr.name;
}

/* Does the kernel see two sockets of one port here? Our IPv6 sockets are V6ONLY. */
static bool overlap(const struct xfn_listener *a, const struct xfn_listener *b)
{
	return a->local.port == b->local.port &&
	       xfn_udp_socket__version(a->local.ip) == xfn_udp_socket__version(b->local.ip) &&
	       (xfn_udp_socket__is_every(a->local.ip) || xfn_udp_socket__is_every(b->local.ip)) &&
	       (!a->device || !b->device || a->device == b->device);
}

/* Our sockets that overlap `one` admit it beside them, or (false) admit none any more. */
static bool let_beside(const struct xfn_ingress *ing, const struct xfn_listener *one, bool on)
{
	bool any = false;

	for (unsigned i = 0; i < ing->listener_count; i++)
		if (overlap(&ing->listeners[i], one)) {
			xfn_udp_socket__let_beside(ing->listeners[i].fd, on);
			any = true;
		}
	return any;
}

static int open_one(struct xfn_ingress *ing, struct xfn_listener *one, struct xfn_error *err)
{
	bool beside;
	int ret;

	if (ing->listener_count == XFN_LISTENERS)
		return xfn_fail(
			err, -E2BIG,
			"more than %u UDP sockets; serve fewer addresses (--address, --bind) or "
			"functions",
			XFN_LISTENERS);
	beside = let_beside(ing, one, true);
	one->fd = xfn_udp_socket__open(&one->local, one->scope, one->device, beside, err);
	if (beside)
		let_beside(ing, one, false);
	if (one->fd < 0)
		return one->fd;
	if (one->slow) {
		ret = xfn_loader__filter(ing->attachment->loader, one->fd, err);
	} else {
		ret = xfn_socket_guard__attach(ing, one->fd);
		if (ret)
			xfn_error__set(err, "cannot filter a UDP socket: %s", strerror(-ret));
	}
	if (ret) {
		close(one->fd);
		one->fd = -1;
	}
	return ret;
}

static void close_one(struct xfn_ingress *ing, unsigned i)
{
	struct xfn_listener *one = &ing->listeners[i];

	xfn_losses__keep_socket(ing, one);
	close(one->fd);
	*one = ing->listeners[--ing->listener_count];
}

/* The filter of slow sockets is to know the devices. `log` tells of those that it cannot have. */
static void learn_devices(const struct xfn_ingress *ing, bool log)
{
	for (unsigned d = 0; ing->attachment->loader && xfn_functions__wants_slow(ing->functions) &&
			     d < ing->interface->device_count;
	     d++) {
		const struct xfn_addresses_device *device = &ing->interface->devices[d];

		if (xfn_loader__device(ing->attachment->loader, device->ifindex, device->tag) &&
		    log)
			xfn_log__line(
				LOG_WARNING,
				"no slow path on %s: its filter does not load; run `xfn check`",
				device->name);
	}
}

/*
 * The port of a wanted socket may not be bound: all functions of tier socket on ports like that go
 * to another one. False: none is there that has not gone already.
 */
static bool shift_ports(struct xfn_ingress *ing, const struct xfn_listener *refused)
{
	uint16_t port = refused->local.port;
	bool shifted = false;

	for (unsigned i = 0; i < xfn_functions__count(ing->functions); i++) {
		const struct xfn_deployed *fn = xfn_functions__at(ing->functions, i);

		if (fn->tier != XFN_TIER_SOCKET || fn->addr.port != port || port >= 1024)
			continue;
		xfn_functions__set_port(ing->functions, i, fn->port + PORT_OFFSET);
		shifted = true;
	}
	return shifted;
}

/* Two functions on one port and address after ports were shifted: -EEXIST with one line in err. */
static int check_ports(const struct xfn_ingress *ing, struct xfn_error *err)
{
	for (unsigned i = 0; i < xfn_functions__count(ing->functions); i++)
		for (unsigned j = 0; j < i; j++) {
			const struct xfn_deployed *a = xfn_functions__at(ing->functions, i),
						  *b = xfn_functions__at(ing->functions, j);

			if (a->addr.port != b->addr.port || a->any != b->any ||
			    memcmp(a->addr.ip, b->addr.ip, sizeof(a->addr.ip)) ||
			    a->version != b->version)
				continue;
			return xfn_fail(
				err, -EEXIST,
				"%s and %s are both for port %u, since ports below 1024 are "
				"shifted; give one another port: %s@PORT",
				b->mod->attr.name, a->mod->attr.name, a->addr.port,
				a->mod->attr.name);
		}
	return 0;
}

/* On a host without IPv6 loopback is 127.0.0.1 alone. */
static bool is_dispensable(const struct xfn_ingress *ing, const struct xfn_listener *one, int ret)
{
	return (ret == -EADDRNOTAVAIL || ret == -EAFNOSUPPORT) && !ing->opts->bind_count &&
	       !ing->interface->iface.name[0] &&
	       xfn_functions__at(ing->functions, one->slot)->any &&
	       xfn_udp_socket__version(one->local.ip) == 6;
}

/* Sockets that cannot be opened: the first new one is logged, with the number of others. */
struct news {
	struct xfn_error why;
	struct xfn_listener first;
	unsigned count;
	unsigned unknown; /* of these, sockets that were not missing before */
};

static void tell(const struct xfn_ingress *ing, const struct news *news)
{
	char more[64] = "", place[64];

	if (!news->count)
		return;
	if (news->count > 1)
		snprintf(more, sizeof(more), "; %u other sockets cannot be had either",
			 news->count - 1);
	xfn_log__line(LOG_WARNING, "%s has no %s at %s: %s; it is tried again%s",
		      name_of(ing, &news->first), news->first.slow ? "slow path" : "socket",
		      xfn_udp_socket__text(&news->first.local, place, sizeof(place)),
		      news->why.line, more);
}

/* Close what is not wanted any more; of what is, `wanted` gets the sockets. True: any was closed.
 */
static bool close_others(struct xfn_ingress *ing, struct xfn_listener *wanted, unsigned count)
{
	bool closed = false;

	for (unsigned i = ing->listener_count; i-- > 0;) {
		struct xfn_listener *still = xfn_listeners__find(wanted, count, &ing->listeners[i]);

		if (still) {
			still->fd = ing->listeners[i].fd;
			continue;
		}
		close_one(ing, i);
		closed = true;
	}
	return closed;
}

/*
 * Open what of `wanted` is not there; move what cannot be had to its front. Returns how many these
 * are. For news->first, of tier socket, -errno with one line in err: a port that may not be bound,
 * with `strict` any.
 */
static int open_rest(struct xfn_ingress *ing, struct xfn_listener *wanted, unsigned count,
		     bool strict, struct news *news, struct xfn_error *err)
{
	unsigned missing = 0;

	for (unsigned i = 0; i < count; i++) {
		struct xfn_listener one = wanted[i];
		const struct xfn_listener *known =
			xfn_listeners__find(ing->missing, ing->missing_count, &one);
		int ret = one.fd < 0 ? open_one(ing, &one, err) : 1;

		if (!ret) {
			ing->listeners[ing->listener_count++] = one;
			if (known && known->logged)
				xfn_log__line(LOG_NOTICE, "%s has its %s on port %u again",
					      name_of(ing, &one), one.slow ? "slow path" : "socket",
					      one.local.port);
		}
		if (ret >= 0 || is_dispensable(ing, &one, ret))
			continue;
		if (!one.slow && (strict || ret == -EACCES)) {
			news->first = one;
			return ret;
		}
		one.since_ns = known ? known->since_ns : xfn_now_ns();
		one.logged = known && known->logged;
		news->unknown += !known;
		/* a worker that ends, or a run before, may hold it a moment longer */
		if (one.logged || (ret == -EADDRINUSE &&
				   xfn_now_ns() - one.since_ns < FIRST_WAIT_MS * 1000000ull)) {
			wanted[missing++] = one;
			continue;
		}
		one.logged = true;
		wanted[missing++] = one;
		if (news->count++)
			continue;
		news->first = one;
		news->why = *err;
	}
	return (int)missing;
}

static void mark_listening(struct xfn_ingress *ing)
{
	for (unsigned i = 0; i < xfn_functions__count(ing->functions); i++)
		ing->listening[i] = false;
	for (unsigned i = 0; i < ing->listener_count; i++)
		ing->listening[ing->listeners[i].slot] = true;
}

/* The sockets as they are wanted now. 1: they are others than before, 0, or -errno with err. Nothing
 * is served yet with `first`. */
static int follow(struct xfn_ingress *ing, bool first, struct news *news, struct xfn_error *err)
{
	bool strict = first && !xfn_functions__served_once(ing->functions);
	struct xfn_listener *wanted, *all;
	int count = xfn_listeners__wanted(ing, &wanted, err), ret;
	bool closed;
	unsigned kept;

	*news = (struct news){};
	if (count < 0)
		return count;
	learn_devices(ing, first || ing->interface->devices_changed);
	closed = close_others(ing, wanted, (unsigned)count);
	kept = ing->listener_count;
	all = reallocarray(ing->listeners, (unsigned)count + 1, sizeof(*all));
	if (!all) {
		free(wanted);
		return xfn_fail(err, -ENOMEM, "no memory for a list of UDP sockets");
	}
	ing->listeners = all;
	ret = open_rest(ing, wanted, (unsigned)count, strict, news, err);
	mark_listening(ing);
	if (ret < 0) {
		free(wanted);
		return ret;
	}
	xfn_limits__advise(news->why.line, sizeof(news->why.line),
			   xfn_interface_state__descriptors(ing->interface, ing->opts));
	tell(ing, news);
	free(ing->missing);
	ing->missing = wanted;
	ing->missing_count = (unsigned)ret;
	ing->missing_unknown = false;
	if (news->unknown)
		ing->missing_tries = 0;
	return closed || ing->listener_count > kept;
}

static void plan_retry(struct xfn_ingress *ing)
{
	unsigned ms = RETRY_MS << (ing->missing_tries < 6 ? ing->missing_tries : 6);

	ing->missing_tries++;
	ing->missing_at_ns = xfn_now_ns() + (ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS) * 1000000ull;
}

static void log_shifted(const struct xfn_ingress *ing)
{
	for (unsigned i = 0; i < xfn_functions__count(ing->functions); i++) {
		const struct xfn_deployed *fn = xfn_functions__at(ing->functions, i);

		if (fn->addr.port != fn->port)
			xfn_log__line(LOG_NOTICE, "%s: port %u is %s; it answers on %u",
				      fn->mod->attr.name, fn->port,
				      ing->opts->port_offset ? "shifted by --port-offset" :
							       "reserved for root",
				      fn->addr.port);
	}
}

/* With --port-offset from the beginning. */
static void shift_all(struct xfn_ingress *ing)
{
	for (unsigned i = 0; ing->opts->port_offset && i < xfn_functions__count(ing->functions);
	     i++) {
		const struct xfn_deployed *fn = xfn_functions__at(ing->functions, i);

		if (fn->tier == XFN_TIER_SOCKET && fn->port < 1024)
			xfn_functions__set_port(ing->functions, i,
						fn->port + ing->opts->port_offset);
	}
}

/* A function of tier socket that has no address to be asked at: -EINVAL with one line in err. */
static int check_addresses(const struct xfn_ingress *ing, struct xfn_error *err)
{
	for (unsigned i = 0; !ing->interface->local_count && ing->interface->iface.name[0] &&
			     i < xfn_functions__count(ing->functions);
	     i++) {
		const struct xfn_deployed *fn = xfn_functions__at(ing->functions, i);

		if (fn->tier != XFN_TIER_SOCKET || !fn->any || ing->opts->bind_count)
			continue;
		return xfn_fail(err, -EINVAL,
				"%s: has no address; `ip addr add ... dev %s`, or give --bind",
				ing->interface->iface.name, ing->interface->iface.name);
	}
	return 0;
}

int xfn_listeners__open(struct xfn_ingress *ing, uint64_t begun_ns, struct xfn_error *err)
{
	struct news news;
	int ret;

	if (ing->missing_unknown && xfn_listeners__retry_ms(ing))
		return 1;
	shift_all(ing);
	ret = check_addresses(ing, err);
	while (!ret) {
		ret = check_ports(ing, err) ?: follow(ing, true, &news, err);
		if (ret != -EACCES || !shift_ports(ing, &news.first))
			break;
		ret = 0;
	}
	plan_retry(ing);
	ing->missing_unknown =
		ret == -EADDRINUSE && xfn_now_ns() - begun_ns < FIRST_WAIT_MS * 1000000ull;
	if (ing->missing_unknown)
		return 1;
	if (ret < 0)
		return ret;
	log_shifted(ing);
	return 0;
}

bool xfn_listeners__follow(struct xfn_ingress *ing)
{
	struct xfn_error err;
	struct news news;
	int ret = follow(ing, false, &news, &err);

	plan_retry(ing);
	if (ret >= 0)
		return ret;
	xfn_log__line(LOG_WARNING, "%s; it is tried again", err.line);
	/* which sockets are missing is not known */
	ing->missing_unknown = true;
	return false;
}

int xfn_listeners__retry_ms(const struct xfn_ingress *ing)
{
	uint64_t now = xfn_now_ns();

	if (!ing->missing_count && !ing->missing_unknown)
		return -1;
	return ing->missing_at_ns > now ? (int)((ing->missing_at_ns - now) / 1000000) + 1 : 0;
}

const struct xfn_listener *xfn_listeners__held(const struct xfn_ingress *ing, unsigned *count)
{
	*count = ing->listener_count;
	return ing->listeners;
}

unsigned xfn_listeners__missing(const struct xfn_ingress *ing)
{
	return ing->missing_count;
}

bool xfn_listeners__has(const struct xfn_ingress *ing, unsigned slot)
{
	return ing->listening[slot];
}

void xfn_listeners__close(struct xfn_ingress *ing)
{
	while (ing->listener_count)
		close_one(ing, ing->listener_count - 1);
	free(ing->listeners);
	free(ing->missing);
	ing->listeners = ing->missing = NULL;
	ing->missing_count = ing->missing_tries = 0;
	ing->missing_unknown = false;
	ing->ring_mtu = 0;
	for (unsigned i = 0; i < xfn_functions__count(ing->functions); i++) {
		ing->listening[i] = false;
		xfn_functions__set_port(ing->functions, i,
					xfn_functions__at(ing->functions, i)->port);
	}
}
