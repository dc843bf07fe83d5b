// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Is every frame of a queue in exactly one place? Reads all lists, changes none. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "afxdp_audit.h"
#include "afxdp_frames.h"

#define LOOKS 1000 /* while the kernel moves a frame from one ring to the next */

struct audit {
	const struct xfn_frames *frames;
	struct xfn_engine *const *threads;
	unsigned count;
	uint8_t *found;						 /* one for each frame: met */
	uint32_t rx[XFN_ENGINE_THREADS], tx[XFN_ENGINE_THREADS]; /* where the kernel is on these */
};

/* 1: that frame was not met before. 0: it was, or there is none at addr. */
static uint32_t meet(const struct audit *a, uint64_t addr)
{
	uint64_t frame = addr / a->frames->size;

	if (frame >= a->frames->count || a->found[frame])
		return 0;
	a->found[frame] = 1;
	return 1;
}

static uint32_t meet_list(const struct audit *a, const uint64_t *addr, uint32_t count)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
		n += meet(a, addr[i]);
	return n;
}

static uint32_t meet_ring(const struct audit *a, const uint64_t *addr, uint32_t size, uint32_t from,
			  uint32_t to)
{
	uint32_t n = 0;

	for (; from != to; from++)
		n += meet(a, addr[from & (size - 1)]);
	return n;
}

static uint32_t meet_rx(const struct audit *a, const struct xfn_engine *e, uint32_t to)
{
	const struct xdp_desc *entries = e->rx.entries;
	uint32_t n = 0;

	for (uint32_t from = e->rx.head; from != to; from++)
		n += meet(a, entries[from & (e->rx.size - 1)].addr);
	return n;
}

/*
 * Frames on a TX ring. Some kernels (6.1 and 6.12, not 6.18) may have sent the oldest of them,
 * without saying so on this ring, whereas the completion ring does: from the newest on, until one
 * was met there or anywhere behind it.
 */
static uint32_t meet_tx(const struct audit *a, const struct xfn_engine *e, uint32_t from)
{
	const struct xdp_desc *entries = e->tx.entries;
	uint32_t n = 0;

	while (e->tx.head - n != from &&
	       meet(a, entries[(e->tx.head - n - 1) & (e->tx.size - 1)].addr))
		n++;
	return n;
}

/* One look at all lists. False: they do not add up, be it because the kernel moves a frame now. */
static bool look(struct audit *a, struct xfn_engine_audit *out)
{
	const struct xfn_frames *f = a->frames;
	/* where the kernel puts frames before where it takes them: none is met on both */
	uint32_t on_fill = 0, on_send = 0, met = 0, comp, fill;

	*out = (struct xfn_engine_audit){ .total = f->count,
					  .free = f->free_count,
					  .filling = f->fill.head,
					  .sending = -f->comp.head };
	for (unsigned i = 0; i < a->count; i++)
		a->rx[i] = xfn_ring_load(a->threads[i]->rx.producer);
	comp = xfn_ring_load(f->comp.producer);
	fill = xfn_ring_load(f->fill.consumer);
	for (unsigned i = 0; i < a->count; i++)
		a->tx[i] = xfn_ring_load(a->threads[i]->tx.consumer);
	memset(a->found, 0, f->count);
	met += meet_list(a, f->free, f->free_count);
	met += meet_ring(a, f->fill.entries, f->fill.size, fill, f->fill.head);
	met += meet_ring(a, f->comp.entries, f->comp.size, f->comp.head, comp);
	on_fill = f->fill.head - fill;
	on_send = comp - f->comp.head;
	for (unsigned i = 0; i < a->count; i++) {
		const struct xfn_engine *e = a->threads[i];
		const struct xfn_return_ring *ring = &f->returns[i];

		out->filling -= ring->taken;
		out->sending += ring->sent;
		out->lent += e->lent;
		out->free += ring->head - ring->tail + e->spare_count;
		met += meet_ring(a, ring->entries, f->return_size, ring->tail, ring->head);
		met += meet_list(a, e->spare, e->spare_count);
		met += meet_rx(a, e, a->rx[i]);
		on_fill += a->rx[i] - e->rx.head;
	}
	/* last: what was met anywhere else is no longer to be sent */
	for (unsigned i = 0; i < a->count; i++) {
		uint32_t on_tx = meet_tx(a, a->threads[i], a->tx[i]);

		met += on_tx;
		on_send += on_tx;
	}
	out->held = (int32_t)(out->filling - on_fill + (out->sending - on_send));
	/* what is counted nowhere, and what was met twice in place of another */
	out->lost = (int32_t)(f->count - out->free - out->filling - out->lent - out->sending);
	out->lost += (int32_t)(out->free + on_fill + on_send - met);
	/* on its rings more than are counted */
	if (on_fill > out->filling || on_send > out->sending)
		out->lost++;
	return !out->lost;
}

/*
 * The kernel shows a received frame a moment before it shows that its place on the fill ring is
 * free: an audit that meets one on both looks again.
 */
void xfn_afxdp__audit(struct xfn_engine *const *threads, unsigned count,
		      struct xfn_engine_audit *out)
{
	struct audit a = { .frames = threads[0]->frames, .threads = threads, .count = count };

	a.found = malloc(a.frames->count);
	if (!a.found) {
		*out = (struct xfn_engine_audit){ .lost = -1 };
		return;
	}
	for (int i = 0; i < LOOKS && !look(&a, out); i++)
		sched_yield();
	free(a.found);
}
