/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel dropped on its way to a worker, by reason. Only the sockets count it, and for as
 * long as they live.
 */
#ifndef XFN_LOSSES_H
#define XFN_LOSSES_H

#include <stdint.h>
#include "../../../xdp/reason.h"
#include "../../sockets/umem.h"

struct xfn_ingress;

/* To `sum` add what the rings of a worker's AF_XDP sockets have lost. */
void xfn_losses__add_rings(const struct xfn_umem *umem, uint64_t sum[XFN_REASON_SLOTS]);
/* The same rings are about to be closed: their counts go on. */
void xfn_losses__keep_rings(struct xfn_ingress *ing, const struct xfn_umem *umem);
/* To what the kernel's programs counted add what the ring of engine packet and all UDP sockets of
 * now have lost, and all sockets that are closed already. */
void xfn_losses__add(struct xfn_ingress *ing, uint64_t sum[XFN_REASON_SLOTS]);

#endif
