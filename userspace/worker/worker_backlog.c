// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Fairness among the functions of a thread. Nothing is timed while rounds are short. Once one was
 * long, calls are, and requests of functions whose calls are slow wait for their turn: it comes
 * after each round of the others, and is bounded. A single call cannot be cut short: who cannot
 * wait for one gets a worker of his own (--dedicate).
 */
#include "../../xdp/units.h"
#include "worker_inside.h"

#define LONG_NS XFN_NSEC_PER_MSEC /* a round */
#define TURN_NS XFN_NSEC_PER_MSEC /* of slow functions */
#define WATCH_NS                                                                                   \
	(10 * XFN_NSEC_PER_SEC) /* calls are watched for so long after the last long round */

void xfn_backlog__watch(struct xfn_worker_thread *t)
{
	uint64_t now = xfn_now_ns();

	if (now - t->now_ns > LONG_NS)
		t->backlog.until_ns = now + WATCH_NS;
	t->now_ns = now;
	t->call.watched = now < t->backlog.until_ns;
}

unsigned xfn_backlog__keep(struct xfn_worker_thread *t, unsigned n)
{
	struct xfn_backlog *b = &t->backlog;
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		struct xfn_datagram *d = &t->batch[i];

		if (d->may_wait && d->waits && b->head - b->tail < XFN_BACKLOG) {
			d->may_wait = false; /* no longer than until its turn */
			b->waiting[b->head++ % XFN_BACKLOG] = *d;
			continue;
		}
		if (d->may_wait && d->waits) {
			t->page->reasons[XFN_REASON_BACKLOG]++;
			t->page->slots[d->slot].dropped++;
		}
		t->batch[left++] = *d;
	}
	return left;
}

unsigned xfn_backlog__work(struct xfn_worker_thread *t)
{
	uint64_t begin = xfn_now_ns();
	struct xfn_backlog *b = &t->backlog;
	unsigned n = 0;

	do {
		struct xfn_datagram *d = &b->waiting[b->tail++ % XFN_BACKLOG];

		xfn_call__batch(&t->call, t->ops->kind, d, 1);
		t->ops->give(t->engine, d, 1);
		n++;
	} while (b->tail != b->head && xfn_now_ns() - begin < TURN_NS);
	/* its calls are what made the round long */
	xfn_backlog__watch(t);
	return n;
}
