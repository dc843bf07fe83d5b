/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the NIC and its driver do for workers of frames: zero copy, flow rules, busy polling. What a
 * run changed on a NIC is undone when serving ends, or by the next run.
 */
#ifndef XFN_NIC_FEATURES_H
#define XFN_NIC_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "../../../skel/error.h"
#include "../../sockets/umem.h"

struct xfn_ingress;

/*
 * Undo what a killed run changed on `ifname`. Returns the number of changes undone, or -errno with
 * one line in err: -EADDRINUSE, an xfn serves it, and they are that one's.
 */
int xfn_nic_features__undo(const char *ifname, struct xfn_error *err);

/*
 * Decide, and change on the interface what was asked for; also undoes what a killed run left. To be
 * called when tiers are settled and before workers start. 0 or -errno with one line in err.
 */
int xfn_nic_features__begin(struct xfn_ingress *ing, struct xfn_error *err);
void xfn_nic_features__end(struct xfn_ingress *ing);	/* undo it; safe where nothing was begun */
void xfn_nic_features__follow(struct xfn_ingress *ing); /* served addresses are others now */
/* Queues that have workers of frames: how many, and the i-th of them. */
unsigned xfn_nic_features__queues(const struct xfn_ingress *ing);
unsigned xfn_nic_features__queue(const struct xfn_ingress *ing, unsigned i);
/* Log which queues are served in a lesser way than others; the workers of `apart` of them send by
 * another socket, since their queue has no TX queue. */
void xfn_nic_features__log_queues(const struct xfn_ingress *ing, unsigned apart);
/* Was something asked for that only AF_XDP has? Then UDP sockets are no way out. */
bool xfn_nic_features__insists(const struct xfn_ingress *ing);
/* Bind a queue's sockets as decided. 0 or -errno with one line in err. */
int xfn_nic_features__bind(struct xfn_ingress *ing, struct xfn_umem *umem, struct xfn_error *err);
/* Why zero copy is tried or not; "" where nothing was begun. */
const char *xfn_nic_features__zero_copy_reason(const struct xfn_ingress *ing);
/* Flow rules that stand; -1: none were asked for. */
int xfn_nic_features__rules(const struct xfn_ingress *ing);

#endif
