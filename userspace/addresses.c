// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Addresses of one interface, now and as they change (rtnetlink). Must never know who wants them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include "addresses.h"

#define MESSAGE_MAX 32768 /* what the kernel fills at most in one read of a dump */

struct xfn_addresses {
	struct mnl_socket *events;
	unsigned ifindex;
	xfn_addresses_change change;
	void *ctx;
};

static int on_message(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct xfn_addresses *addrs = data;
	const struct nlattr *attr, *address = NULL, *local = NULL;
	uint8_t ip[16] = { [10] = 0xff, 0xff };
	size_t len;

	if ((nlh->nlmsg_type != RTM_NEWADDR && nlh->nlmsg_type != RTM_DELADDR) ||
	    msg->ifa_index != addrs->ifindex)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*msg))
	{
		if (mnl_attr_get_type(attr) == IFA_LOCAL)
			local = attr;
		else if (mnl_attr_get_type(attr) == IFA_ADDRESS)
			address = attr;
	}
	/* On a point-to-point link IFA_ADDRESS is the peer's and IFA_LOCAL ours. */
	address = local ?: address;
	len = msg->ifa_family == AF_INET ? 4 : 16;
	if (!address || mnl_attr_get_payload_len(address) != len)
		return MNL_CB_OK;
	memcpy(ip + 16 - len, mnl_attr_get_payload(address), len);
	addrs->change(addrs->ctx, ip, nlh->nlmsg_type == RTM_NEWADDR);
	return MNL_CB_OK;
}

/* Every address the interface has now. */
static int dump(struct xfn_addresses *addrs)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char buf[MESSAGE_MAX];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *msg;
	ssize_t n = -1;

	if (!sock)
		return -errno;
	nlh->nlmsg_type = RTM_GETADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = 1;
	msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));
	msg->ifa_family = AF_UNSPEC;
	if (!mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) &&
	    mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) > 0)
		while ((n = mnl_socket_recvfrom(sock, buf, sizeof(buf))) > 0)
			if ((n = mnl_cb_run(buf, n, 1, mnl_socket_get_portid(sock), on_message,
					    addrs)) <= MNL_CB_STOP)
				break;
	if (n < 0)
		n = -errno;
	mnl_socket_close(sock);
	return n < 0 ? n : 0;
}

int xfn_addresses__open(unsigned ifindex, xfn_addresses_change change, void *ctx,
			struct xfn_addresses **out, char *err, size_t errlen)
{
	struct xfn_addresses *addrs = calloc(1, sizeof(*addrs));
	int ret = -ENOMEM;

	if (!addrs)
		goto fail;
	*addrs = (struct xfn_addresses){ .ifindex = ifindex, .change = change, .ctx = ctx };
	/* Events first, so that none falls between the dump and them. */
	addrs->events = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!addrs->events ||
	    mnl_socket_bind(addrs->events, RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
			    MNL_SOCKET_AUTOPID))
		ret = -errno;
	else
		ret = dump(addrs);
	if (ret)
		goto fail;
	*out = addrs;
	return 0;
fail:
	snprintf(err, errlen, "cannot read the interface's addresses: %s", strerror(-ret));
	xfn_addresses__close(addrs);
	return ret;
}

int xfn_addresses__fd(const struct xfn_addresses *addrs)
{
	return mnl_socket_get_fd(addrs->events);
}

int xfn_addresses__serve(struct xfn_addresses *addrs)
{
	char buf[MESSAGE_MAX];
	ssize_t n;

	while ((n = mnl_socket_recvfrom(addrs->events, buf, sizeof(buf))) > 0)
		mnl_cb_run(buf, n, 0, 0, on_message, addrs);
	if (errno != ENOBUFS)
		return 0;
	dump(addrs);
	return -ENOBUFS;
}

void xfn_addresses__close(struct xfn_addresses *addrs)
{
	if (!addrs)
		return;
	if (addrs->events)
		mnl_socket_close(addrs->events);
	free(addrs);
}
