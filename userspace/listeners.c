// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * UDP sockets of functions: those of tier socket, and slow ones for what the fast path leaves. Must
 * never know of workers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "log.h"
#include "supervisor_inside.h"

#define PORT_OFFSET 10000 /* where ports below 1024 may not be bound and no offset was given */

static const char *name_of(const struct xfn_deployed *fn)
{
	return fn->mod->attr.name;
}

/* slow: behind the dispatcher, for that device and its served addresses only; else NULL. */
static int listen_on(struct xfn_supervisor *sup, unsigned slot, const struct xfn_address *addr,
		     const struct xfn_addresses_device *slow, char *err, size_t errlen)
{
	/* Only an address of the interface is known to be its own. */
	bool ours = !slow && sup->functions[slot].any && !sup->opts->bind_count;
	struct xfn_listener *all;
	int fd, ret;

	if (sup->listener_count == XFN_LISTENERS) {
		snprintf(err, errlen, "more than %u UDP sockets; name fewer addresses by --bind",
			 XFN_LISTENERS);
		return -E2BIG;
	}
	fd = xfn_udp_socket__open(addr, ours ? sup->iface.index : 0, slow ? slow->name : NULL, err,
				  errlen);
	if (fd < 0)
		return fd;
	if (slow) {
		ret = xfn_loader__filter(sup->loader, fd, err, errlen);
	} else {
		ret = xfn_packet_ring__strict(fd);
		if (ret)
			snprintf(err, errlen, "cannot filter a UDP socket: %s", strerror(-ret));
	}
	if (ret) {
		close(fd);
		return ret;
	}
	all = reallocarray(sup->listeners, sup->listener_count + 1, sizeof(*all));
	if (!all) {
		close(fd);
		snprintf(err, errlen, "out of memory");
		return -ENOMEM;
	}
	sup->listeners = all;
	sup->functions[slot].listening = true;
	all[sup->listener_count++] = (struct xfn_listener){
		.fd = fd, .slot = slot, .device = slow ? slow->ifindex : 0, .local = *addr
	};
	return 0;
}

/* Addresses of a function behind UDP sockets: its own, --bind, the interface's, or loopback. */
static unsigned addresses_of(const struct xfn_supervisor *sup, const struct xfn_deployed *fn,
			     uint8_t (*out)[16], unsigned max, char *err, size_t errlen)
{
	unsigned n = 0;

	if (!fn->any) {
		memcpy(out[0], fn->addr.ip, 16);
		return 1;
	}
	if (sup->opts->bind_count) {
		for (; n < sup->opts->bind_count && n < max; n++)
			if (xfn_udp_socket__parse(sup->opts->bind[n], out[n])) {
				snprintf(err, errlen, "--bind %s: no IP address",
					 sup->opts->bind[n]);
				return 0;
			}
		return n;
	}
	for (; n < sup->served_count && n < max; n++)
		memcpy(out[n], sup->served[n].ip, 16);
	if (!n && sup->iface.name[0])
		snprintf(err, errlen,
			 "%s: has no address; `ip addr add ... dev %s`, or give --bind",
			 sup->iface.name, sup->iface.name);
	if (sup->iface.name[0])
		return n;
	xfn_udp_socket__parse("127.0.0.1", out[0]);
	xfn_udp_socket__parse("::1", out[1]);
	return 2;
}

static int listen_for(struct xfn_supervisor *sup, struct xfn_deployed *fn, char *err, size_t errlen)
{
	uint8_t ips[XFN_ADDRESSES][16];
	unsigned n = addresses_of(sup, fn, ips, XFN_ADDRESSES, err, errlen);
	unsigned first = sup->listener_count;
	uint16_t port = fn->port;
	int ret = n ? 0 : -EINVAL;

	fn->addr.port = port;
	if (sup->opts->port_offset && port < 1024)
		fn->addr.port = port + sup->opts->port_offset;
	for (unsigned i = 0; !ret && i < n; i++) {
		struct xfn_address addr = { .port = fn->addr.port };

		memcpy(addr.ip, ips[i], 16);
		ret = listen_on(sup, fn - sup->functions, &addr, NULL, err, errlen);
		/* A host without IPv6 still has its IPv4 loopback. */
		if (ret == -EADDRNOTAVAIL && !sup->opts->bind_count && !sup->iface.name[0] &&
		    i == 1)
			ret = 0;
		if (ret == -EACCES && fn->addr.port < 1024) {
			fn->addr.port = port + PORT_OFFSET;
			i = (unsigned)-1;
			ret = 0;
		}
	}
	if (ret)
		return ret;
	if (fn->addr.port != port)
		xfn_log__line(LOG_NOTICE, "%s: port %u is %s; it answers on %u", name_of(fn), port,
			      sup->opts->port_offset ? "shifted by --port-offset" :
						       "reserved for root",
			      fn->addr.port);
	return sup->listener_count == first ? -EADDRNOTAVAIL : 0;
}

int xfn_listeners__open(struct xfn_supervisor *sup, char *err, size_t errlen)
{
	for (unsigned i = 0; i < sup->function_count; i++) {
		int ret = 0;

		if (sup->functions[i].tier == XFN_TIER_SOCKET)
			ret = listen_for(sup, &sup->functions[i], err, errlen);
		if (ret)
			return ret;
	}
	return 0;
}

/* Has the interface, or what stands on it, that address? */
static bool is_served(const struct xfn_supervisor *sup, const uint8_t ip[16])
{
	for (unsigned i = 0; i < sup->served_count; i++)
		if (!memcmp(sup->served[i].ip, ip, 16))
			return true;
	return false;
}

/* Is it one of tier socket, on an address because that is the interface's? */
static bool follows(const struct xfn_supervisor *sup, const struct xfn_listener *listener)
{
	const struct xfn_deployed *fn = &sup->functions[listener->slot];

	return fn->tier == XFN_TIER_SOCKET && fn->any && !sup->opts->bind_count;
}

static bool listens_at(const struct xfn_supervisor *sup, unsigned slot, const uint8_t ip[16])
{
	for (unsigned i = 0; i < sup->listener_count; i++)
		if (sup->listeners[i].slot == slot && !memcmp(sup->listeners[i].local.ip, ip, 16))
			return true;
	return false;
}

bool xfn_listeners__follow(struct xfn_supervisor *sup)
{
	bool changed = false;
	char err[XFN_ERR_MAX];

	for (unsigned i = 0; i < sup->listener_count; i++) {
		if (!follows(sup, &sup->listeners[i]) || is_served(sup, sup->listeners[i].local.ip))
			continue;
		close(sup->listeners[i].fd);
		sup->listeners[i--] = sup->listeners[--sup->listener_count];
		changed = true;
	}
	for (unsigned slot = 0; slot < sup->function_count; slot++) {
		const struct xfn_listener wanted = { .slot = slot };

		for (unsigned i = 0; follows(sup, &wanted) && i < sup->served_count; i++) {
			struct xfn_address addr = { .port = sup->functions[slot].addr.port };

			memcpy(addr.ip, sup->served[i].ip, 16);
			if (listens_at(sup, slot, addr.ip))
				continue;
			if (listen_on(sup, slot, &addr, NULL, err, sizeof(err)))
				xfn_log__line(LOG_WARNING, "%s: %s", name_of(&sup->functions[slot]),
					      err);
			else
				changed = true;
		}
	}
	return changed;
}

/*
 * The i-th VLAN id below which an address is served, 0: none; -1 past the last. Of two tags the
 * kernel takes only one off: below these the address is left to the sockets.
 */
static int tag_of(const struct xfn_supervisor *sup, const uint8_t ip[16], unsigned i)
{
	bool known = false;

	for (unsigned k = 0; k < sup->served_count; k++) {
		if (memcmp(sup->served[k].ip, ip, 16))
			continue;
		known = true;
		if (!sup->served[k].tag[1] && !i--)
			return sup->served[k].tag[0];
	}
	/* named by --bind or by a module, not the interface's */
	return known || i ? -1 : 0;
}

int xfn_listeners__share(struct xfn_supervisor *sup, char *err, size_t errlen)
{
	unsigned *ifindexes = calloc(sup->device_count ?: 1, sizeof(*ifindexes));
	int ret = ifindexes ? 0 : -ENOMEM;

	for (unsigned i = 0; !ret && i < sup->device_count; i++)
		ifindexes[i] = sup->devices[i].ifindex;
	for (unsigned i = 0; !ret && i < sup->listener_count; i++)
		if (tag_of(sup, sup->listeners[i].local.ip, 0) >= 0)
			ret = xfn_packet_ring__rest(sup->listeners[i].fd, sup->ring_mtu, ifindexes,
						    sup->device_count);
	if (ret)
		snprintf(err, errlen, "cannot filter a UDP socket: %s", strerror(-ret));
	free(ifindexes);
	return ret;
}

int xfn_listeners__targets(const struct xfn_supervisor *sup, struct xfn_packet_target **out)
{
	unsigned n = 0;
	int tag;

	*out = NULL;
	for (unsigned i = 0; i < sup->listener_count; i++) {
		const struct xfn_address *local = &sup->listeners[i].local;

		for (unsigned k = 0; (tag = tag_of(sup, local->ip, k)) >= 0; k++) {
			struct xfn_packet_target *all = reallocarray(*out, n + 1, sizeof(*all));

			if (!all) {
				free(*out);
				return -ENOMEM;
			}
			*out = all;
			all[n++] = (struct xfn_packet_target){ *local, (uint16_t)tag };
		}
	}
	return (int)n;
}

static bool device_exists(const struct xfn_supervisor *sup, unsigned ifindex)
{
	for (unsigned i = 0; i < sup->device_count; i++)
		if (sup->devices[i].ifindex == ifindex)
			return true;
	return false;
}

static bool listens(const struct xfn_supervisor *sup, unsigned slot, unsigned ifindex)
{
	for (unsigned i = 0; i < sup->listener_count; i++)
		if (sup->listeners[i].slot == slot && sup->listeners[i].device == ifindex)
			return true;
	return false;
}

static void listen_on_device(struct xfn_supervisor *sup, unsigned slot,
			     const struct xfn_addresses_device *device)
{
	const struct xfn_deployed *fn = &sup->functions[slot];
	struct xfn_address addr[2] = { { .ip = { [10] = 0xff, 0xff }, .port = fn->addr.port },
				       { .port = fn->addr.port } };
	char err[XFN_ERR_MAX] = "";
	int ret = 0;

	if (!fn->any)
		addr[0] = fn->addr;
	for (int v = 0; !ret && v < (fn->any ? 2 : 1); v++)
		ret = listen_on(sup, slot, &addr[v], device, err, sizeof(err));
	if (ret)
		xfn_log__line(LOG_WARNING, "%s has no slow path on %s: %s", name_of(fn),
			      device->name, err);
}

void xfn_listeners__slow(struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->listener_count; i++) {
		unsigned ifindex = sup->listeners[i].device;

		if (!ifindex || device_exists(sup, ifindex))
			continue;
		close(sup->listeners[i].fd);
		sup->listeners[i--] = sup->listeners[--sup->listener_count];
	}
	for (unsigned d = 0; d < sup->device_count; d++) {
		const struct xfn_addresses_device *device = &sup->devices[d];

		if (xfn_loader__device(sup->loader, device->ifindex, device->tag)) {
			xfn_log__line(
				LOG_WARNING,
				"no slow path on %s: its filter does not load; run `xfn check`",
				device->name);
			continue;
		}
		for (unsigned slot = 0; slot < sup->function_count; slot++)
			if (xfn_deploy__is_slow(&sup->functions[slot]) &&
			    !listens(sup, slot, device->ifindex))
				listen_on_device(sup, slot, device);
	}
}

void xfn_listeners__close(struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->listener_count; i++)
		close(sup->listeners[i].fd);
	free(sup->listeners);
	sup->listeners = NULL;
	sup->listener_count = 0;
	for (unsigned i = 0; i < sup->function_count; i++) {
		sup->functions[i].listening = false;
		sup->functions[i].addr.port = sup->functions[i].port;
	}
}
