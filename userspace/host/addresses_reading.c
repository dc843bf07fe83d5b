// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One reading of the host's links and addresses by rtnetlink(7). Must never know which are served. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include "addresses_reading.h"

#define READS 16 /* of what keeps changing, until it is given up */

void *xfn_reading__more(struct xfn_reading *r, void *array, unsigned *count, size_t size)
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

static void on_vlan(const struct nlattr *info, struct xfn_link *link)
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
	struct xfn_reading *r = data;
	struct xfn_link *link = xfn_reading__more(r, &r->links, &r->link_count, sizeof(*link));
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

static void add_own(struct xfn_reading *r, const uint8_t ip[16])
{
	uint8_t(*own)[16] = xfn_reading__more(r, &r->own, &r->own_count, sizeof(*own));

	if (own)
		memcpy(own, ip, sizeof(*own));
}

/* The broadcast address of its subnet: as it was set, and as the mask makes it (RFC 919). */
static void add_broadcasts(struct xfn_reading *r, const struct ifaddrmsg *msg, const uint8_t ip[16],
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
	struct xfn_reading *r = data;

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
	found = xfn_reading__more(r, &r->all, &r->all_count, sizeof(*found));
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

static int dump(uint16_t type, mnl_cb_t on_message, struct xfn_reading *r)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char buf[XFN_READING_MESSAGE];
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

void xfn_reading__free(struct xfn_reading *r)
{
	free(r->links);
	free(r->all);
	free(r->devices);
	free(r->served);
	free(r->own);
	free(r->macs);
	memset(r, 0, sizeof(*r));
}

int xfn_reading__read(struct xfn_reading *r)
{
	int ret = -EINTR;

	/* it changed while it was read (NLM_F_DUMP_INTR) */
	for (int i = 0; i < READS && ret == -EINTR; i++) {
		xfn_reading__free(r);
		ret = dump(RTM_GETLINK, on_link, r);
		ret = ret ?: dump(RTM_GETADDR, on_address, r);
	}
	return ret;
}
