// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The options of `xfn build` for objects of their own. Takes them as they are; judges nothing. */
#include "../compiler/standalone.h"

enum key {
	KEY_STANDALONE = 512,
	KEY_OFFLOAD,
	KEY_ADDRESS,
	KEY_PORT,
	KEY_MTU,
	KEY_RATE,
	KEY_TRUST,
	KEY_LOCAL,
	KEY_TAI,
	KEY_AMPLIFY,
	KEY_MAC
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Objects for other loaders:", 1 },
	{ "standalone", KEY_STANDALONE, NULL, 0,
	  "Make no module but one object with one XDP program of all functions given, complete in itself: "
	  "`ip link set dev IFACE xdp obj OUT.o sec xdp` and `xdp-loader load IFACE OUT.o` attach it. "
	  "A source may be F.c@PORT or F.c@ADDR:PORT",
	  1 },
	{ "offload", KEY_OFFLOAD, NULL, 0,
	  "The same for a NIC that runs programs: `ip link set dev IFACE xdpoffload obj OUT.o sec xdp`",
	  1 },
	{ "address", KEY_ADDRESS, "ADDR", 0,
	  "Answer what is sent to this address, in any VLAN; may be repeated (default: to any unicast "
	  "address, also where this host would forward it)",
	  1 },
	{ "mac", KEY_MAC, "MAC", 0,
	  "The interface's Ethernet address: what is sent to another is left to the host (default: to any "
	  "unicast one, as a promiscuous interface hands them out)",
	  1 },
	{ "port", KEY_PORT, "PORT", 0, "The port of the one function (default: its own)", 1 },
	{ "mtu", KEY_MTU, "N", 0,
	  "MTU of the interface: longer requests are left to the host, no reply is longer (default: 1500)",
	  1 },
	{ "rate", KEY_RATE, "N", 0,
	  "Answer at most N requests per second to a source prefix (/24, /48), and N/10 at once, 16 at "
	  "least; not on a NIC",
	  1 },
	{ "trust-checksum", KEY_TRUST, NULL, 0, "Do not verify the checksum of requests", 1 },
	{ "local-peer", KEY_LOCAL, NULL, 0,
	  "The link's other end is this host's (veth, virtio) and the object runs in native mode: half a "
	  "checksum, as a local stack leaves it, counts as right. Without it such requests are left to "
	  "the host; in generic mode they should be: a burst sent with UDP_SEGMENT looks the same",
	  1 },
	{ "tai-offset", KEY_TAI, "SECONDS", 0,
	  "CLOCK_TAI less UTC where the object will run, for functions that tell the time (default: this "
	  "host's now)",
	  1 },
	{ "allow-amplify", KEY_AMPLIFY, "NAME", 0,
	  "Let this function answer with more than 10 times its request; may be repeated", 1 },
	{}
};

static void listed(const char **list, unsigned *count, const char *option, const char *value,
		   struct argp_state *state)
{
	if (*count == XFN_OBJECT_LISTED)
		argp_error(state, "%s '%s': at most %d", option, value, XFN_OBJECT_LISTED);
	list[(*count)++] = value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct xfn_object_options *how = state->input;

	switch (key) {
	case KEY_STANDALONE:
	case KEY_OFFLOAD:
		if (how->flavour)
			argp_error(state, "take --standalone or --offload, once");
		how->flavour = key == KEY_OFFLOAD ? XFN_FLAVOUR_OFFLOAD : XFN_FLAVOUR_STANDALONE;
		return 0;
	case KEY_ADDRESS:
		how->first = "--address";
		listed(how->address, &how->addresses, how->first, arg, state);
		return 0;
	case KEY_AMPLIFY:
		how->first = "--allow-amplify";
		listed(how->allowed, &how->alloweds, how->first, arg, state);
		return 0;
	case KEY_MAC:
		how->first = "--mac";
		how->mac = arg;
		return 0;
	case KEY_PORT:
		how->first = "--port";
		how->port = arg;
		return 0;
	case KEY_MTU:
		how->first = "--mtu";
		how->mtu = arg;
		return 0;
	case KEY_RATE:
		how->first = "--rate";
		how->rate = arg;
		return 0;
	case KEY_TAI:
		how->first = "--tai-offset";
		how->tai = arg;
		return 0;
	case KEY_TRUST:
		how->first = "--trust-checksum";
		how->trust_checksum = true;
		return 0;
	case KEY_LOCAL:
		how->first = "--local-peer";
		how->local_peer = true;
		return 0;
	case ARGP_KEY_END:
		if (how->first && !how->flavour)
			argp_error(state, "%s is for an object of its own; add --standalone",
				   how->first);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp xfn_object_argp = { options, parse, NULL, NULL, NULL, NULL, NULL };
