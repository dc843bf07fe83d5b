// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Facts about one network interface, as the kernel tells them. Changes nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include "interface.h"

static int ethtool(int sock, const char *name, void *command)
{
	struct ifreq req = {};

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	req.ifr_data = command;
	return ioctl(sock, SIOCETHTOOL, &req);
}

int xfn_interface__read(const char *name, struct xfn_interface *out, char *err, size_t errlen)
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
	int sock;

	memset(out, 0, sizeof(*out));
	if (strlen(name) >= IF_NAMESIZE || !(out->index = if_nametoindex(name))) {
		snprintf(err, errlen, "%s: no such interface; `ip link` lists them", name);
		return -ENODEV;
	}
	snprintf(out->name, sizeof(out->name), "%s", name);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0) {
		snprintf(err, errlen, "%s: cannot ask for its state: %s", name, strerror(errno));
		return -errno;
	}
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (!ioctl(sock, SIOCGIFFLAGS, &req)) {
		out->up = req.ifr_flags & IFF_UP;
		out->loopback = req.ifr_flags & IFF_LOOPBACK;
	}
	if (!ioctl(sock, SIOCGIFMTU, &req))
		out->mtu = req.ifr_mtu;
	out->queues = 1;
	if (!ethtool(sock, name, &channels) && channels.rx_count + channels.combined_count)
		out->queues = channels.rx_count + channels.combined_count;
	if (!ethtool(sock, name, &driver))
		snprintf(out->driver, sizeof(out->driver), "%s", driver.driver);
	if (!ethtool(sock, name, &flags))
		out->vlan_offload = flags.data & ETH_FLAG_RXVLAN;
	for (unsigned i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		out->local_peer |= !strcmp(out->driver, local[i]);
	close(sock);
	return 0;
}
