// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which function runs where: modules, ports, tiers with their reasons, sockets, bindings. */
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

static bool may_amplify(const struct xfn_run_options *opts, const char *name)
{
	for (unsigned i = 0; i < opts->allow_amplify_count; i++)
		if (!strcmp(opts->allow_amplify[i], name))
			return true;
	return false;
}

static int open_one(const struct xfn_run_options *opts, const struct xfn_run_module *want,
		    struct xfn_deployed *fn, char *err, size_t errlen)
{
	fn->mod = xfn_module__open(want->path, err, errlen);
	if (!fn->mod)
		return -EINVAL;
	fn->any = !want->addr || !want->addr[0];
	if (!fn->any && xfn_udp_socket__parse(want->addr, fn->addr.ip)) {
		snprintf(err, errlen,
			 "%s: %s is no IP address; write MODULE@10.0.0.1:53 or "
			 "MODULE@[fd00::1]:53",
			 want->path, want->addr);
		return -EINVAL;
	}
	if (fn->mod->attr.amplify > XFN_AMPLIFY_FREE && !may_amplify(opts, name_of(fn))) {
		snprintf(err, errlen,
			 "%s: may answer with %u times its request, of use to attackers; "
			 "`--allow-amplify %s` runs it",
			 name_of(fn), fn->mod->attr.amplify, name_of(fn));
		return -EPERM;
	}
	fn->addr.port = want->port ?: fn->mod->attr.port;
	if (!fn->addr.port) {
		snprintf(err, errlen, "%s: has no default port; give one: %s@:PORT", name_of(fn),
			 want->path);
		return -EINVAL;
	}
	return 0;
}

int xfn_deploy__open(struct xfn_supervisor *sup, char *err, size_t errlen)
{
	const struct xfn_run_options *opts = sup->opts;
	int ret;

	if (opts->module_count > XFN_SLOTS) {
		snprintf(err, errlen, "%u functions are more than the %u of one interface",
			 opts->module_count, XFN_SLOTS);
		return -E2BIG;
	}
	sup->functions = calloc(opts->module_count, sizeof(*sup->functions));
	if (!sup->functions) {
		snprintf(err, errlen, "out of memory");
		return -ENOMEM;
	}
	for (unsigned i = 0; i < opts->module_count; i++) {
		struct xfn_deployed *fn = &sup->functions[i];

		sup->function_count++;
		ret = open_one(opts, &opts->modules[i], fn, err, errlen);
		if (ret)
			return ret;
		for (unsigned j = 0; j < i; j++) {
			const struct xfn_deployed *other = &sup->functions[j];

			if (other->addr.port != fn->addr.port || other->any != fn->any ||
			    memcmp(other->addr.ip, fn->addr.ip, 16))
				continue;
			snprintf(
				err, errlen,
				"%s and %s are both for port %u%s; give one another port: %s@:PORT",
				name_of(other), name_of(fn), fn->addr.port,
				fn->any ? "" : " of one address", name_of(fn));
			return -EEXIST;
		}
	}
	return 0;
}

bool xfn_deploy__wants_ring(const struct xfn_supervisor *sup)
{
	return sup->opts->engine && !strcmp(sup->opts->engine, "packet");
}

static void why(struct xfn_deployed *fn, int tier, const char *rule, const char *reason)
{
	fn->tier = tier;
	snprintf(fn->rule, sizeof(fn->rule), "%s", rule);
	snprintf(fn->reason, sizeof(fn->reason), "%s", reason);
}

/* Put the kernel half into its slot; a refusal leaves fn with tier afxdp and its reason. */
static int put(struct xfn_supervisor *sup, struct xfn_deployed *fn, char *err, size_t errlen)
{
	struct xfn_refusal refusal = {};
	int ret = xfn_loader__put(sup->loader, fn - sup->functions, fn->mod, &refusal, err, errlen);

	if (!ret) {
		fn->in_kernel = true;
		why(fn, XFN_TIER_XDP, "", "accepted by this kernel's verifier");
		return 0;
	}
	if (!refusal.rule[0])
		return ret;
	why(fn, XFN_TIER_AFXDP, refusal.rule, refusal.reason);
	/* of the interface, and said when it was attached */
	if (!strcmp(refusal.rule, "shared_interface"))
		return 0;
	xfn_log__line(LOG_WARNING,
		      "%s: this kernel's verifier refuses it (%s); it runs in a worker",
		      name_of(fn), refusal.reason);
	return 0;
}

static int decide(struct xfn_supervisor *sup, struct xfn_deployed *fn, char *err, size_t errlen)
{
	const struct xfn_module_meta *meta = &fn->mod->meta;
	int forced = sup->opts->tier ?: fn->mod->attr.tier;
	const char *by = xfn_deploy__wants_ring(sup) ? "engine packet serves tier socket" :
			 sup->opts->tier	     ? "forced by --tier" :
						       "its .tier asks for it";
	int ret;

	if (!sup->loader) {
		if (forced == XFN_TIER_XDP || forced == XFN_TIER_AFXDP) {
			snprintf(err, errlen, "%s: tier %s cannot be had: %s", name_of(fn),
				 xfn_tier_name(forced), sup->mode_reason);
			return -EOPNOTSUPP;
		}
		why(fn, XFN_TIER_SOCKET, "no_xdp",
		    forced == XFN_TIER_SOCKET ? by : sup->mode_reason);
		return 0;
	}
	if (forced == XFN_TIER_SOCKET || forced == XFN_TIER_AFXDP) {
		why(fn, forced, "forced", by);
		return 0;
	}
	if (!fn->mod->bpf || meta->tier != XFN_TIER_XDP) {
		why(fn, XFN_TIER_AFXDP, meta->rule, meta->reason);
	} else {
		ret = put(sup, fn, err, errlen);
		if (ret)
			return ret;
	}
	if (forced == XFN_TIER_XDP && fn->tier != XFN_TIER_XDP) {
		snprintf(err, errlen, "%s: cannot run in tier xdp: %s; leave --tier out",
			 name_of(fn), fn->reason);
		return -EOPNOTSUPP;
	}
	return 0;
}

int xfn_deploy__tiers(struct xfn_supervisor *sup, char *err, size_t errlen)
{
	for (unsigned i = 0; i < sup->function_count; i++) {
		struct xfn_deployed *fn = &sup->functions[i];
		int ret = decide(sup, fn, err, errlen);

		if (!ret && fn->mod->attr.fallback == XFN_FALLBACK_HOST &&
		    fn->tier != XFN_TIER_XDP) {
			snprintf(
				err, errlen,
				"%s: leaves requests to the host's server, as only tier xdp can, but %.300s; "
				"run it on an interface with XDP",
				name_of(fn), fn->reason);
			ret = -EOPNOTSUPP;
		}
		if (ret)
			return ret;
	}
	return 0;
}

bool xfn_deploy__wants_frames(const struct xfn_supervisor *sup)
{
	/* One that grows may find no room in a frame: then its worker answers that request. */
	for (unsigned i = 0; i < sup->function_count; i++)
		if (sup->functions[i].tier == XFN_TIER_AFXDP ||
		    (sup->functions[i].tier == XFN_TIER_XDP && sup->functions[i].mod->attr.grow))
			return true;
	return false;
}

bool xfn_deploy__wants_sockets(const struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->function_count; i++)
		if (sup->functions[i].tier == XFN_TIER_SOCKET)
			return true;
	return false;
}

void xfn_deploy__to_sockets(struct xfn_supervisor *sup, const char *reason)
{
	for (unsigned i = 0; i < sup->function_count; i++)
		if (sup->functions[i].tier == XFN_TIER_AFXDP)
			why(&sup->functions[i], XFN_TIER_SOCKET, "no_afxdp", reason);
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
	ret = slow ? xfn_loader__filter(sup->loader, fd, err, errlen) : 0;
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
	uint16_t port = fn->addr.port;
	int ret = n ? 0 : -EINVAL;

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

int xfn_deploy__listen(struct xfn_supervisor *sup, char *err, size_t errlen)
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

int xfn_deploy__share(struct xfn_supervisor *sup, char *err, size_t errlen)
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

int xfn_deploy__targets(const struct xfn_supervisor *sup, struct xfn_packet_target **out)
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

static bool is_slow(const struct xfn_deployed *fn)
{
	return fn->tier != XFN_TIER_SOCKET && fn->mod->attr.fallback == XFN_FALLBACK_SELF;
}

bool xfn_deploy__wants_slow(const struct xfn_supervisor *sup)
{
	for (unsigned i = 0; sup->loader && i < sup->function_count; i++)
		if (is_slow(&sup->functions[i]))
			return true;
	return false;
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

void xfn_deploy__listen_slow(struct xfn_supervisor *sup)
{
	sup->devices_changed = false;
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
			if (is_slow(&sup->functions[slot]) && !listens(sup, slot, device->ifindex))
				listen_on_device(sup, slot, device);
	}
}

int xfn_deploy__bind(struct xfn_supervisor *sup, char *err, size_t errlen)
{
	for (unsigned i = 0; i < sup->function_count; i++) {
		const struct xfn_deployed *fn = &sup->functions[i];
		int ret = 0;

		/* A socket's port is left to the stack. */
		if (sup->loader && fn->tier != XFN_TIER_SOCKET)
			ret = xfn_loader__bind(sup->loader, fn->any ? NULL : fn->addr.ip,
					       fn->addr.port, i, fn->tier, err, errlen);
		if (ret)
			return ret;
	}
	return 0;
}

void xfn_deploy__close(struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->listener_count; i++)
		close(sup->listeners[i].fd);
	for (unsigned i = 0; i < sup->function_count; i++)
		if (sup->functions[i].mod)
			xfn_module__close(sup->functions[i].mod);
	free(sup->listeners);
	free(sup->functions);
	free(sup->served);
	free(sup->devices);
	sup->listeners = NULL;
	sup->functions = NULL;
	sup->listener_count = sup->function_count = 0;
}
