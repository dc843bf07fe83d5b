// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which UDP sockets the functions are to have: those of tier socket, and slow ones. An address and
 * port is one function's, the most specific one's. Must never open a socket.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "../../host/ip.h"
#include "../../host/log.h"
#include "../../sockets/udp_socket.h"
#include "ingress_inside.h"

/* A growing list of sockets. */
struct list {
	struct xfn_listener *all;
	unsigned count, room;
	bool failed; /* out of memory */
};

static void add(struct list *list, const struct xfn_listener *one)
{
	if (list->count == list->room) {
		unsigned room = list->room ? 2 * list->room : 64;
		struct xfn_listener *all = reallocarray(list->all, room, sizeof(*all));

		if (!all) {
			list->failed = true;
			return;
		}
		list->all = all;
		list->room = room;
	}
	list->all[list->count] = *one;
	list->all[list->count++].fd = -1;
}

/* The function in `slot` asks for `ip`: add a socket unless a more exact function owns it. */
static void want(const struct xfn_ingress *ing, struct list *list, struct xfn_listener one,
		 const uint8_t ip[16])
{
	one.local.port = xfn_functions__at(ing->functions, one.slot)->addr.port;
	memcpy(one.local.ip, ip, sizeof(one.local.ip));
	if (xfn_functions__owner(ing->functions, ip, one.local.port) == (int)one.slot)
		add(list, &one);
}

/*
 * One socket for each device on which frames with these tags reach the stack: a bridge's port and
 * the bridge have the same.
 */
static void want_by_device(const struct xfn_ingress *ing, struct list *list,
			   struct xfn_listener one, const uint8_t ip[16],
			   const uint16_t tag[XFN_TAGS])
{
	for (unsigned d = 0; d < ing->interface->device_count; d++) {
		const struct xfn_addresses_device *device = &ing->interface->devices[d];

		if (tag && memcmp(device->tag, tag, sizeof(device->tag)))
			continue;
		one.device = one.scope = device->ifindex;
		want(ing, list, one, ip);
	}
}

static void want_slow(const struct xfn_ingress *ing, struct list *list, unsigned slot)
{
	const struct xfn_listener one = { .slot = slot, .slow = true };

	for (unsigned i = 0; i < ing->interface->local_count; i++)
		if (xfn_deployed__covers(xfn_functions__at(ing->functions, slot),
					 ing->interface->local[i].ip))
			want_by_device(ing, list, one, ing->interface->local[i].ip,
				       ing->interface->local[i].tag);
}

/*
 * An address that is not the interface's own may be served by another interface's supervisor too:
 * then each takes what comes by its own devices.
 */
static void want_named(const struct xfn_ingress *ing, struct list *list, unsigned slot,
		       const uint8_t ip[16])
{
	const struct xfn_listener one = { .slot = slot };

	if (ing->opts->beside)
		want_by_device(ing, list, one, ip, NULL);
	else
		want(ing, list, one, ip);
}

static void want_served(const struct xfn_ingress *ing, struct list *list, unsigned slot)
{
	for (unsigned i = 0; i < ing->interface->local_count; i++) {
		const struct xfn_local_address *served = &ing->interface->local[i];
		struct xfn_listener one = { .slot = slot, .scope = served->ifindex };

		if (!xfn_deployed__covers(xfn_functions__at(ing->functions, slot), served->ip))
			continue;
		if (served->elsewhere && ing->opts->beside)
			want_by_device(ing, list, one, served->ip, served->tag);
		else
			want(ing, list, one, served->ip);
	}
}

/* Tier socket: a function's own address, --bind, the interface's, or loopback. */
static int want_sockets(const struct xfn_ingress *ing, struct list *list, unsigned slot,
			struct xfn_error *err)
{
	const struct xfn_deployed *fn = xfn_functions__at(ing->functions, slot);
	static const char *const loopback[] = { "127.0.0.1", "::1" };
	uint8_t ip[16];

	if (!fn->any && ing->opts->address_count) {
		/* only what --address names is served, as on the fast path */
		want_served(ing, list, slot);
	} else if (!fn->any) {
		want_named(ing, list, slot, fn->addr.ip);
	} else if (ing->opts->bind_count && !fn->version) {
		for (unsigned i = 0; i < ing->opts->bind_count; i++) {
			if (xfn_ip__parse(ing->opts->bind[i], ip))
				return xfn_fail(err, -EINVAL, "--bind %s: no IP address",
						ing->opts->bind[i]);
			want_named(ing, list, slot, ip);
		}
	} else if (ing->interface->iface.name[0]) {
		want_served(ing, list, slot);
	} else if (fn->version) {
		want_named(ing, list, slot, fn->addr.ip);
	} else {
		for (unsigned i = 0; i < 2 && !xfn_ip__parse(loopback[i], ip); i++)
			want_named(ing, list, slot, ip);
	}
	return 0;
}

/* Sockets of every address come first: then only another server's socket can be in their way. */
static int by_place(const void *a, const void *b)
{
	const struct xfn_listener *one = a, *two = b;
	bool every_one = xfn_udp_socket__is_every(one->local.ip);
	bool every_two = xfn_udp_socket__is_every(two->local.ip);
	int order = every_two - every_one;

	order = order ?: (one->slot > two->slot) - (one->slot < two->slot);
	order = order ?: memcmp(one->local.ip, two->local.ip, sizeof(one->local.ip));
	order = order ?: one->local.port - two->local.port;
	order = order ?: one->slow - two->slow;
	return order ?: (one->device > two->device) - (one->device < two->device);
}

struct xfn_listener *xfn_listeners__find(struct xfn_listener *list, unsigned count,
					 const struct xfn_listener *one)
{
	return count ? bsearch(one, list, count, sizeof(*list), by_place) : NULL;
}

int xfn_listeners__wanted(const struct xfn_ingress *ing, struct xfn_listener **out,
			  struct xfn_error *err)
{
	struct list list = {};
	unsigned kept = 0;
	int ret = 0;

	*out = NULL;
	for (unsigned slot = 0; !ret && slot < xfn_functions__count(ing->functions); slot++) {
		const struct xfn_deployed *fn = xfn_functions__at(ing->functions, slot);

		if (fn->tier == XFN_TIER_SOCKET)
			ret = want_sockets(ing, &list, slot, err);
		else if (ing->attachment->loader && xfn_deployed__is_slow(fn))
			want_slow(ing, &list, slot);
	}
	if (list.failed) {
		xfn_error__set(err, "no memory for a list of UDP sockets");
		ret = -ENOMEM;
	}
	if (ret) {
		free(list.all);
		return ret;
	}
	if (list.count)
		qsort(list.all, list.count, sizeof(*list.all), by_place);
	/* an address below several tags has one socket that is bound to no device */
	for (unsigned i = 0; i < list.count; i++)
		if (!kept || by_place(&list.all[kept - 1], &list.all[i]))
			list.all[kept++] = list.all[i];
	*out = list.all;
	return (int)kept;
}
