// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Facts about one network interface, as the kernel tells them. Changes nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "interface.h"

#define ANSWER_MAX   32768 /* of a device with many virtual functions */
#define ALT_NAMESIZE 128   /* the kernel's ALTIFNAMSIZ */

static int ethtool(int sock, const char *name, void *command)
{
	struct ifreq req = {};

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	req.ifr_data = command;
	return ioctl(sock, SIOCETHTOOL, &req);
}

struct found {
	unsigned index;
	char *real;
};

static int on_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *msg = mnl_nlmsg_get_payload(nlh);
	struct found *found = data;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(*msg))
	{
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			snprintf(found->real, IF_NAMESIZE, "%s", mnl_attr_get_str(attr));
	}
	found->index = (unsigned)msg->ifi_index;
	return MNL_CB_STOP;
}

unsigned xfn_interface__find(const char *name, char real[IF_NAMESIZE])
{
	char request[MNL_NLMSG_HDRLEN + 256], answer[ANSWER_MAX];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	struct mnl_socket *sock;
	struct found found = { .real = real };
	ssize_t n = -1;
	int ret;

	real[0] = '\0';
	errno = ENODEV;
	if (!*name || strlen(name) >= ALT_NAMESIZE)
		return 0;
	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	/* the kernel looks among both kinds of names */
	mnl_attr_put_strz(nlh, IFLA_ALT_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!sock)
		return 0;
	if (!mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) &&
	    mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) >= 0)
		n = mnl_socket_recvfrom(sock, answer, sizeof(answer));
	if (n > 0)
		mnl_cb_run(answer, (size_t)n, 0, mnl_socket_get_portid(sock), on_link, &found);
	ret = errno; /* the kernel's answer, too */
	mnl_socket_close(sock);
	errno = ret;
	return found.index;
}

static int unread(const char *name, int ret, struct xfn_error *err)
{
	if (ret == -ENODEV)
		xfn_error__set(err, "%.128s: no such interface; `ip link` lists them", name);
	else
		xfn_error__set(err, "%.128s: cannot read its state: %s; try again", name,
			       strerror(-ret));
	return ret;
}

int xfn_interface__read(const char *name, struct xfn_interface *out, struct xfn_error *err)
{
	/*
	 * "vif" is Xen's. Not tun: its bursts (GSO) come by the generic routine even in native
	 * mode, and look like a datagram whose sum is still to be made. What stands on such a link
	 * has its own driver: what is local there shows by the sums that arrive.
	 */
	static const char *const local[] = { "veth", "virtio_net", "vif", "netdevsim" };
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	struct ifreq req = {};
	int sock, ret = 0;

	memset(out, 0, sizeof(*out));
	out->index = xfn_interface__find(name, out->name);
	if (!out->index)
		return unread(name, -errno, err);
	name = out->name;
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return unread(name, -errno, err);
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (ioctl(sock, SIOCGIFFLAGS, &req))
		ret = -errno;
	out->up = req.ifr_flags & IFF_UP;
	out->loopback = req.ifr_flags & IFF_LOOPBACK;
	if (!ret && ioctl(sock, SIOCGIFMTU, &req))
		ret = -errno;
	out->mtu = req.ifr_mtu;
	out->queues = out->tx_queues = 1;
	if (!ret && ethtool(sock, name, &channels)) {
		/* a driver that resets its device is not present (ENODEV) for a moment */
		if (errno != EOPNOTSUPP && errno != EINVAL && errno != EPERM)
			ret = errno == ENODEV ? -EAGAIN : -errno;
	} else if (!ret && channels.rx_count + channels.combined_count) {
		out->queues = channels.rx_count + channels.combined_count;
		out->tx_queues = channels.tx_count + channels.combined_count;
	}
	if (!ethtool(sock, name, &driver))
		snprintf(out->driver, sizeof(out->driver), "%s", driver.driver);
	if (!ethtool(sock, name, &flags))
		out->vlan_offload = flags.data & ETH_FLAG_RXVLAN;
	for (unsigned i = 0; i < ARRAY_SIZE(local); i++)
		out->local_peer |= !strcmp(out->driver, local[i]);
	close(sock);
	if (ret == -ENODEV) /* it went meanwhile */
		out->index = 0;
	return ret ? unread(name, ret, err) : 0;
}
