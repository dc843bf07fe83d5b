/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Redirecting a frame to a worker: which thread of its queue takes it. The dispatcher and the
 * programs of functions include this header behind the maps. Must never change a frame.
 */
#ifndef XFN_WORKER_H
#define XFN_WORKER_H

#include "maps.h"
#include "packet.h"

/*
 * The thread for this flow: all its frames go to one thread. The three words from byte 12 on hold
 * source, destination and ports of IPv4, and the last 12 of the 16 bytes of IPv6's source.
 */
XFN_INLINE __u32 xfn_thread_of(struct xdp_md *ctx, const struct xfn_packet *pkt, __u32 queue,
			       __u32 slot)
{
	__u8 *l3 = XFN_DATA(ctx) + pkt->l3_off, *end = XFN_DATA_END(ctx);
	__u32 *pool = bpf_map_lookup_elem(&xfn_pools, &slot);
	struct xfn_indirection *table;
	__u64 hash;
	__u32 key;

	if (!pool || l3 + 24 > end)
		return 0;
	key = XFN_INDIRECTION_INDEX(queue, *pool & (XFN_POOLS - 1));
	table = bpf_map_lookup_elem(&xfn_indirections, &key);
	if (!table)
		return 0;
	hash = ((__u64) * (__u32 *)(l3 + 12) << 32 | *(__u32 *)(l3 + 20)) ^
	       ((__u64) * (__u32 *)(l3 + 16) * 0xc2b2ae3d27d4eb4full + pkt->sport);
	hash *= 0x9e3779b97f4a7c15ull;
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15ull;
	return table->thread[hash >> (64 - XFN_INDIRECTION_BITS)] & (XFN_THREADS - 1);
}

/* XDP_REDIRECT: the untouched frame goes to a worker of its queue; XDP_PASS: the queue has none. */
XFN_INLINE int xfn_redirect(struct xdp_md *ctx, const struct xfn_packet *pkt, __u32 slot)
{
	__u32 queue = ctx->rx_queue_index;

	if (queue >= XFN_QUEUES)
		return XDP_PASS;
	return bpf_redirect_map(
		&xfn_xsks, XFN_XSK_INDEX(queue, xfn_thread_of(ctx, pkt, queue, slot)), XDP_PASS);
}

#endif
