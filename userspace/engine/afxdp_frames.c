// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The frames that the sockets of a queue share, and who moves them (afxdp_frames.h). */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "afxdp_frames.h"

#define REFILL	32  /* frames worth a write to a ring that another CPU reads */
#define RESERVE 512 /* frames to be filled that threads which take none cannot use up */

/* The keeper's role. */
enum {
	REFILL_FREE,
	REFILL_HELD,
	REFILL_AGAIN, /* held, and somebody has come since */
};

int xfn_ring__map(struct xfn_ring *r, int fd, const struct xdp_ring_offset *off, uint32_t size,
		  size_t entry, off_t where)
{
	r->size = size;
	r->map_len = off->desc + size * entry;
	r->map = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
		      where);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return -errno;
	}
	madvise(r->map, r->map_len, MADV_DONTFORK);
	r->producer = (void *)((uint8_t *)r->map + off->producer);
	r->consumer = (void *)((uint8_t *)r->map + off->consumer);
	r->flags = (void *)((uint8_t *)r->map + off->flags);
	r->entries = (uint8_t *)r->map + off->desc;
	return 0;
}

void xfn_ring__unmap(struct xfn_ring *r)
{
	if (r->map)
		munmap(r->map, r->map_len);
	r->map = NULL;
}

/*
 * How many frames to leave with the kernel: what all but one of the threads at work may let wait on
 * their RX rings, and some for that one. A queue's only thread may have all.
 */
static uint32_t filling_goal(const struct xfn_frames *f, uint32_t at_work)
{
	uint32_t goal = (at_work > 2 ? at_work - 1 : 1) * f->rx_size + RESERVE;

	return f->threads > 1 && goal < f->fill.size ? goal : f->fill.size;
}

/*
 * Free frames to the kernel, as many as it is to have: before anything else, or packets are lost.
 * No more can stand on the ring than were put there and not yet taken, so its index, which another
 * CPU writes for each packet, is not looked at.
 */
static void refill(struct xfn_frames *f)
{
	uint32_t filling = f->fill.head, at_work = 0, goal, n;
	uint64_t *entries = f->fill.entries;

	for (unsigned i = 0; i < f->threads; i++) {
		uint32_t taken = xfn_ring_load(&f->returns[i].taken);

		filling -= taken;
		at_work += taken != 0;
	}
	goal = filling_goal(f, at_work);
	n = filling < goal ? goal - filling : 0;
	if (n > f->free_count)
		n = f->free_count;
	if (!n || (n < REFILL && filling > goal / 2))
		return;
	for (uint32_t i = 0; i < n; i++)
		entries[f->fill.head++ & (f->fill.size - 1)] = f->free[--f->free_count];
	xfn_ring_store(f->fill.producer, f->fill.head);
}

/* Sent frames are free again. */
static void reap(struct xfn_frames *f)
{
	uint32_t head = f->comp.head, ready = xfn_ring_load(f->comp.producer) - head;
	const uint64_t *entries = f->comp.entries;

	if (!ready)
		return;
	for (uint32_t i = 0; i < ready; i++)
		f->free[f->free_count++] =
			entries[head++ & (f->comp.size - 1)] & ~(uint64_t)(f->size - 1);
	__atomic_store_n(&f->comp.head, head, __ATOMIC_RELAXED); /* xfn_frames__sending looks */
	xfn_ring_store(f->comp.consumer, head);
}

static void collect(struct xfn_frames *f, struct xfn_return_ring *ring)
{
	uint32_t head = xfn_ring_load(&ring->head);

	for (; ring->tail != head; ring->tail++)
		f->free[f->free_count++] = ring->entries[ring->tail & (f->return_size - 1)];
}

/* False: another has the role, and knows that we came. */
static bool take_refill(struct xfn_frames *f)
{
	uint32_t was = REFILL_FREE;

	while (!__atomic_compare_exchange_n(&f->refill_owner, &was,
					    was == REFILL_FREE ? REFILL_HELD : REFILL_AGAIN, false,
					    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		;
	return was == REFILL_FREE;
}

/* False: somebody has come meanwhile, the role is still ours. */
static bool leave_refill(struct xfn_frames *f)
{
	uint32_t was = REFILL_HELD;

	if (__atomic_compare_exchange_n(&f->refill_owner, &was, REFILL_FREE, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return true;
	__atomic_exchange_n(&f->refill_owner, REFILL_HELD, __ATOMIC_ACQ_REL);
	return false;
}

void xfn_frames__replenish(struct xfn_frames *f)
{
	if (!take_refill(f))
		return;
	do {
		reap(f);
		for (unsigned i = 0; i < f->threads; i++)
			collect(f, &f->returns[i]);
		refill(f);
	} while (!leave_refill(f));
}

uint32_t xfn_frames__sending(const struct xfn_frames *f)
{
	uint32_t sending = -__atomic_load_n(&f->comp.head, __ATOMIC_RELAXED);

	for (unsigned i = 0; i < f->threads; i++)
		sending += __atomic_load_n(&f->returns[i].sent, __ATOMIC_RELAXED);
	return sending;
}

uint32_t xfn_frames__spare(struct xfn_frames *f, uint64_t *out, uint32_t n)
{
	uint32_t taken = 0;

	while (taken < n && f->free_count)
		out[taken++] = f->free[--f->free_count];
	return taken;
}

int xfn_frames__open(struct xfn_frames **out, const struct xfn_engine_config *cfg, int fd,
		     const struct xdp_mmap_offsets *off)
{
	struct xfn_frames *f = aligned_alloc(XFN_CACHE_LINE, sizeof(*f));
	int ret;

	*out = f;
	if (!f)
		return -ENOMEM;
	*f = (struct xfn_frames){ .len = cfg->umem_len,
				  .size = cfg->frame_size,
				  .count = cfg->umem_len / cfg->frame_size,
				  .threads = cfg->socket_count,
				  .rx_size = cfg->sockets->rx_size,
				  .return_size = 1 };
	while (f->return_size < f->count)
		f->return_size *= 2;
	f->memory = mmap(NULL, f->len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			 cfg->umem_fd, 0);
	if (f->memory == MAP_FAILED) {
		f->memory = NULL;
		return -errno;
	}
	f->free = calloc(f->count, sizeof(*f->free));
	if (!f->free)
		return -ENOMEM;
	for (unsigned i = 0; i < f->threads; i++) {
		f->returns[i].entries = calloc(f->return_size, sizeof(*f->returns[i].entries));
		if (!f->returns[i].entries)
			return -ENOMEM;
	}
	ret = xfn_ring__map(&f->fill, fd, &off->fr, cfg->fill_size, sizeof(uint64_t),
			    XDP_UMEM_PGOFF_FILL_RING);
	ret = ret   ?:
		      xfn_ring__map(&f->comp, fd, &off->cr, cfg->comp_size, sizeof(uint64_t),
				    XDP_UMEM_PGOFF_COMPLETION_RING);
	while (f->free_count < f->count) {
		f->free[f->free_count] = (uint64_t)f->free_count * f->size;
		f->free_count++;
	}
	return ret;
}

void xfn_frames__close(struct xfn_frames *f)
{
	if (!f)
		return;
	xfn_ring__unmap(&f->fill);
	xfn_ring__unmap(&f->comp);
	if (f->memory)
		munmap(f->memory, f->len);
	for (unsigned i = 0; i < f->threads; i++)
		free(f->returns[i].entries);
	free(f->free);
	free(f);
}
