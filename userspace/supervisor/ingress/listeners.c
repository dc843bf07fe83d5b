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
#include "../../../skel/error.h"
#include "../../host/limits.h"
#include "../../host/log.h"
#include "../../host/now.h"
#include "../supervisor_inside.h"

#define PORT_OFFSET 10000 /* where ports below 1024 may not be bound and no offset was given */
/* What is missing is tried again after so long, later less often: a run before may have ended just
 * now, and the kernel frees what its io_uring held a moment later. */
#define RETRY_MS      50
#define RETRY_MAX_MS  2000
#define FIRST_WAIT_MS 500 /* so long the first start waits for that, and nothing is logged */

static const char *name_of(const struct xfn_supervisor *sup, const struct xfn_listener *one)
{
	return sup->functions[one->slot].mod->attr.name;
}

/* Would the kernel take them for two of one port? Of IPv6 ours are V6ONLY. */
static bool overlap(const struct xfn_listener *a, const struct xfn_listener *b)
{
	return a->local.port == b->local.port &&
	       xfn_udp_socket__version(a->local.ip) == xfn_udp_socket__version(b->local.ip) &&
	       (xfn_udp_socket__is_every(a->local.ip) || xfn_udp_socket__is_every(b->local.ip)) &&
	       (!a->device || !b->device || a->device == b->device);
}

/* Sockets of ours that overlap `one` let it beside them, or (false) nothing any more. */
static bool let_beside(const struct xfn_supervisor *sup, const struct xfn_listener *one, bool on)
{
	bool any = false;

	for (unsigned i = 0; i < sup->listener_count; i++)
		if (overlap(&sup->listeners[i], one)) {
			xfn_udp_socket__let_beside(sup->listeners[i].fd, on);
			any = true;
		}
	return any;
}

static int open_one(struct xfn_supervisor *sup, struct xfn_listener *one, struct xfn_error *err)
{
	bool beside;
	int ret;

	if (sup->listener_count == XFN_LISTENERS)
		return xfn_fail(
			err, -E2BIG,
			"more than %u UDP sockets; serve fewer addresses (--address, --bind) or "
			"functions",
			XFN_LISTENERS);
	beside = let_beside(sup, one, true);
	one->fd = xfn_udp_socket__open(&one->local, one->scope, one->device, beside, err);
	if (beside)
		let_beside(sup, one, false);
	if (one->fd < 0)
		return one->fd;
	if (one->slow) {
		ret = xfn_loader__filter(sup->loader, one->fd, err);
	} else {
		ret = xfn_socket_guard__attach(sup, one->fd);
		if (ret)
			xfn_error__set(err, "cannot filter a UDP socket: %s", strerror(-ret));
	}
	if (ret) {
		close(one->fd);
		one->fd = -1;
	}
	return ret;
}

static void close_one(struct xfn_supervisor *sup, unsigned i)
{
	struct xfn_listener *one = &sup->listeners[i];

	xfn_losses__keep_socket(sup, one);
	close(one->fd);
	*one = sup->listeners[--sup->listener_count];
}

/* The filter of slow sockets is to know the devices. */
static void learn_devices(const struct xfn_supervisor *sup)
{
	for (unsigned d = 0; sup->loader && xfn_deploy__wants_slow(sup) && d < sup->device_count;
	     d++) {
		const struct xfn_addresses_device *device = &sup->devices[d];

		if (xfn_loader__device(sup->loader, device->ifindex, device->tag) &&
		    (!sup->serving || sup->devices_changed))
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
static bool shift_ports(struct xfn_supervisor *sup, const struct xfn_listener *refused)
{
	uint16_t port = refused->local.port;
	bool shifted = false;

	for (unsigned i = 0; i < sup->function_count; i++) {
		struct xfn_deployed *fn = &sup->functions[i];

		if (fn->tier != XFN_TIER_SOCKET || fn->addr.port != port || port >= 1024)
			continue;
		fn->addr.port = fn->port + PORT_OFFSET;
		shifted = true;
	}
	return shifted;
}

/* Two functions on one port and address after ports were shifted: -EEXIST with one line in err. */
static int check_ports(const struct xfn_supervisor *sup, struct xfn_error *err)
{
	for (unsigned i = 0; i < sup->function_count; i++)
		for (unsigned j = 0; j < i; j++) {
			const struct xfn_deployed *a = &sup->functions[i], *b = &sup->functions[j];

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
static bool is_dispensable(const struct xfn_supervisor *sup, const struct xfn_listener *one,
			   int ret)
{
	return (ret == -EADDRNOTAVAIL || ret == -EAFNOSUPPORT) && !sup->opts->bind_count &&
	       !sup->iface.name[0] && sup->functions[one->slot].any &&
	       xfn_udp_socket__version(one->local.ip) == 6;
}

/* What cannot be had: the first that was not known of is logged, and how many others. */
struct news {
	struct xfn_error why;
	struct xfn_listener first;
	unsigned count;
	unsigned unknown; /* that were not missing before */
};

static void tell(const struct xfn_supervisor *sup, const struct news *news)
{
	char more[64] = "", place[64];

	if (!news->count)
		return;
	if (news->count > 1)
		snprintf(more, sizeof(more), "; %u other sockets cannot be had either",
			 news->count - 1);
	xfn_log__line(LOG_WARNING, "%s has no %s at %s: %s; it is tried again%s",
		      name_of(sup, &news->first), news->first.slow ? "slow path" : "socket",
		      xfn_udp_socket__text(&news->first.local, place, sizeof(place)),
		      news->why.line, more);
}

/* Close what is not wanted any more; of what is, `wanted` gets the sockets. True: any was closed.
 */
static bool close_others(struct xfn_supervisor *sup, struct xfn_listener *wanted, unsigned count)
{
	bool closed = false;

	for (unsigned i = sup->listener_count; i-- > 0;) {
		struct xfn_listener *still = xfn_listeners__find(wanted, count, &sup->listeners[i]);

		if (still) {
			still->fd = sup->listeners[i].fd;
			continue;
		}
		close_one(sup, i);
		closed = true;
	}
	return closed;
}

/*
 * Open what of `wanted` is not there; move what cannot be had to its front. Returns how many these
 * are. For news->first, of tier socket, -errno with one line in err: a port that may not be bound,
 * with `strict` any.
 */
static int open_rest(struct xfn_supervisor *sup, struct xfn_listener *wanted, unsigned count,
		     bool strict, struct news *news, struct xfn_error *err)
{
	unsigned missing = 0;

	for (unsigned i = 0; i < count; i++) {
		struct xfn_listener one = wanted[i];
		const struct xfn_listener *known =
			xfn_listeners__find(sup->missing, sup->missing_count, &one);
		int ret = one.fd < 0 ? open_one(sup, &one, err) : 1;

		if (!ret) {
			sup->listeners[sup->listener_count++] = one;
			if (known && known->logged)
				xfn_log__line(LOG_NOTICE, "%s has its %s on port %u again",
					      name_of(sup, &one), one.slow ? "slow path" : "socket",
					      one.local.port);
		}
		if (ret >= 0 || is_dispensable(sup, &one, ret))
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

static void mark_listening(struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->function_count; i++)
		sup->functions[i].listening = false;
	for (unsigned i = 0; i < sup->listener_count; i++)
		sup->functions[sup->listeners[i].slot].listening = true;
}

/* The sockets as they are wanted now. 1: they are others than before, 0, or -errno with err. */
static int follow(struct xfn_supervisor *sup, bool strict, struct news *news, struct xfn_error *err)
{
	struct xfn_listener *wanted, *all;
	int count = xfn_listeners__wanted(sup, &wanted, err), ret;
	bool closed;
	unsigned kept;

	*news = (struct news){};
	if (count < 0)
		return count;
	learn_devices(sup);
	closed = close_others(sup, wanted, (unsigned)count);
	kept = sup->listener_count;
	all = reallocarray(sup->listeners, (unsigned)count + 1, sizeof(*all));
	if (!all) {
		free(wanted);
		return xfn_fail(err, -ENOMEM, "no memory for a list of UDP sockets");
	}
	sup->listeners = all;
	ret = open_rest(sup, wanted, (unsigned)count, strict, news, err);
	mark_listening(sup);
	if (ret < 0) {
		free(wanted);
		return ret;
	}
	xfn_limits__advise(news->why.line, sizeof(news->why.line), xfn_deploy__descriptors(sup));
	tell(sup, news);
	free(sup->missing);
	sup->missing = wanted;
	sup->missing_count = (unsigned)ret;
	sup->missing_unknown = false;
	if (news->unknown)
		sup->missing_tries = 0;
	return closed || sup->listener_count > kept;
}

static void plan_retry(struct xfn_supervisor *sup)
{
	unsigned ms = RETRY_MS << (sup->missing_tries < 6 ? sup->missing_tries : 6);

	sup->missing_tries++;
	sup->missing_at_ns = xfn_now_ns() + (ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS) * 1000000ull;
}

static void log_shifted(const struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->function_count; i++) {
		const struct xfn_deployed *fn = &sup->functions[i];

		if (fn->addr.port != fn->port)
			xfn_log__line(LOG_NOTICE, "%s: port %u is %s; it answers on %u",
				      fn->mod->attr.name, fn->port,
				      sup->opts->port_offset ? "shifted by --port-offset" :
							       "reserved for root",
				      fn->addr.port);
	}
}

/* With --port-offset from the beginning. */
static void shift_all(struct xfn_supervisor *sup)
{
	for (unsigned i = 0; sup->opts->port_offset && i < sup->function_count; i++) {
		struct xfn_deployed *fn = &sup->functions[i];

		if (fn->tier == XFN_TIER_SOCKET && fn->port < 1024)
			fn->addr.port = fn->port + sup->opts->port_offset;
	}
}

/* A function of tier socket that has no address to be asked at: -EINVAL with one line in err. */
static int check_addresses(const struct xfn_supervisor *sup, struct xfn_error *err)
{
	for (unsigned i = 0; !sup->local_count && sup->iface.name[0] && i < sup->function_count;
	     i++) {
		const struct xfn_deployed *fn = &sup->functions[i];

		if (fn->tier != XFN_TIER_SOCKET || !fn->any || sup->opts->bind_count)
			continue;
		return xfn_fail(err, -EINVAL,
				"%s: has no address; `ip addr add ... dev %s`, or give --bind",
				sup->iface.name, sup->iface.name);
	}
	return 0;
}

int xfn_listeners__open(struct xfn_supervisor *sup, struct xfn_error *err)
{
	bool strict = !sup->served_once;
	struct news news;
	int ret;

	if (sup->missing_unknown && xfn_listeners__retry_ms(sup))
		return 1;
	shift_all(sup);
	ret = check_addresses(sup, err);
	while (!ret) {
		ret = check_ports(sup, err) ?: follow(sup, strict, &news, err);
		if (ret != -EACCES || !shift_ports(sup, &news.first))
			break;
		ret = 0;
	}
	plan_retry(sup);
	sup->missing_unknown =
		ret == -EADDRINUSE && xfn_now_ns() - sup->begun_ns < FIRST_WAIT_MS * 1000000ull;
	if (sup->missing_unknown)
		return 1;
	if (ret < 0)
		return ret;
	log_shifted(sup);
	return 0;
}

bool xfn_listeners__follow(struct xfn_supervisor *sup)
{
	struct xfn_error err;
	struct news news;
	int ret = follow(sup, false, &news, &err);

	plan_retry(sup);
	if (ret >= 0)
		return ret;
	xfn_log__line(LOG_WARNING, "%s; it is tried again", err.line);
	/* nothing is known to be missing, but something may be */
	sup->missing_unknown = true;
	return false;
}

int xfn_listeners__retry_ms(const struct xfn_supervisor *sup)
{
	uint64_t now = xfn_now_ns();

	if (!sup->missing_count && !sup->missing_unknown)
		return -1;
	return sup->missing_at_ns > now ? (int)((sup->missing_at_ns - now) / 1000000) + 1 : 0;
}

void xfn_listeners__close(struct xfn_supervisor *sup)
{
	while (sup->listener_count)
		close_one(sup, sup->listener_count - 1);
	free(sup->listeners);
	free(sup->missing);
	sup->listeners = sup->missing = NULL;
	sup->missing_count = sup->missing_tries = 0;
	sup->missing_unknown = false;
	for (unsigned i = 0; i < sup->function_count; i++) {
		sup->functions[i].listening = false;
		sup->functions[i].addr.port = sup->functions[i].port;
	}
}
