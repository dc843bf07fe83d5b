/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses of one interface, now and as they change (rtnetlink). Must never know who wants them.
 */
#ifndef XFN_ADDRESSES_H
#define XFN_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xfn_addresses;

/* `ip` is 16 bytes, IPv4 mapped. */
typedef void (*xfn_addresses_change)(void *ctx, const uint8_t ip[16], bool added);

/*
 * Tell every address that interface `ifindex` has, then go on telling changes from
 * xfn_addresses__serve. 0 or -errno with one line in err. The caller closes.
 */
int xfn_addresses__open(unsigned ifindex, xfn_addresses_change change, void *ctx,
			struct xfn_addresses **out, char *err, size_t errlen);
/* An fd that polls readable when xfn_addresses__serve has work. */
int xfn_addresses__fd(const struct xfn_addresses *addrs);
/* 0, or -ENOBUFS where the kernel lost events: every address is told again by then. */
int xfn_addresses__serve(struct xfn_addresses *addrs);
void xfn_addresses__close(struct xfn_addresses *addrs);

#endif
