// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What an interface serves, now and as it changes. After any event links and addresses are read
 * anew and compared with what was told: changes are rare, and so none can be missed. Must never
 * know who wants them. rtnetlink(7).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include "../../skel/error.h"
#include "addresses.h"
#include "addresses_reading.h"
#include "ip.h"

struct xfn_addresses {
	struct mnl_socket *events;
	unsigned ifindex; /* 0: none is followed */
	bool removed;	  /* an event told so */
	uint8_t (*only)[16];
	unsigned only_count;
	struct xfn_addresses_listener listener;
	struct xfn_reading told; /* what the listener was told last */
};

static bool add_device(struct xfn_reading *r, const struct xfn_link *link,
		       const uint16_t tag[XFN_TAGS])
{
	struct xfn_addresses_device *device;

	for (unsigned i = 0; i < r->device_count; i++)
		if (r->devices[i].ifindex == link->ifindex)
			return false;
	device = xfn_reading__more(r, &r->devices, &r->device_count, sizeof(*device));
	if (!device)
		return false;
	device->ifindex = link->ifindex;
	memcpy(device->tag, tag, sizeof(device->tag));
	memcpy(device->name, link->name, sizeof(device->name));
	return true;
}

/* The interface, and whatever stands on top of it, found link by link until nothing is new. */
static void find_devices(struct xfn_reading *r, unsigned ifindex)
{
	static const uint16_t untagged[XFN_TAGS];
	bool found = true;

	for (unsigned i = 0; i < r->link_count; i++)
		if (r->links[i].ifindex == ifindex)
			add_device(r, &r->links[i], untagged);
	while (found && !r->failed) {
		found = false;
		for (unsigned d = 0; d < r->device_count; d++) {
			struct xfn_addresses_device below = r->devices[d];

			for (unsigned i = 0; i < r->link_count; i++) {
				const struct xfn_link *link = &r->links[i];
				uint16_t tag[XFN_TAGS];

				memcpy(tag, below.tag, sizeof(tag));
				if (link->ifindex == below.ifindex) {
					/* its bridge or bond: the same frames */
					for (unsigned m = 0; link->master && m < r->link_count; m++)
						if (r->links[m].ifindex == link->master)
							found |= add_device(r, &r->links[m], tag);
				} else if (link->parent == below.ifindex && !tag[XFN_TAGS - 1]) {
					tag[tag[0] ? 1 : 0] = link->vlan;
					found |= add_device(r, link, tag);
				}
			}
		}
	}
}

static void add_served(struct xfn_reading *r, const uint8_t ip[16],
		       const struct xfn_addresses_device *device, bool elsewhere)
{
	struct xfn_local_address *served;

	for (unsigned i = 0; i < r->served_count; i++)
		if (!memcmp(r->served[i].ip, ip, 16) &&
		    !memcmp(r->served[i].tag, device->tag, sizeof(device->tag))) {
			r->served[i].elsewhere &= elsewhere;
			return;
		}
	served = xfn_reading__more(r, &r->served, &r->served_count, sizeof(*served));
	if (!served)
		return;
	memcpy(served->ip, ip, 16);
	memcpy(served->tag, device->tag, sizeof(served->tag));
	served->ifindex = device->ifindex;
	served->elsewhere = elsewhere;
}

static void find_served(struct xfn_reading *r, const struct xfn_addresses *addrs)
{
	for (unsigned d = 0; d < r->device_count; d++) {
		for (unsigned i = 0; i < addrs->only_count; i++)
			add_served(r, addrs->only[i], &r->devices[d], true);
		for (unsigned i = 0; !addrs->only_count && i < r->all_count; i++) {
			const struct xfn_local_address *one = &r->all[i];
			bool anycast = false;

			for (unsigned l = 0; l < r->link_count; l++)
				if (r->links[l].ifindex == one->ifindex)
					anycast = r->links[l].loopback &&
						  !xfn_ip__is_loopback(one->ip);
			if (anycast || one->ifindex == r->devices[d].ifindex)
				add_served(r, one->ip, &r->devices[d], anycast);
		}
	}
}

static void find_macs(struct xfn_reading *r)
{
	for (unsigned d = 0; d < r->device_count; d++)
		for (unsigned i = 0; i < r->link_count; i++) {
			const struct xfn_link *link = &r->links[i];
			uint8_t(*mac)[6];
			bool known = false;

			if (link->ifindex != r->devices[d].ifindex || !link->has_mac)
				continue;
			for (unsigned m = 0; m < r->mac_count; m++)
				known |= !memcmp(r->macs[m], link->mac, sizeof(link->mac));
			if (known)
				continue;
			mac = xfn_reading__more(r, &r->macs, &r->mac_count, sizeof(*mac));
			if (mac)
				memcpy(mac, link->mac, sizeof(*mac));
		}
}

static bool same_host(const struct xfn_reading *a, const struct xfn_reading *b)
{
	return a->own_count == b->own_count && a->mac_count == b->mac_count &&
	       (!a->own_count || !memcmp(a->own, b->own, a->own_count * sizeof(*a->own))) &&
	       (!a->mac_count || !memcmp(a->macs, b->macs, a->mac_count * sizeof(*a->macs)));
}

static bool has_device(const struct xfn_reading *r, const struct xfn_addresses_device *device)
{
	for (unsigned i = 0; i < r->device_count; i++)
		if (r->devices[i].ifindex == device->ifindex &&
		    !memcmp(r->devices[i].tag, device->tag, sizeof(device->tag)))
			return true;
	return false;
}

static bool has_served(const struct xfn_reading *r, const struct xfn_local_address *served)
{
	for (unsigned i = 0; i < r->served_count; i++)
		if (!memcmp(r->served[i].ip, served->ip, 16) &&
		    !memcmp(r->served[i].tag, served->tag, sizeof(served->tag)))
			return true;
	return false;
}

static void tell(const struct xfn_addresses *addrs, const struct xfn_reading *was,
		 const struct xfn_reading *is)
{
	const struct xfn_addresses_listener *to = &addrs->listener;

	for (unsigned i = 0; i < was->served_count; i++)
		if (!has_served(is, &was->served[i]))
			to->address(to->ctx, &was->served[i], false);
	for (unsigned i = 0; i < was->device_count; i++)
		if (!has_device(is, &was->devices[i]))
			to->device(to->ctx, &was->devices[i], false);
	for (unsigned i = 0; i < is->device_count; i++)
		if (!has_device(was, &is->devices[i]))
			to->device(to->ctx, &is->devices[i], true);
	for (unsigned i = 0; i < is->served_count; i++)
		if (!has_served(was, &is->served[i]))
			to->address(to->ctx, &is->served[i], true);
}

static int read_all(struct xfn_addresses *addrs)
{
	struct xfn_reading now = {};
	bool changed;
	int ret;

	ret = xfn_reading__read(&now);
	if (!ret) {
		find_devices(&now, addrs->ifindex);
		find_served(&now, addrs);
		find_macs(&now);
	}
	if (!ret && now.failed)
		ret = -ENOMEM;
	if (ret) {
		xfn_reading__free(&now);
		return ret;
	}
	tell(addrs, &addrs->told, &now);
	changed = !same_host(&addrs->told, &now);
	xfn_reading__free(&addrs->told);
	addrs->told = now;
	if (changed && addrs->listener.host)
		addrs->listener.host(addrs->listener.ctx);
	return 0;
}

int xfn_addresses__open(unsigned ifindex, const uint8_t (*only)[16], unsigned only_count,
			const struct xfn_addresses_listener *listener, struct xfn_addresses **out,
			struct xfn_error *err)
{
	struct xfn_addresses *addrs = calloc(1, sizeof(*addrs));
	int ret = -ENOMEM;

	if (!addrs)
		goto fail;
	addrs->ifindex = ifindex;
	addrs->listener = *listener;
	addrs->only = calloc(only_count ?: 1, sizeof(*addrs->only));
	if (!addrs->only)
		goto fail;
	if (only_count)
		memcpy(addrs->only, only, only_count * sizeof(*only));
	addrs->only_count = only_count;
	/* Events first, so that none falls between the reading and them. */
	addrs->events = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!addrs->events ||
	    mnl_socket_bind(addrs->events, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
			    MNL_SOCKET_AUTOPID))
		ret = -errno;
	else
		ret = read_all(addrs);
	if (ret)
		goto fail;
	*out = addrs;
	return 0;
fail:
	xfn_error__set(err, "cannot read the interface's addresses: %s", strerror(-ret));
	xfn_addresses__close(addrs);
	return ret;
}

struct xfn_addresses_now xfn_addresses__now(const struct xfn_addresses *addrs)
{
	return (struct xfn_addresses_now){ .devices = addrs->told.devices,
					   .device_count = addrs->told.device_count,
					   .served = addrs->told.served,
					   .served_count = addrs->told.served_count };
}

int xfn_addresses__fd(const struct xfn_addresses *addrs)
{
	return mnl_socket_get_fd(addrs->events);
}

/* A port that leaves its bridge is told the same way, in the bridge's family. */
static int on_event(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *msg = mnl_nlmsg_get_payload(nlh);
	struct xfn_addresses *addrs = data;

	if (nlh->nlmsg_type == RTM_DELLINK && msg->ifi_family == AF_UNSPEC &&
	    (unsigned)msg->ifi_index == addrs->ifindex)
		addrs->removed = true;
	return MNL_CB_OK;
}

int xfn_addresses__serve(struct xfn_addresses *addrs)
{
	char buf[XFN_READING_MESSAGE];
	ssize_t n;
	int ret;

	/* Else what happened does not matter (nor does what was lost: ENOBUFS), only that it did.
	 */
	while ((n = mnl_socket_recvfrom(addrs->events, buf, sizeof(buf))) > 0 || errno == ENOBUFS)
		if (n > 0)
			mnl_cb_run(buf, (size_t)n, 0, 0, on_event, addrs);
	ret = read_all(addrs);
	if (ret || !addrs->removed)
		return ret;
	addrs->removed = false;
	return 1;
}

int xfn_addresses__follow(struct xfn_addresses *addrs, unsigned ifindex)
{
	addrs->ifindex = ifindex;
	addrs->removed = false;
	return read_all(addrs);
}

unsigned xfn_addresses__own(const struct xfn_addresses *addrs, const uint8_t (**ips)[16])
{
	*ips = (const uint8_t(*)[16])addrs->told.own;
	return addrs->told.own_count;
}

unsigned xfn_addresses__macs(const struct xfn_addresses *addrs, const uint8_t (**macs)[6])
{
	*macs = (const uint8_t(*)[6])addrs->told.macs;
	return addrs->told.mac_count;
}

void xfn_addresses__close(struct xfn_addresses *addrs)
{
	if (!addrs)
		return;
	if (addrs->events)
		mnl_socket_close(addrs->events);
	xfn_reading__free(&addrs->told);
	free(addrs->only);
	free(addrs);
}
