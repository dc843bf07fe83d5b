/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel dropped on its way to a worker, by reason. Only the sockets count it, and for as
 * long as they live.
 */
#ifndef XFN_LOSSES_H
#define XFN_LOSSES_H

#include <stdint.h>
#include "../../../xdp/reason.h"
#include "../../sockets/packet_ring.h"
#include "../../sockets/umem.h"

struct xfn_ingress;

/*
 * To `sum` add what the rings of a worker have lost: of its AF_XDP sockets (umem, NULL: none), and
 * of its ring of engine packet (.receive -1: none). The kernel forgets the latter's count with each
 * question: it is kept here, and added by xfn_losses__add.
 */
void xfn_losses__add_rings(struct xfn_ingress *ing, const struct xfn_umem *umem,
			   const struct xfn_packet_ring *ring, uint64_t sum[XFN_REASON_SLOTS]);
/* The same rings are about to be closed: their counts go on. */
void xfn_losses__keep_rings(struct xfn_ingress *ing, const struct xfn_umem *umem,
			    const struct xfn_packet_ring *ring);
/* To what the kernel's programs counted add what all UDP sockets of now have lost, and all sockets
 * that are closed already. */
void xfn_losses__add(const struct xfn_ingress *ing, uint64_t sum[XFN_REASON_SLOTS]);

#endif
