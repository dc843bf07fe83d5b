/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How requests get to workers. struct xfn_ingress is this room's own: its topics have a header
 * each (listeners.h, nic_features.h, losses.h), by whose functions other rooms read and change it.
 */
#ifndef XFN_INGRESS_H
#define XFN_INGRESS_H

#include "../../host/events.h"
#include "../attachment/attachment.h"
#include "../functions/functions.h"
#include "../interface/interface_state.h"
#include "../options.h"

struct xfn_ingress;

/* Nothing is open yet; what is tried again has its timers in `loop`. All five stay the caller's. NULL: out of memory. */
struct xfn_ingress *xfn_ingress__make(const struct xfn_run_options *opts, struct xfn_events *loop,
				      const struct xfn_interface_state *interface,
				      const struct xfn_attachment *attachment,
				      struct xfn_functions *functions);
/* Listeners and NIC features are closed before. Safe on NULL. */
void xfn_ingress__close(struct xfn_ingress *ing);

/* socket_guard.c: the addresses of this host are others: its sockets refuse them as source. */
void xfn_ingress__host_changed(struct xfn_ingress *ing);

#endif
