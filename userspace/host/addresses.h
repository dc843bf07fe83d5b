/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an interface serves, now and as it changes (rtnetlink): its own addresses, those of its
 * VLAN, bridge and bond uppers, and those on lo that are not loopback's (anycast). Must never know
 * who wants them.
 */
#ifndef XFN_ADDRESSES_H
#define XFN_ADDRESSES_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "../../skel/error.h"
#include "../../xdp/abi.h"

struct xfn_addresses;

/* A device on which the interface's frames reach the host's stack: itself, or an upper. */
struct xfn_addresses_device {
	unsigned ifindex;
	uint16_t tag[XFN_TAGS]; /* VLAN ids on the wire, outermost first */
	char name[IF_NAMESIZE];
};

struct xfn_local_address {
	uint8_t ip[16]; /* IPv4 mapped */
	uint16_t tag[XFN_TAGS];
	unsigned ifindex; /* of the device */
	bool elsewhere;	  /* not the device's own: on lo, or just named */
};

/* All of them: what xfn_addresses__open and the like told last. */
struct xfn_addresses_now {
	struct xfn_addresses_device *devices;
	unsigned device_count;
	struct xfn_local_address *served;
	unsigned served_count;
};

struct xfn_addresses_listener {
	void *ctx;
	void (*device)(void *ctx, const struct xfn_addresses_device *device, bool added);
	void (*address)(void *ctx, const struct xfn_local_address *served, bool added);
	void (*host)(void *ctx); /* xfn_addresses__own or __macs has changed; may be NULL */
};

/*
 * Tell every device and address of interface `ifindex` (0: it is not there, so none), then go on
 * telling changes from xfn_addresses__serve. `only` (16 bytes each, may be NULL): serve these on
 * every device, whether the host has them or not, and no others. 0 or -errno with one line in err.
 * The caller closes.
 */
int xfn_addresses__open(unsigned ifindex, const uint8_t (*only)[16], unsigned only_count,
			const struct xfn_addresses_listener *listener, struct xfn_addresses **out,
			struct xfn_error *err);
/* Valid until the next call of serve, follow or close. */
struct xfn_addresses_now xfn_addresses__now(const struct xfn_addresses *addrs);
/* An fd that polls readable when xfn_addresses__serve has work. */
int xfn_addresses__fd(const struct xfn_addresses *addrs);
/*
 * 0, or 1: the interface was removed since (it may be back, even under its old index), or -errno
 * where the kernel could not be asked: what was told last stays.
 */
int xfn_addresses__serve(struct xfn_addresses *addrs);
/* From now on tell of another interface, 0: of none; the difference at once. 0 or -errno. */
int xfn_addresses__follow(struct xfn_addresses *addrs, unsigned ifindex);
/*
 * Addresses that send no requests: all of this host's, on whatever interface, and the broadcast
 * ones of its subnets. Until the next call that reads; returns their number.
 */
unsigned xfn_addresses__own(const struct xfn_addresses *addrs, const uint8_t (**ips)[16]);
/* Ethernet addresses of the devices, each once, the interface's first. As above. */
unsigned xfn_addresses__macs(const struct xfn_addresses *addrs, const uint8_t (**macs)[6]);
void xfn_addresses__close(struct xfn_addresses *addrs);

#endif
