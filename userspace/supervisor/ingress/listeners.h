/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * UDP sockets of functions in tier socket, and slow ones: what the fast path leaves to the host's
 * stack (fragments, options, ...) reaches the same function. Each is bound to a served address,
 * slow ones also to a device; no other server's socket shares its port. One that cannot be had is
 * logged once, and tried again. Requests wait in a socket while its worker restarts.
 */
#ifndef XFN_LISTENERS_H
#define XFN_LISTENERS_H

#include <stdbool.h>
#include <stdint.h>
#include "../../../skel/error.h"
#include "../../../functions/xfn.h"
#include "../../sockets/packet_ring.h"

#define XFN_LISTENERS 4096 /* UDP sockets of one run */

struct xfn_ingress;

struct xfn_listener {
	int fd; /* -1: wanted, but not to be had now */
	uint32_t slot;
	unsigned device; /* ifindex of the only one to receive from, 0: any */
	unsigned scope;	 /* ifindex of the device that has the address, 0: not known */
	bool slow;
	bool logged;	   /* while it is missing: that was logged */
	uint64_t since_ns; /* likewise: from when on */
	struct xfn_address local;
};

/*
 * Open them all, for serving that began at `begun_ns` (CLOCK_MONOTONIC). 1: a run before may still
 * be ending, to be called again in xfn_listeners__retry_ms; 0; or -errno with one line in err: a
 * socket of tier socket cannot be had, and this is the first time that the functions are served.
 */
int xfn_listeners__open(struct xfn_ingress *ing, uint64_t begun_ns, struct xfn_error *err);
/* While functions are served: close those whose address or device is gone, open what is missing.
 * True: they are others than before. */
bool xfn_listeners__follow(struct xfn_ingress *ing);
/* Some are missing: ms until xfn_listeners__follow is to be called again; -1: none is. */
int xfn_listeners__retry_ms(const struct xfn_ingress *ing);
void xfn_listeners__close(struct xfn_ingress *ing);

/* Those that are held, their number in *count. Valid until the next call that changes them. */
const struct xfn_listener *xfn_listeners__held(const struct xfn_ingress *ing, unsigned *count);
unsigned xfn_listeners__missing(const struct xfn_ingress *ing); /* how many are tried again */
/* Has the function in `slot` a socket: of its tier, or a slow one? */
bool xfn_listeners__has(const struct xfn_ingress *ing, unsigned slot);

/* listeners_ring.c: engine packet. */
/* From now on engine packet serves, made for the MTU of now; until xfn_listeners__close. */
void xfn_listeners__use_ring(struct xfn_ingress *ing);
/* The MTU that its filters are made for, in IP bytes; 0: it is not used. */
uint32_t xfn_listeners__ring_mtu(const struct xfn_ingress *ing);
/* From now on UDP sockets take what its ring does not. 0 or -errno with one line in err. */
int xfn_listeners__share(const struct xfn_ingress *ing, struct xfn_error *err);
void xfn_listeners__take_all(struct xfn_ingress *ing); /* until there is another ring */
/* What the ring is to take. Returns their number, *out is to be freed; -ENOMEM. */
int xfn_listeners__targets(const struct xfn_ingress *ing, struct xfn_packet_target **out);

#endif
