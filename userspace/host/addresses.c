// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What an interface serves, now and as it changes. After any event links and addresses are read
 * anew and compared with what was told: changes are rare, and so none can be missed. Must never
 * know who wants them. rtnetlink(7).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include "../../skel/error.h"
#include "addresses.h"
#include "ip.h"

#define READS	    16	  /* of what keeps changing, until it is given up */
#define MESSAGE_MAX 32768 /* what the kernel fills at most in one read of a dump */

struct link {
	unsigned ifindex;
	unsigned parent; /* IFLA_LINK of a VLAN, else 0 */
	unsigned master; /* bridge or bond that it is a port of, else 0 */
	uint16_t vlan;	 /* its id, where parent is set */
	bool loopback;
	bool has_mac;
	uint8_t mac[6];
	char name[IF_NAMESIZE];
};

/* What one reading found. */
struct reading {
	struct link *links;
	unsigned link_count;
	struct xfn_local_address *all; /* every address of the host; .tag unset */
	unsigned all_count;
	struct xfn_addresses_device *devices;
	unsigned device_count;
	struct xfn_local_address *served;
	unsigned served_count;
	uint8_t (*own)[16]; /* no request's source */
	unsigned own_count;
	uint8_t (*macs)[6]; /* of the devices */
	unsigned mac_count;
	bool failed; /* out of memory */
};

struct xfn_addresses {
	struct mnl_socket *events;
	unsigned ifindex; /* 0: none is followed */
	bool removed;	  /* an event told so */
	uint8_t (*only)[16];
	unsigned only_count;
	struct xfn_addresses_listener listener;
	struct reading told; /* without .links and .all */
};

/* One more element at the end of a growing array, zeroed; NULL: out of memory, and the reading has failed. */
static void *more(struct reading *r, void *array, unsigned *count, size_t size)
{
	void **base = array;
	char *bytes = reallocarray(*base, *count + 1, size);

	if (!bytes) {
		r->failed = true;
		return NULL;
	}
	*base = bytes;
	bytes += size * (*count)++;
	memset(bytes, 0, size);
	return bytes;
}

static void on_vlan(const struct nlattr *info, struct link *link)
{
	const struct nlattr *attr, *data = NULL;
	bool vlan = false;

	mnl_attr_for_each_nested(attr, info)
	{
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			vlan = !strcmp(mnl_attr_get_str(attr), "vlan");
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (!vlan || !data)
		return;
	mnl_attr_for_each_nested(attr, data)
	{
		if (mnl_attr_get_type(attr) == IFLA_VLAN_ID)
			link->vlan = mnl_attr_get_u16(attr);
	}
}

static int on_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *msg = mnl_nlmsg_get_payload(nlh);
	struct reading *r = data;
	struct link *link = more(r, &r->links, &r->link_count, sizeof(*link));
	const struct nlattr *attr;

	if (!link)
		return MNL_CB_STOP;
	link->ifindex = (unsigned)msg->ifi_index;
	link->loopback = msg->ifi_flags & IFF_LOOPBACK;
	mnl_attr_for_each(attr, nlh, sizeof(*msg))
	{
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attr));
			break;
		case IFLA_LINK:
			link->parent = mnl_attr_get_u32(attr);
			break;
		case IFLA_MASTER:
			link->master = mnl_attr_get_u32(attr);
			break;
		case IFLA_ADDRESS:
			link->has_mac = mnl_attr_get_payload_len(attr) == sizeof(link->mac);
			if (link->has_mac)
				memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
			break;
		case IFLA_LINKINFO:
			on_vlan(attr, link);
			break;
		}
	}
	if (!link->vlan) /* of a veth it is the peer */
		link->parent = 0;
	return MNL_CB_OK;
}

static void add_own(struct reading *r, const uint8_t ip[16])
{
	uint8_t(*own)[16] = more(r, &r->own, &r->own_count, sizeof(*own));

	if (own)
		memcpy(own, ip, sizeof(*own));
}

/* The broadcast address of its subnet: as it was set, and as the mask makes it (RFC 919). */
static void add_broadcasts(struct reading *r, const struct ifaddrmsg *msg, const uint8_t ip[16],
			   const struct nlattr *set)
{
	uint8_t all[16];

	memcpy(all, ip, sizeof(all));
	if (set && mnl_attr_get_payload_len(set) == 4) {
		memcpy(all + 12, mnl_attr_get_payload(set), 4);
		add_own(r, all);
	}
	if (msg->ifa_prefixlen > 30) /* RFC 3021 */
		return;
	memcpy(all, ip, sizeof(all));
	for (unsigned bit = msg->ifa_prefixlen; bit < 32; bit++)
		all[12 + bit / 8] |= 0x80 >> bit % 8;
	add_own(r, all);
}

static int on_address(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *address = NULL, *local = NULL, *broadcast = NULL;
	size_t len = msg->ifa_family == AF_INET ? 4 : 16;
	struct xfn_local_address *found;
	struct reading *r = data;

	mnl_attr_for_each(attr, nlh, sizeof(*msg))
	{
		if (mnl_attr_get_type(attr) == IFA_LOCAL)
			local = attr;
		else if (mnl_attr_get_type(attr) == IFA_ADDRESS)
			address = attr;
		else if (mnl_attr_get_type(attr) == IFA_BROADCAST)
			broadcast = attr;
	}
	/* On a point-to-point link IFA_ADDRESS is the peer's and IFA_LOCAL ours. */
	address = local ?: address;
	if (!address || mnl_attr_get_payload_len(address) != len)
		return MNL_CB_OK;
	found = more(r, &r->all, &r->all_count, sizeof(*found));
	if (!found)
		return MNL_CB_STOP;
	found->ifindex = msg->ifa_index;
	if (len == 4)
		found->ip[10] = found->ip[11] = 0xff;
	memcpy(found->ip + 16 - len, mnl_attr_get_payload(address), len);
	add_own(r, found->ip);
	if (len == 4)
		add_broadcasts(r, msg, found->ip, broadcast);
	return MNL_CB_OK;
}

static int dump(uint16_t type, mnl_cb_t on_message, struct reading *r)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char buf[MESSAGE_MAX];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	ssize_t n = -1;

	if (!sock)
		return -errno;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = 1;
	/* both headers begin with the family, AF_UNSPEC: 0 */
	mnl_nlmsg_put_extra_header(nlh, type == RTM_GETLINK ? sizeof(struct ifinfomsg) :
							      sizeof(struct ifaddrmsg));
	if (!mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) &&
	    mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) > 0)
		while ((n = mnl_socket_recvfrom(sock, buf, sizeof(buf))) > 0)
			if ((n = mnl_cb_run(buf, n, 1, mnl_socket_get_portid(sock), on_message,
					    r)) <= MNL_CB_STOP)
				break;
	if (n < 0)
		n = -errno;
	mnl_socket_close(sock);
	return n < 0 ? (int)n : r->failed ? -ENOMEM : 0;
}

static void free_reading(struct reading *r)
{
	free(r->links);
	free(r->all);
	free(r->devices);
	free(r->served);
	free(r->own);
	free(r->macs);
	memset(r, 0, sizeof(*r));
}

static bool add_device(struct reading *r, const struct link *link, const uint16_t tag[XFN_TAGS])
{
	struct xfn_addresses_device *device;

	for (unsigned i = 0; i < r->device_count; i++)
		if (r->devices[i].ifindex == link->ifindex)
			return false;
	device = more(r, &r->devices, &r->device_count, sizeof(*device));
	if (!device)
		return false;
	device->ifindex = link->ifindex;
	memcpy(device->tag, tag, sizeof(device->tag));
	memcpy(device->name, link->name, sizeof(device->name));
	return true;
}

/* The interface, and whatever stands on top of it, found link by link until nothing is new. */
static void find_devices(struct reading *r, unsigned ifindex)
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
				const struct link *link = &r->links[i];
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

static void add_served(struct reading *r, const uint8_t ip[16],
		       const struct xfn_addresses_device *device, bool elsewhere)
{
	struct xfn_local_address *served;

	for (unsigned i = 0; i < r->served_count; i++)
		if (!memcmp(r->served[i].ip, ip, 16) &&
		    !memcmp(r->served[i].tag, device->tag, sizeof(device->tag))) {
			r->served[i].elsewhere &= elsewhere;
			return;
		}
	served = more(r, &r->served, &r->served_count, sizeof(*served));
	if (!served)
		return;
	memcpy(served->ip, ip, 16);
	memcpy(served->tag, device->tag, sizeof(served->tag));
	served->ifindex = device->ifindex;
	served->elsewhere = elsewhere;
}

static void find_served(struct reading *r, const struct xfn_addresses *addrs)
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

static void find_macs(struct reading *r)
{
	for (unsigned d = 0; d < r->device_count; d++)
		for (unsigned i = 0; i < r->link_count; i++) {
			const struct link *link = &r->links[i];
			uint8_t(*mac)[6];
			bool known = false;

			if (link->ifindex != r->devices[d].ifindex || !link->has_mac)
				continue;
			for (unsigned m = 0; m < r->mac_count; m++)
				known |= !memcmp(r->macs[m], link->mac, sizeof(link->mac));
			if (known)
				continue;
			mac = more(r, &r->macs, &r->mac_count, sizeof(*mac));
			if (mac)
				memcpy(mac, link->mac, sizeof(*mac));
		}
}

static bool same_host(const struct reading *a, const struct reading *b)
{
	return a->own_count == b->own_count && a->mac_count == b->mac_count &&
	       (!a->own_count || !memcmp(a->own, b->own, a->own_count * sizeof(*a->own))) &&
	       (!a->mac_count || !memcmp(a->macs, b->macs, a->mac_count * sizeof(*a->macs)));
}

static bool has_device(const struct reading *r, const struct xfn_addresses_device *device)
{
	for (unsigned i = 0; i < r->device_count; i++)
		if (r->devices[i].ifindex == device->ifindex &&
		    !memcmp(r->devices[i].tag, device->tag, sizeof(device->tag)))
			return true;
	return false;
}

static bool has_served(const struct reading *r, const struct xfn_local_address *served)
{
	for (unsigned i = 0; i < r->served_count; i++)
		if (!memcmp(r->served[i].ip, served->ip, 16) &&
		    !memcmp(r->served[i].tag, served->tag, sizeof(served->tag)))
			return true;
	return false;
}

static void tell(const struct xfn_addresses *addrs, const struct reading *was,
		 const struct reading *is)
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
	struct reading now = {};
	int ret = -EINTR;
	bool changed;

	/* it changed while it was read (NLM_F_DUMP_INTR) */
	for (int i = 0; i < READS && ret == -EINTR; i++) {
		free_reading(&now);
		ret = dump(RTM_GETLINK, on_link, &now);
		ret = ret ?: dump(RTM_GETADDR, on_address, &now);
	}
	if (!ret) {
		find_devices(&now, addrs->ifindex);
		find_served(&now, addrs);
		find_macs(&now);
	}
	if (!ret && now.failed)
		ret = -ENOMEM;
	if (ret) {
		free_reading(&now);
		return ret;
	}
	tell(addrs, &addrs->told, &now);
	changed = !same_host(&addrs->told, &now);
	free_reading(&addrs->told);
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
	char buf[MESSAGE_MAX];
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
	free_reading(&addrs->told);
	free(addrs->only);
	free(addrs);
}
