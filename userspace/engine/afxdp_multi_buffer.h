/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside engine afxdp: frames in several descriptors. */
#ifndef XFN_ENGINE_AFXDP_MULTI_BUFFER_H
#define XFN_ENGINE_AFXDP_MULTI_BUFFER_H

#include <stdbool.h>
#include <stdint.h>
#include "afxdp_frames.h"

#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0) /* since 6.6: the frame goes on in the next descriptor */
#endif
#define XFN_GATHERED                                                                               \
	UINT64_MAX /* token: in a buffer of our own, its frames are given back already */

/* Buffers for a batch of such requests, and frames for as many replies. 0 or -errno; the engine
 * frees both, also after an error. */
int xfn_multi_buffer__open(struct xfn_engine *e, uint32_t longest);
/*
 * Gather the frame at the head of the RX ring, of which `ready` descriptors are there, into the
 * buffer of `d`; its frames are given back at once. 1: gathered; 0: longer than any frame may be,
 * dropped and counted; -1: the rest is not there yet.
 */
int xfn_multi_buffer__gather(struct xfn_engine *e, uint32_t ready, struct xfn_datagram *d);
/* Put a reply on the TX ring in as many frames as it takes. False: no room, or no frames kept. */
bool xfn_multi_buffer__scatter(struct xfn_engine *e, const struct xfn_datagram *d, uint32_t room);

#endif
