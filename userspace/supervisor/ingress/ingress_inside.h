/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside ingress/: what its files share. No other room includes this. */
#ifndef XFN_INGRESS_INSIDE_H
#define XFN_INGRESS_INSIDE_H

#include <stdbool.h>
#include <stdint.h>
#include "../../../xdp/reason.h"
#include "ingress.h"
#include "listeners.h"

struct xfn_ingress {
	const struct xfn_run_options *opts;
	struct xfn_events *loop;
	const struct xfn_interface_state *interface;
	const struct xfn_attachment *attachment;
	struct xfn_functions *functions; /* for its ports */

	/* listeners.c */
	struct xfn_listener *listeners; /* sockets held */
	unsigned listener_count;
	struct xfn_listener *missing; /* sockets that could not be had, and are tried again */
	unsigned missing_count;
	bool missing_unknown;	/* what is missing could not be found out */
	uint64_t missing_at_ns; /* when they are tried again */
	unsigned missing_tries;
	bool *listening; /* by slot: the function has sockets: of its tier, or slow ones */

	/* listeners_ring.c: what both filters of engine packet were made for, 0: it is not used */
	uint32_t ring_mtu;

	uint64_t losses[XFN_REASON_SLOTS];	 /* losses.c: of sockets that are no more */
	struct xfn_socket_filter *socket_filter; /* socket_guard.c; NULL: none */
	bool no_socket_filter;			 /* it cannot be had */
	struct xfn_nic_features *nic;		 /* nic_features.c; NULL: not begun */
};

/* listeners_wanted.c */
/* The sockets that are to be there now, in order. Returns their number, *out is to be freed; -errno
 * with one line in err. */
int xfn_listeners__wanted(const struct xfn_ingress *ing, struct xfn_listener **out,
			  struct xfn_error *err);
/* The same one in such an ordered list, or NULL. */
struct xfn_listener *xfn_listeners__find(struct xfn_listener *list, unsigned count,
					 const struct xfn_listener *one);

/* socket_guard.c: what sockets of tier socket refuse. */
/* Have the socket refuse it, in place of an earlier filter. 0 or -errno. */
int xfn_socket_guard__attach(struct xfn_ingress *ing, int fd);
/* The same, and what the ring of engine packet takes by those devices. */
int xfn_socket_guard__rest(const struct xfn_ingress *ing, int fd, const unsigned *ifindexes);
/* What was refused, added; all of it under XFN_REASON_SLOW_REFUSED too. */
void xfn_socket_guard__reasons(const struct xfn_ingress *ing, uint64_t sum[XFN_REASON_SLOTS]);

/* losses.c: a socket is about to be closed: its counts go on. */
void xfn_losses__keep_socket(struct xfn_ingress *ing, const struct xfn_listener *listener);

#endif
