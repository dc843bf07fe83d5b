// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* When somebody changes an interface's number of queues. Must never know what for. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include "ethtool_channels.h"

#define MESSAGE_MAX 8192

/* The id of the family's group that is told of changes, from CTRL_ATTR_MCAST_GROUPS. */
static int on_family(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr, *group, *field;
	uint32_t *found = data;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
	{
		if (mnl_attr_get_type(attr) != CTRL_ATTR_MCAST_GROUPS)
			continue;
		mnl_attr_for_each_nested(group, attr)
		{
			const char *name = "";
			uint32_t id = 0;

			mnl_attr_for_each_nested(field, group)
			{
				if (mnl_attr_get_type(field) == CTRL_ATTR_MCAST_GRP_NAME)
					name = mnl_attr_get_str(field);
				else if (mnl_attr_get_type(field) == CTRL_ATTR_MCAST_GRP_ID)
					id = mnl_attr_get_u32(field);
			}
			if (!strcmp(name, ETHTOOL_MCGRP_MONITOR_NAME))
				*found = id;
		}
	}
	return MNL_CB_OK;
}

/* genetlink(7) has numbers for names only at run time. 0: there is none. */
static uint32_t find_group(struct mnl_socket *sock)
{
	char buf[MESSAGE_MAX];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;
	uint32_t group = 0;
	ssize_t n;

	nlh->nlmsg_type = GENL_ID_CTRL;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = 1;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = CTRL_CMD_GETFAMILY;
	genl->version = 1;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME);
	if (mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) < 0)
		return 0;
	n = mnl_socket_recvfrom(sock, buf, sizeof(buf));
	if (n <= 0 || mnl_cb_run(buf, (size_t)n, 1, mnl_socket_get_portid(sock), on_family,
				 &group) < MNL_CB_STOP)
		return 0;
	return group;
}

int xfn_channels__watch(void)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	uint32_t group;
	int fd = -1, ret = -EOPNOTSUPP;

	if (!sock)
		return -errno;
	if (!mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) && (group = find_group(sock)) &&
	    !mnl_socket_setsockopt(sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group))) {
		fd = fcntl(mnl_socket_get_fd(sock), F_DUPFD_CLOEXEC, 0);
		ret = fd < 0 ? -errno : fd;
	}
	mnl_socket_close(sock);
	if (fd >= 0)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	return ret;
}

void xfn_channels__taken(int fd)
{
	char buf[MESSAGE_MAX];

	/* of lost ones (ENOBUFS) the kernel tells once */
	while (recv(fd, buf, sizeof(buf), 0) > 0 || errno == ENOBUFS)
		;
}
