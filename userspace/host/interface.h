/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Facts about one network interface, as the kernel tells them. Changes nothing. */
#ifndef XFN_INTERFACE_H
#define XFN_INTERFACE_H

#include <net/if.h>
#include <stdbool.h>
#include "../../skel/error.h"

struct xfn_interface {
	char name[IF_NAMESIZE];
	unsigned index;
	bool up;
	bool loopback;
	unsigned mtu;	    /* IP bytes */
	unsigned queues;    /* RX queues in use (ethtool channels), at least 1 */
	unsigned tx_queues; /* likewise; those from here on to `queues` only receive */
	char driver[32];    /* "" where it has none (lo) */
	bool local_peer;    /* what is behind it may be this host: partial checksums are right */
	bool vlan_offload;  /* the driver takes VLAN tags off frames, so XDP does not see them */
};

/*
 * The name of the interface that has `name`, or has it as one of its others (`ip link property add
 * altname`), into real. Its index, 0: there is none in this network namespace
 * (errno ENODEV), or the kernel could not be asked. rtnetlink(7).
 */
unsigned xfn_interface__find(const char *name, char real[IF_NAMESIZE]);

/*
 * By any name of it; out->name is the one that the others stand for. 0, or -errno with one line in
 * err: -ENODEV where there is no such interface; any other error says nothing of it, and what was
 * known of it still holds.
 */
int xfn_interface__read(const char *name, struct xfn_interface *out, struct xfn_error *err);

#endif
