/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inside engine afxdp: the rings of one socket, and the frames that the sockets of a queue share.
 *
 * The threads of a queue have sockets of their own on one UMEM (XDP_SHARED_UMEM), so RX and TX
 * rings of their own, but the kernel knows one fill and one completion ring for all of them. These
 * have one producer, and one consumer, at a time: whoever holds the role of their keeper. A thread
 * that wants them kept takes the role if it is free, else leaves word with its holder, who then
 * goes over them once more; so nobody waits for another, nothing left is forgotten, and a thread
 * that stays in a slow function, or sleeps, holds up none of the others. What a thread has to give
 * back it puts on a ring of its own, whose consumer is the keeper; what it took from its RX ring
 * and put on its TX ring it only counts. Documentation/networking/af_xdp.rst.
 */
#ifndef XFN_ENGINE_AFXDP_FRAMES_H
#define XFN_ENGINE_AFXDP_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/if_xdp.h>
#include "engine.h"
#include "send.h"

#define XFN_CACHE_LINE 64

/* A ring shared with the kernel. */
struct xfn_ring {
	uint32_t *producer, *consumer, *flags;
	void *entries; /* uint64_t of fill and completion, struct xdp_desc of RX and TX */
	uint32_t size;
	uint32_t head; /* our own index: the producer's where we produce, else the consumer's */
	void *map;
	size_t map_len;
};

/* What one thread tells the keeper. Written by that thread, `tail` by the keeper. */
struct xfn_return_ring {
	uint32_t taken;	   /* frames from the RX ring, ever */
	uint32_t sent;	   /* frames to the TX ring, ever */
	uint32_t head;	   /* frames given back, ever */
	uint64_t *entries; /* the ring of these; it has room for all frames there are */
	uint32_t tail __attribute__((aligned(XFN_CACHE_LINE)));
} __attribute__((aligned(XFN_CACHE_LINE)));

/* The frames of one queue. */
struct xfn_frames {
	uint8_t *memory;
	uint64_t len;	/* bytes */
	uint32_t size;	/* of each, a power of two */
	uint32_t count; /* in all */
	uint32_t threads;
	uint32_t rx_size;     /* of each lane's RX ring */
	uint32_t return_size; /* entries of a lane's ring, a power of two */
	uint32_t refill_owner __attribute__((aligned(XFN_CACHE_LINE))); /* the keeper's, see keep */
	/* the keeper's: */
	struct xfn_ring fill, comp;
	uint32_t free_count;
	uint64_t *free;
	struct xfn_return_ring returns[XFN_ENGINE_THREADS];
};

/* One thread's socket. */
struct xfn_engine {
	int fd;
	bool spin;
	bool known;		      /* so is this: */
	bool zero_copy;		      /* the kernel's, once bound */
	unsigned kicks;		      /* sendto calls per round at most */
	uint64_t busy_ns, busy_until; /* busy polling, if any; its end, 0: not begun */
	struct xfn_frames *frames;    /* the first thread's to free */
	unsigned thread;
	struct xfn_ring rx, tx;
	int sender; /* AF_PACKET socket that sends in place of the TX ring, or -1 */
	struct xfn_frame_sender *by; /* then: for its batches */
	uint32_t unkept;	     /* frames moved since the shared rings were kept */
	uint32_t lent;
	uint32_t skip, in_vain; /* sleeps to begin at once; looks at the ring that were in vain */
	uint8_t *gather;	/* XFN_BATCH buffers for frames in several, or NULL */
	uint32_t gather_len;	/* of each */
	uint64_t *spare;	/* frames for replies in such buffers */
	uint32_t spare_count, spare_max;
	struct xfn_engine_stats stats;
	uint64_t dropped; /* by the kernel, when last asked */
};

static inline uint32_t xfn_ring_load(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static inline void xfn_ring_store(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

/* Map one ring of `size` entries of `entry` bytes of socket fd. 0 or -errno. */
int xfn_ring__map(struct xfn_ring *r, int fd, const struct xdp_ring_offset *off, uint32_t size,
		  size_t entry, off_t where);
void xfn_ring__unmap(struct xfn_ring *r);

/*
 * Map a queue's frames and its shared rings, which the kernel has at socket fd. Every frame is free
 * then. 0 or -errno; the caller frees with xfn_frames__close also after an error.
 */
int xfn_frames__open(struct xfn_frames **out, const struct xfn_engine_config *cfg, int fd,
		     const struct xdp_mmap_offsets *off);
void xfn_frames__close(struct xfn_frames *f);
/* Take up to n free ones for a thread's own use, before any thread runs. Returns how many. */
uint32_t xfn_frames__spare(struct xfn_frames *f, uint64_t *out, uint32_t n);
/* Sent frames and those given back become free ones, free ones go to the kernel to be filled. */
void xfn_frames__replenish(struct xfn_frames *f);
/* Frames with the kernel to be sent. While others run, as it was a moment ago. */
uint32_t xfn_frames__sending(const struct xfn_frames *f);

/* Give a frame back, whatever address in it is known. Called by the lane's thread only. */
static inline void xfn_frames__return(struct xfn_frames *f, unsigned thread, uint64_t addr)
{
	struct xfn_return_ring *ring = &f->returns[thread];

	ring->entries[ring->head & (f->return_size - 1)] = addr & ~(uint64_t)(f->size - 1);
	xfn_ring_store(&ring->head, ring->head + 1);
}

#endif
