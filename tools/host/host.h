/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What this host, and one interface of it, can do for xfn. Asks the kernel; changes nothing, leaves
 * nothing open. Must never know how it is printed.
 */
#ifndef XFN_HOST_H
#define XFN_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include "../../userspace/host/interface.h"

#define XFN_HOST_FACTS 32

struct xfn_host_fact {
	char thing[32];
	bool ok;
	bool needed;	 /* without it nothing can be served at all */
	char value[256]; /* what was found */
	char fix[200];	 /* what to do; "" where ok */
};

struct xfn_host_facts {
	unsigned count;
	struct xfn_host_fact fact[XFN_HOST_FACTS];
};

/* Append the facts of the host. */
void xfn_host__read(struct xfn_host_facts *facts);
/* Append those of the interface. */
void xfn_host__interface(struct xfn_host_facts *facts, const char *ifname);

/* Append what its NIC and driver do for AF_XDP workers. `features`: NETDEV_XDP_ACT_* of the kernel,
 * NULL where it does not tell. */
void xfn_host__nic_features(struct xfn_host_facts *facts, const struct xfn_interface *ifc,
			    const uint64_t *features);

/* A new fact at the end, `ok`, its value formatted. */
struct xfn_host_fact *xfn_host__add(struct xfn_host_facts *facts, const char *thing,
				    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* It is missing: what to do. */
void xfn_host__missing(struct xfn_host_fact *fact, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
