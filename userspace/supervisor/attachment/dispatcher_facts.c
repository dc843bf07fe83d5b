// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the dispatcher has to know of this host: served addresses, MACs, sources, clock and MTU. */
#include <string.h>
#include <syslog.h>
#include "../../host/clock.h"
#include "../../host/log.h"
#include "attachment.h"

void xfn_attachment__address_changed(const struct xfn_attachment *att,
				     const struct xfn_local_address *local, bool added)
{
	int ret = 0;

	if (att->loader)
		ret = added ? xfn_loader__address_add(att->loader, local->ip, local->tag) :
			      xfn_loader__address_del(att->loader, local->ip, local->tag);
	if (ret && added)
		xfn_log__line(LOG_WARNING, "an address is not served (%s); at most %u are",
			      strerror(-ret), XFN_ADDRESSES);
	/* the card's addresses are compiled into its program, and stay */
	if (att->device)
		xfn_log__line(LOG_WARNING,
			      "%s: an address changed; the card goes on with those of its start: "
			      "start `xfn run` again",
			      att->interface->iface.name);
}

/* Who this host is: MACs that frames are sent to, addresses that send it no requests. */
void xfn_attachment__host_changed(const struct xfn_attachment *att)
{
	const struct xfn_interface_state *interface = att->interface;
	const uint8_t(*ips)[16], (*macs)[6];
	unsigned count;
	int ret;

	if (!att->loader)
		return;
	count = xfn_addresses__macs(interface->addresses, &macs);
	ret = xfn_loader__macs(att->loader, macs, count);
	if (count > XFN_MACS)
		xfn_log__line(
			LOG_NOTICE,
			"%s and what stands on it have %u MACs: requests to all but the first "
			"%u take the slow path",
			interface->iface.name, count, XFN_MACS);
	count = xfn_addresses__own(interface->addresses, &ips);
	ret = ret ?: xfn_loader__own(att->loader, ips, count);
	if (ret)
		xfn_log__line(LOG_WARNING,
			      "not all of %u addresses of this host are refused as source (%s); at "
			      "most %u are",
			      count, strerror(-ret), XFN_OWN);
}

void xfn_attachment__load_addresses(const struct xfn_attachment *att)
{
	const struct xfn_interface_state *interface = att->interface;

	for (unsigned i = 0; att->loader && i < interface->local_count; i++)
		xfn_loader__address_add(att->loader, interface->local[i].ip,
					interface->local[i].tag);
	if (att->loader)
		xfn_attachment__host_changed(att);
}

void xfn_attachment__set_runtime(const struct xfn_attachment *att, bool multi_buffer)
{
	struct xfn_runtime runtime = { .tai_offset_ns = xfn_clock__tai_offset_ns(),
				       .mtu = att->interface->iface.mtu,
				       .multi_buffer = multi_buffer };

	if (att->loader && xfn_loader__set_runtime(att->loader, &runtime))
		xfn_log__line(LOG_WARNING, "cannot tell the programs clock and MTU");
}
