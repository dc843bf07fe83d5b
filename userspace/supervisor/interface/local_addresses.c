// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Addresses and devices of the interface as they are now: in the dispatcher, and for slow sockets.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include "../../../skel/error.h"
#include "../../host/clock.h"
#include "../../host/ip.h"
#include "../../host/log.h"
#include "../../host/now.h"
#include "../supervisor_inside.h"

#define REREAD_MS 1000

static void on_address(void *ctx, const struct xfn_local_address *served, bool added)
{
	struct xfn_supervisor *sup = ctx;
	int ret = 0;

	sup->addresses_changed = true;
	if (sup->loader)
		ret = added ? xfn_loader__address_add(sup->loader, served->ip, served->tag) :
			      xfn_loader__address_del(sup->loader, served->ip, served->tag);
	if (ret && added)
		xfn_log__line(LOG_WARNING, "an address is not served (%s); at most %u are",
			      strerror(-ret), XFN_ADDRESSES);
	xfn_offload_device__address_changed(sup);
}

static void on_device(void *ctx, const struct xfn_addresses_device *device, bool added)
{
	struct xfn_supervisor *sup = ctx;

	sup->devices_changed = true;
	if (added && device->tag[0] && sup->iface.vlan_offload)
		xfn_log__line(
			LOG_NOTICE,
			"%s takes VLAN tags off before XDP sees them, so requests to %s go the "
			"slow path; `ethtool -K %s rxvlan off` mends that",
			sup->iface.name, device->name, sup->iface.name);
}

/* What is read is kept where it was read: there is no second copy that might not fit. */
static int look(struct xfn_supervisor *sup, int ret)
{
	struct xfn_addresses_now now = xfn_addresses__now(sup->addresses);

	sup->local = now.served;
	sup->local_count = now.served_count;
	sup->devices = now.devices;
	sup->device_count = now.device_count;
	if (ret < 0 && !sup->unread_at_ns)
		xfn_log__line(LOG_WARNING,
			      "cannot read addresses again: %s; it is tried again, and those of "
			      "before are served meanwhile",
			      strerror(-ret));
	sup->unread_at_ns = ret < 0 ? xfn_now_ns() + REREAD_MS * 1000000ull : 0;
	return ret;
}

int xfn_local_addresses__read(struct xfn_supervisor *sup)
{
	return look(sup, xfn_addresses__serve(sup->addresses));
}

void xfn_local_addresses__follow(struct xfn_supervisor *sup, unsigned ifindex)
{
	look(sup, xfn_addresses__follow(sup->addresses, ifindex));
}

/* Who this host is: MACs that frames are sent to, addresses that send it no requests. */
static void update_loader(void *ctx)
{
	struct xfn_supervisor *sup = ctx;
	const uint8_t(*ips)[16], (*macs)[6];
	unsigned count;
	int ret;

	if (sup->ring_mtu) /* whose filter has them too */
		sup->devices_changed = true;
	xfn_socket_guard__host(sup);
	if (!sup->loader)
		return;
	count = xfn_addresses__macs(sup->addresses, &macs);
	ret = xfn_loader__macs(sup->loader, macs, count);
	if (count > XFN_MACS)
		xfn_log__line(
			LOG_NOTICE,
			"%s and what stands on it have %u MACs: requests to all but the first "
			"%u take the slow path",
			sup->iface.name, count, XFN_MACS);
	count = xfn_addresses__own(sup->addresses, &ips);
	ret = ret ?: xfn_loader__own(sup->loader, ips, count);
	if (ret)
		xfn_log__line(LOG_WARNING,
			      "not all of %u addresses of this host are refused as source (%s); at "
			      "most %u are",
			      count, strerror(-ret), XFN_OWN);
}

int xfn_local_addresses__open(struct xfn_supervisor *sup, struct xfn_error *err)
{
	const struct xfn_addresses_listener listener = { sup, on_device, on_address,
							 update_loader };
	unsigned count = sup->opts->address_count;
	uint8_t only[count ?: 1][16];
	int ret;

	for (unsigned i = 0; i < count; i++)
		if (xfn_ip__parse(sup->opts->address[i], only[i]))
			return xfn_fail(err, -EINVAL, "--address %s: no IP address",
					sup->opts->address[i]);
	ret = xfn_addresses__open(sup->iface.index, only, count, &listener, &sup->addresses, err);
	return ret ?: look(sup, 0);
}

static bool is_served(const struct xfn_supervisor *sup, const struct xfn_deployed *fn)
{
	for (unsigned i = 0; i < sup->local_count; i++)
		if (xfn_deploy__covers(fn, sup->local[i].ip))
			return true;
	return false;
}

void xfn_local_addresses__log_unasked(const struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->function_count; i++) {
		const struct xfn_deployed *fn = &sup->functions[i];
		char at[64] = "";

		/* without --address one that a socket cannot have is an error */
		if (is_served(sup, fn) ||
		    (fn->tier == XFN_TIER_SOCKET && !sup->opts->address_count))
			continue;
		xfn_udp_socket__text(&fn->addr, at, sizeof(at));
		*strrchr(at, ':') = 0;
		xfn_log__line(LOG_WARNING,
			      "%s gets no request: %s served on %s; `ip addr` lists its "
			      "addresses, --address names what is served instead",
			      fn->mod->attr.name,
			      !fn->any	       ? strcat(at, " is not") :
			      fn->version == 4 ? "no IPv4 address is" :
			      fn->version == 6 ? "no IPv6 address is" :
						 "no address is",
			      sup->iface.name);
	}
}

void xfn_local_addresses__set_runtime(struct xfn_supervisor *sup)
{
	struct xfn_runtime runtime = { .tai_offset_ns = xfn_clock__tai_offset_ns(),
				       .mtu = sup->iface.mtu };

	/* all or none: one kernel made them alike */
	for (unsigned i = 0; i < sup->worker_count; i++)
		runtime.multi_buffer |= sup->workers[i].umem.longest != 0;

	if (sup->loader && xfn_loader__set_runtime(sup->loader, &runtime))
		xfn_log__line(LOG_WARNING, "cannot tell the programs clock and MTU");
}

void xfn_local_addresses__load(struct xfn_supervisor *sup)
{
	for (unsigned i = 0; sup->loader && i < sup->local_count; i++)
		xfn_loader__address_add(sup->loader, sup->local[i].ip, sup->local[i].tag);
	if (sup->loader)
		update_loader(sup);
}
