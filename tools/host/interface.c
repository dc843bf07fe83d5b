// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What one interface can do for xfn. Changes nothing. Must never know how it is printed. */
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "host.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/if_ether.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include "../../skel/loader.h"
#include "../../skel/offload.h"
#include "../../userspace/host/interface.h"
#include "../../xdp/abi.h"

/* Largest MTU whose frames stay in one buffer of one page. */
#define MTU_MAX (XFN_FRAME_MAX - ETH_HLEN)

/* The kernel's generic netlink family "netdev" (since 6.3):
 * Documentation/netlink/specs/netdev.yaml. */
#define NETDEV_GET	    1
#define NETDEV_IFINDEX	    1
#define NETDEV_XDP_FEATURES 3

struct answer {
	uint16_t family;
	uint64_t features;
	bool told;
};

static int family_attribute(const struct nlattr *attr, void *data)
{
	struct answer *answer = data;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
		answer->family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int family_message(const struct nlmsghdr *msg, void *data)
{
	return mnl_attr_parse(msg, sizeof(struct genlmsghdr), family_attribute, data);
}

static int feature_attribute(const struct nlattr *attr, void *data)
{
	struct answer *answer = data;

	if (mnl_attr_get_type(attr) == NETDEV_XDP_FEATURES &&
	    mnl_attr_get_payload_len(attr) >= sizeof(uint64_t)) {
		answer->features = mnl_attr_get_u64(attr);
		answer->told = true;
	}
	return MNL_CB_OK;
}

static int feature_message(const struct nlmsghdr *msg, void *data)
{
	return mnl_attr_parse(msg, sizeof(struct genlmsghdr), feature_attribute, data);
}

static struct nlmsghdr *request(char *buf, uint16_t type, uint8_t command)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *gen;

	msg->nlmsg_type = type;
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	msg->nlmsg_seq = 1;
	gen = mnl_nlmsg_put_extra_header(msg, sizeof(*gen));
	gen->cmd = command;
	gen->version = 1;
	return msg;
}

/* Send, and read until the acknowledgement. */
static bool ask(struct mnl_socket *nl, const struct nlmsghdr *msg, mnl_cb_t callback,
		struct answer *answer)
{
	char buf[8192];
	int ret = MNL_CB_OK;

	if (mnl_socket_sendto(nl, msg, msg->nlmsg_len) < 0)
		return false;
	while (ret > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		if (n < 0)
			return false;
		ret = mnl_cb_run(buf, (size_t)n, 1, mnl_socket_get_portid(nl), callback, answer);
	}
	return ret == MNL_CB_STOP;
}

/* False: this kernel does not tell. */
static bool xdp_features(unsigned ifindex, uint64_t *features)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	struct timeval limit = { .tv_sec = 1 };
	struct answer answer = {};
	char buf[256];
	struct nlmsghdr *msg;

	if (!nl)
		return false;
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		goto out;
	msg = request(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(msg, CTRL_ATTR_FAMILY_NAME, "netdev");
	if (!ask(nl, msg, family_message, &answer) || !answer.family)
		goto out;
	msg = request(buf, answer.family, NETDEV_GET);
	mnl_attr_put_u32(msg, NETDEV_IFINDEX, ifindex);
	ask(nl, msg, feature_message, &answer);
out:
	mnl_socket_close(nl);
	*features = answer.features;
	return answer.told;
}

static void features(struct xfn_host_facts *facts, const struct xfn_interface *ifc)
{
	static const char *const names[] = { "basic",	"redirect", "ndo-xmit",	     "xsk-zerocopy",
					     "offload", "frags",    "ndo-xmit-frags" };
	char text[120] = "";
	struct xfn_host_fact *fact;
	uint64_t bits;

	if (!xdp_features(ifc->index, &bits)) {
		xfn_host__nic_features(facts, ifc, NULL);
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		size_t used = strlen(text);

		if (bits >> i & 1)
			snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
				 names[i]);
	}
	fact = xfn_host__add(facts, "driver's XDP", "%s", *text ? text : "none");
	if (!(bits & 1))
		xfn_host__missing(
			fact,
			"the driver has no native mode; generic mode is used, at a lower rate");
	xfn_host__nic_features(facts, ifc, &bits);
}

static void holder(struct xfn_host_facts *facts, const struct xfn_interface *ifc)
{
	char name[XFN_PROGRAM_NAME];
	struct xfn_host_fact *fact;
	uint32_t id;

	if (!xfn_loader__holder(ifc->index, &id, name)) {
		xfn_host__add(facts, "XDP program", "none attached: free");
		return;
	}
	fact = xfn_host__add(facts, "XDP program", "%s (id %u) holds the interface", name, id);
	if (!strncmp(name, "xfn_dispatcher", sizeof(name) - 1))
		xfn_host__missing(fact, "an xfn serves it already; see `xfn ls -i %s`", ifc->name);
	else
		xfn_host__missing(fact, "stop its owner, or ip link set dev %s %s off", ifc->name,
				  xfn_loader__off_word(ifc->index));
}

/* Of real cards only nfp's ever took programs. */
static void offload(struct xfn_host_facts *facts, const struct xfn_interface *ifc)
{
	int ret = xfn_offload__possible(ifc->index);

	xfn_host__add(facts, "hardware offload", "%s",
		      !ret ? "the driver takes programs for its card: xfn run --mode offload" :
		      ret == -EPERM ? "not known: asking wants CAP_BPF and CAP_NET_ADMIN" :
				      "none: the driver takes no programs for a card");
}

void xfn_host__interface(struct xfn_host_facts *facts, const char *ifname)
{
	struct xfn_host_fact *fact;
	struct xfn_interface ifc;
	struct xfn_error err = { 0 };

	if (xfn_interface__read(ifname, &ifc, &err)) {
		fact = xfn_host__add(facts, "interface", "%.40s: none of that name", ifname);
		fact->needed = true;
		xfn_host__missing(fact, "`ip link` lists them");
		return;
	}
	fact = xfn_host__add(facts, "interface", "%s, %s", ifc.name, ifc.up ? "up" : "down");
	fact->needed = true;
	if (!ifc.up)
		xfn_host__missing(fact, "ip link set dev %s up", ifc.name);
	xfn_host__add(facts, "driver", "%s", *ifc.driver ? ifc.driver : "none");
	xfn_host__add(facts, "receive queues", "%u", ifc.queues);
	fact = xfn_host__add(facts, "transmit queues", "%u", ifc.tx_queues);
	if (ifc.tx_queues < ifc.queues)
		xfn_host__missing(fact,
				  "AF_XDP workers of the other receive queues send by AF_PACKET; "
				  "ethtool -L %s may add transmit queues",
				  ifc.name);
	fact = xfn_host__add(facts, "MTU", "%u", ifc.mtu);
	if (ifc.mtu > MTU_MAX && *ifc.driver)
		xfn_host__missing(
			fact,
			"native mode wants at most %d with many drivers; ip link set dev %s mtu %d",
			MTU_MAX, ifc.name, MTU_MAX);
	holder(facts, &ifc);
	features(facts, &ifc);
	offload(facts, &ifc);
	fact = xfn_host__add(facts, "VLAN tags", "%s",
			     ifc.vlan_offload ? "taken off by the driver" : "left in the frame");
	if (ifc.vlan_offload)
		xfn_host__missing(fact, "only for tagged requests: ethtool -K %s rxvlan off",
				  ifc.name);
}
