// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Inside engine afxdp: frames in several descriptors (multi-buffer). A request is gathered into one
 * buffer, a reply is scattered over frames kept for that. Must never wait for the kernel.
 * Documentation/networking/af_xdp.rst.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "afxdp_multi_buffer.h"

int xfn_multi_buffer__open(struct xfn_engine *e, uint32_t longest)
{
	e->gather_len = 2 * longest; /* a reply may be longer, and a later MTU */
	e->gather = calloc(XFN_BATCH, e->gather_len);
	e->spare_max = XFN_BATCH * (e->gather_len / e->frames->size + 1);
	e->spare = calloc(e->spare_max, sizeof(*e->spare));
	if (!e->gather || !e->spare)
		return -ENOMEM;
	/* the first replies may take a frame more than their requests did */
	e->spare_count = xfn_frames__spare(e->frames, e->spare, XFN_BATCH);
	return 0;
}

int xfn_multi_buffer__gather(struct xfn_engine *e, uint32_t ready, struct xfn_datagram *d)
{
	const struct xdp_desc *entries = e->rx.entries;
	uint32_t n = 0;
	bool fits = true;

	while (n < ready && entries[(e->rx.head + n) & (e->rx.size - 1)].options & XDP_PKT_CONTD)
		n++;
	if (n++ == ready)
		return -1;
	d->len = 0;
	while (n--) {
		const struct xdp_desc *desc = &entries[e->rx.head++ & (e->rx.size - 1)];

		fits = fits && e->gather_len - d->len >= desc->len;
		if (fits) {
			memcpy(d->data + d->len, e->frames->memory + desc->addr, desc->len);
			d->len += desc->len;
		}
		if (e->spare_count < e->spare_max)
			e->spare[e->spare_count++] = desc->addr & ~(uint64_t)(e->frames->size - 1);
		else
			xfn_frames__return(e->frames, e->thread, desc->addr);
	}
	if (!fits) {
		e->stats.truncated++;
		return 0;
	}
	d->capacity = e->gather_len;
	d->send = false;
	d->may_wait = false; /* the buffer is the next batch's */
	d->token = XFN_GATHERED;
	return 1;
}

bool xfn_multi_buffer__scatter(struct xfn_engine *e, const struct xfn_datagram *d, uint32_t room)
{
	uint32_t size = e->frames->size, n = (d->len + size - 1) / size;
	struct xdp_desc *entries = e->tx.entries;

	if (n > room || n > e->spare_count)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = i * size;
		uint32_t len = i + 1 < n ? size : d->len - at;
		uint64_t addr = e->spare[--e->spare_count];

		memcpy(e->frames->memory + addr, d->data + at, len);
		entries[e->tx.head++ & (e->tx.size - 1)] = (struct xdp_desc){
			.addr = addr, .len = len, .options = i + 1 < n ? XDP_PKT_CONTD : 0
		};
	}
	return true;
}
