/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside addresses.c: what one reading of the host's links and addresses found. */
#ifndef XFN_ADDRESSES_READING_H
#define XFN_ADDRESSES_READING_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "addresses.h"

#define XFN_READING_MESSAGE 32768 /* bytes that the kernel fills at most in one read of a dump */

struct xfn_link {
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
struct xfn_reading {
	struct xfn_link *links;
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

/*
 * Read links, addresses and the addresses that send no requests anew. 0 or -errno; the caller frees
 * in both cases.
 */
int xfn_reading__read(struct xfn_reading *r);
void xfn_reading__free(struct xfn_reading *r);
/* One more element at the end of a growing array, zeroed; NULL: out of memory, and the reading has failed. */
void *xfn_reading__more(struct xfn_reading *r, void *array, unsigned *count, size_t size);

#endif
