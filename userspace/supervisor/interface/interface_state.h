/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The interface of this run as it is now: its shape, and which addresses and devices are served.
 * Only the supervisor's loop has it changed (link_state.c); all others hold it const.
 */
#ifndef XFN_INTERFACE_STATE_H
#define XFN_INTERFACE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include "../../../skel/error.h"
#include "../../host/addresses.h"
#include "../../host/interface.h"
#include "../options.h"

/* Who is notified of changes, while they are read. */
struct xfn_interface_events {
	void *ctx;
	/* a served address came or went */
	void (*address)(void *ctx, const struct xfn_local_address *local, bool added);
	/* the MACs or addresses of this host are others: xfn_addresses__own, __macs */
	void (*host)(void *ctx);
};

struct xfn_interface_state {
	/* As last read: .name "" where none is used, .index 0 while it is not there. */
	struct xfn_interface iface;
	struct xfn_addresses *addresses; /* NULL without an interface */
	/* As the kernel tells them; these belong to .addresses. */
	const struct xfn_local_address *local;
	unsigned local_count;
	const struct xfn_addresses_device *devices; /* the interface and its uppers */
	unsigned device_count;
	bool unread; /* it, or its addresses, could not be read the last time */
	/* since xfn_interface_state__clear_changes */
	bool devices_changed, addresses_changed, host_changed;
	struct xfn_interface_events events;
};

/*
 * Read the interface that the options name; without one there is nothing to read. 0 or -errno with
 * one line in err: it is missing or down, and not to be waited for. The caller closes.
 */
int xfn_interface_state__open(const struct xfn_run_options *opts, struct xfn_interface_state **out,
			      struct xfn_error *err);
void xfn_interface_state__close(struct xfn_interface_state *state); /* safe on NULL */

/* local_addresses.c */
/* Read addresses and devices from now on, and notify `events` (copied) of each. 0 or -errno with
 * one line in err. */
int xfn_interface_state__watch(struct xfn_interface_state *state,
			       const struct xfn_run_options *opts,
			       const struct xfn_interface_events *events, struct xfn_error *err);
/* The kernel's news of them. Returns as xfn_addresses__serve; a failure is logged, and tried again.
 */
int xfn_interface_state__read_addresses(struct xfn_interface_state *state);
/* Addresses and devices of interface `ifindex` from now on, 0: none. */
void xfn_interface_state__follow(struct xfn_interface_state *state, unsigned ifindex);

/* The interface was read again. While it is down its new MTU and queues do not count. */
void xfn_interface_state__set(struct xfn_interface_state *state, const struct xfn_interface *now);
void xfn_interface_state__set_gone(struct xfn_interface_state *state);	 /* it was removed */
void xfn_interface_state__set_unread(struct xfn_interface_state *state); /* it could not be read */
/* Descriptors that a run of these options opens there at most, about. `state` may be NULL: unknown. */
unsigned xfn_interface_state__descriptors(const struct xfn_interface_state *state,
					  const struct xfn_run_options *opts);
void xfn_interface_state__clear_changes(struct xfn_interface_state *state);

#endif
