// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * AF_XDP: frames of one queue through the rings of one socket that the supervisor bound (umem.h).
 * Each frame is in one place: free, with the kernel to be filled, lent to the worker, or with the
 * kernel to be sent. One thread works all four rings. Documentation/networking/af_xdp.rst.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/if_xdp.h>
#include "engine.h"

#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0) /* since 6.6: the frame goes on in the next descriptor */
#endif
#define ASSEMBLED UINT64_MAX /* token: in a buffer of our own, its frames given back already */

#define AWAKE_NS    4000
#define IN_VAIN_MAX 10
#define REFILL	    32 /* frames worth a write to a ring that another CPU reads */
#define KICKS	    8  /* sendto calls per round at most: in copy mode each sends up to 32 frames */
#define LOOKS	    1000 /* of an audit, while the kernel moves a frame from one ring to the next */

struct ring {
	uint32_t *producer, *consumer, *flags;
	void *entries; /* uint64_t of fill and completion, struct xdp_desc of RX and TX */
	uint32_t size;
	uint32_t head; /* our own index: the producer's where we produce, else the consumer's */
	void *map;
	size_t map_len;
};

struct xfn_engine {
	int fd;
	bool spin;
	uint8_t *umem;
	uint64_t umem_len;
	uint32_t frame_size;
	struct ring rx, tx, fill, comp;
	uint32_t sending; /* frames with the kernel to be sent */
	uint32_t filling; /* frames with the kernel to be filled */
	uint32_t lent;
	uint32_t skip, in_vain; /* sleeps to begin at once; looks at the ring that were in vain */
	uint32_t free_count;
	uint64_t *free_frames;
	uint32_t frames;       /* in all */
	uint8_t *found;	       /* one for each: an audit has met it */
	uint8_t *assembly;     /* XFN_BATCH buffers for frames in several, or NULL */
	uint32_t assembly_len; /* of each */
	struct xfn_engine_stats stats;
};

static uint32_t load(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void store(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

static int map_ring(struct ring *r, int fd, const struct xdp_ring_offset *off, uint32_t size,
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
	r->producer = (void *)((uint8_t *)r->map + off->producer);
	r->consumer = (void *)((uint8_t *)r->map + off->consumer);
	r->flags = (void *)((uint8_t *)r->map + off->flags);
	r->entries = (uint8_t *)r->map + off->desc;
	return 0;
}

/*
 * Free frames to the kernel, as many as the ring takes: before anything else, or packets are lost.
 * No more can stand on the ring than the kernel has: so its index, which another CPU writes for
 * each packet, is not looked at.
 */
static void refill(struct xfn_engine *e)
{
	uint32_t room = e->fill.size - e->filling;
	uint32_t n = e->free_count < room ? e->free_count : room;
	uint64_t *entries = e->fill.entries;

	if (n < REFILL && e->filling > e->fill.size / 2)
		return;
	for (uint32_t i = 0; i < n; i++)
		entries[e->fill.head++ & (e->fill.size - 1)] = e->free_frames[--e->free_count];
	e->filling += n;
	store(e->fill.producer, e->fill.head);
}

static void release(struct xfn_engine *e, uint64_t addr)
{
	e->free_frames[e->free_count++] = addr & ~(uint64_t)(e->frame_size - 1);
}

/* Sent frames are free again. */
static void reap(struct xfn_engine *e)
{
	uint32_t ready = load(e->comp.producer) - e->comp.head;
	const uint64_t *entries = e->comp.entries;

	if (!ready)
		return;
	for (uint32_t i = 0; i < ready; i++)
		release(e, entries[e->comp.head++ & (e->comp.size - 1)]);
	e->sending -= ready;
	store(e->comp.consumer, e->comp.head);
}

/* Let the kernel send what stands on the ring; what it leaves is kicked again in the next round. */
static void kick(struct xfn_engine *e)
{
	for (int i = 0; i < KICKS && load(e->tx.consumer) != e->tx.head; i++) {
		if (!(load(e->tx.flags) & XDP_RING_NEED_WAKEUP))
			return;
		e->stats.wakeups++;
		/*
		 * EAGAIN: a batch is sent and more is there. EBUSY: one frame was dropped, without
		 * carrier for example. Else the device takes none: later.
		 */
		if (sendto(e->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN &&
		    errno != EBUSY)
			break;
	}
	reap(e);
}

static void afxdp_close(struct xfn_engine *e)
{
	struct ring *rings[] = { &e->rx, &e->tx, &e->fill, &e->comp };

	for (int i = 0; i < 4; i++)
		if (rings[i]->map)
			munmap(rings[i]->map, rings[i]->map_len);
	if (e->umem)
		munmap(e->umem, e->umem_len);
	free(e->free_frames);
	free(e->found);
	free(e->assembly);
	if (e->fd >= 0)
		close(e->fd);
	free(e);
}

static int afxdp_open(struct xfn_engine **out, const struct xfn_engine_config *cfg, char *err,
		      size_t errlen)
{
	const struct xfn_engine_socket *sock = cfg->sockets;
	struct xfn_engine *e = calloc(1, sizeof(*e));
	struct xdp_mmap_offsets off;
	socklen_t len = sizeof(off);
	int ret = 0;

	if (!e) {
		snprintf(err, errlen, "out of memory");
		return -ENOMEM;
	}
	e->fd = -1;
	if (cfg->socket_count != 1 || !cfg->frame_size ||
	    (cfg->frame_size & (cfg->frame_size - 1))) {
		snprintf(err, errlen, "engine afxdp wants one socket and frames of a power of two");
		free(e);
		return -EINVAL;
	}
	e->fd = sock->fd;
	e->spin = cfg->spin;
	e->frame_size = cfg->frame_size;
	e->umem_len = cfg->umem_len;
	e->frames = cfg->umem_len / cfg->frame_size;
	e->free_frames = calloc(e->frames, sizeof(*e->free_frames));
	e->found = calloc(e->frames, 1);
	e->umem = mmap(NULL, cfg->umem_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		       cfg->umem_fd, 0);
	if (e->umem == MAP_FAILED)
		e->umem = NULL;
	if (cfg->longest) {
		e->assembly_len = 2 * cfg->longest; /* a reply may be longer, and a later MTU */
		e->assembly = calloc(XFN_BATCH, e->assembly_len);
	}
	if (!e->free_frames || !e->found || !e->umem || (cfg->longest && !e->assembly) ||
	    getsockopt(e->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len) || len != sizeof(off))
		ret = -(errno ?: EINVAL);
	ret = ret   ?:
		      map_ring(&e->rx, e->fd, &off.rx, sock->rx_size, sizeof(struct xdp_desc),
			       XDP_PGOFF_RX_RING);
	ret = ret   ?:
		      map_ring(&e->tx, e->fd, &off.tx, sock->tx_size, sizeof(struct xdp_desc),
			       XDP_PGOFF_TX_RING);
	ret = ret   ?:
		      map_ring(&e->fill, e->fd, &off.fr, cfg->fill_size, sizeof(uint64_t),
			       XDP_UMEM_PGOFF_FILL_RING);
	ret = ret   ?:
		      map_ring(&e->comp, e->fd, &off.cr, cfg->comp_size, sizeof(uint64_t),
			       XDP_UMEM_PGOFF_COMPLETION_RING);
	if (ret) {
		snprintf(err, errlen, "cannot map the AF_XDP rings of queue %u: %s", sock->queue,
			 strerror(-ret));
		afxdp_close(e);
		return ret;
	}
	for (uint32_t i = 0; i < e->frames; i++)
		release(e, (uint64_t)i * e->frame_size);
	refill(e);
	*out = e;
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/*
 * Look at the ring for as long as falling asleep and being woken would take. Where that was in vain
 * the next 2, 4, ... 1024 sleeps begin at once: who waits for its reply before it asks again finds
 * us awake, all others cost no CPU.
 */
static bool arrives_soon(struct xfn_engine *e)
{
	uint64_t until;

	if (e->skip) {
		e->skip--;
		return false;
	}
	until = now_ns() + AWAKE_NS;
	do {
		if (load(e->rx.producer) != e->rx.head) {
			e->in_vain = 0;
			return true;
		}
	} while (now_ns() < until);
	if (e->in_vain < IN_VAIN_MAX)
		e->in_vain++;
	e->skip = 1u << e->in_vain;
	return false;
}

static int afxdp_poll(struct xfn_engine *e, int timeout_ms)
{
	struct pollfd wait = { .fd = e->fd, .events = POLLIN };

	refill(e);
	if (e->sending)
		kick(e);
	e->stats.wakeups++;
	if (e->spin) {
		if (load(e->fill.flags) & XDP_RING_NEED_WAKEUP)
			recvfrom(e->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
		return 0;
	}
	if (arrives_soon(e))
		return 0;
	/* Frames that the device left must be kicked again soon. */
	if (e->sending && timeout_ms > 1)
		timeout_ms = 1;
	if (poll(&wait, 1, timeout_ms) < 0)
		return errno == EINTR ? 0 : -errno;
	return wait.revents & (POLLERR | POLLHUP | POLLNVAL) ? -ENODEV : 0;
}

/*
 * One frame of several descriptors into its buffer, the frames given back at once. 1: assembled; 0:
 * longer than any frame may be, dropped and counted; -1: the rest is not there yet.
 */
static int assemble(struct xfn_engine *e, uint32_t ready, struct xfn_datagram *d)
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

		fits = fits && e->assembly_len - d->len >= desc->len;
		if (fits) {
			memcpy(d->data + d->len, e->umem + desc->addr, desc->len);
			d->len += desc->len;
		}
		release(e, desc->addr);
	}
	if (!fits) {
		e->stats.truncated++;
		return 0;
	}
	d->capacity = e->assembly_len;
	d->send = false;
	d->token = ASSEMBLED;
	return 1;
}

static unsigned afxdp_take(struct xfn_engine *e, struct xfn_datagram *batch, unsigned max)
{
	const struct xdp_desc *entries = e->rx.entries;
	uint32_t ready, first;
	unsigned n;
	int ret;

	reap(e);
	refill(e);
	first = e->rx.head;
	ready = load(e->rx.producer) - first;
	for (n = 0; n < max && e->rx.head - first < ready;) {
		const struct xdp_desc *desc = &entries[e->rx.head & (e->rx.size - 1)];
		struct xfn_datagram *d = &batch[n];

		if (desc->options & XDP_PKT_CONTD) {
			uint32_t left = first + ready - e->rx.head;

			d->data = e->assembly + (size_t)n * e->assembly_len;
			ret = assemble(e, left, d);
			if (ret < 0)
				break;
			n += ret;
			continue;
		}
		e->rx.head++;
		n++;
		e->lent++;
		d->data = e->umem + desc->addr;
		d->len = desc->len;
		d->capacity = e->frame_size - (desc->addr & (e->frame_size - 1));
		d->sum = XFN_FRAME_SUM_UNKNOWN;
		d->send = false;
		d->token = desc->addr;
	}
	if (e->rx.head != first) {
		store(e->rx.consumer, e->rx.head);
		e->filling -= e->rx.head - first;
		e->stats.received += n;
	}
	return n;
}

/* A reply from its buffer into as many frames as it takes. False: no room, or none free. */
static bool disassemble(struct xfn_engine *e, const struct xfn_datagram *d, uint32_t room)
{
	uint32_t n = (d->len + e->frame_size - 1) / e->frame_size;
	struct xdp_desc *entries = e->tx.entries;

	if (n > room || n > e->free_count)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = i * e->frame_size;
		uint32_t len = i + 1 < n ? e->frame_size : d->len - at;
		uint64_t addr = e->free_frames[--e->free_count];

		memcpy(e->umem + addr, d->data + at, len);
		entries[e->tx.head++ & (e->tx.size - 1)] = (struct xdp_desc){
			.addr = addr, .len = len, .options = i + 1 < n ? XDP_PKT_CONTD : 0
		};
	}
	return true;
}

static void afxdp_give(struct xfn_engine *e, struct xfn_datagram *batch, unsigned count)
{
	struct xdp_desc *entries = e->tx.entries;
	uint32_t room = e->tx.size - (e->tx.head - load(e->tx.consumer));
	uint32_t first = e->tx.head;
	unsigned sent = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct xfn_datagram *d = &batch[i];
		bool own = d->token == ASSEMBLED;

		e->lent -= !own;
		if (own && d->send && disassemble(e, d, room - (e->tx.head - first))) {
			sent++;
			continue;
		}
		if (!own && d->send && e->tx.head - first < room) {
			entries[e->tx.head++ & (e->tx.size - 1)] =
				(struct xdp_desc){ .addr = d->token, .len = d->len };
			sent++;
			continue;
		}
		if (d->send) {
			e->stats.send_failed++;
			e->stats.stalls++;
		}
		if (!own)
			release(e, d->token);
	}
	e->sending += e->tx.head - first;
	e->stats.sent += sent;
	if (e->tx.head != first)
		store(e->tx.producer, e->tx.head);
	refill(e);
	if (e->sending)
		kick(e);
}

static void afxdp_stats(const struct xfn_engine *e, struct xfn_engine_stats *out)
{
	struct xdp_statistics kernel = {};
	socklen_t len = sizeof(kernel);

	*out = e->stats;
	if (!getsockopt(e->fd, SOL_XDP, XDP_STATISTICS, &kernel, &len))
		out->stalls += kernel.rx_dropped + kernel.rx_ring_full;
}

/* 1: that frame was not met before. 0: it was, or there is none at addr. */
static uint32_t meet(struct xfn_engine *e, uint64_t addr)
{
	uint64_t frame = addr / e->frame_size;

	if (frame >= e->frames || e->found[frame])
		return 0;
	e->found[frame] = 1;
	return 1;
}

static uint32_t meet_ring(struct xfn_engine *e, const struct ring *r, uint32_t from, uint32_t to,
			  bool descriptors)
{
	const struct xdp_desc *desc = r->entries;
	const uint64_t *addr = r->entries;
	uint32_t n = 0;

	for (; from != to; from++)
		n += meet(e, descriptors ? desc[from & (r->size - 1)].addr :
					   addr[from & (r->size - 1)]);
	return n;
}

/*
 * Frames on the TX ring. Some kernels (6.1 and 6.12, not 6.18) may have sent the oldest of them,
 * without saying so on this ring, whereas the completion ring does: from the newest on, until one
 * was met there or anywhere behind it.
 */
static uint32_t meet_tx(struct xfn_engine *e, uint32_t from)
{
	const struct xdp_desc *entries = e->tx.entries;
	uint32_t n = 0;

	while (e->tx.head - n != from &&
	       meet(e, entries[(e->tx.head - n - 1) & (e->tx.size - 1)].addr))
		n++;
	return n;
}

/* One look at all lists. False: they do not add up, be it because the kernel moves a frame now. */
static bool look(struct xfn_engine *e, struct xfn_engine_audit *out)
{
	/* where the kernel puts frames before where it takes them: none is met on both */
	uint32_t rx = load(e->rx.producer), comp = load(e->comp.producer);
	uint32_t fill = load(e->fill.consumer), tx = load(e->tx.consumer);
	uint32_t on_fill = e->fill.head - fill + (rx - e->rx.head);
	uint32_t on_send = comp - e->comp.head;
	uint32_t met = 0, on_tx;

	*out = (struct xfn_engine_audit){ .total = e->frames,
					  .free = e->free_count,
					  .filling = e->filling,
					  .lent = e->lent,
					  .sending = e->sending };
	memset(e->found, 0, e->frames);
	for (uint32_t i = 0; i < e->free_count; i++)
		met += meet(e, e->free_frames[i]);
	met += meet_ring(e, &e->fill, fill, e->fill.head, false);
	met += meet_ring(e, &e->rx, e->rx.head, rx, true);
	met += meet_ring(e, &e->comp, e->comp.head, comp, false);
	on_tx = meet_tx(e, tx);
	met += on_tx;
	on_send += on_tx;
	out->held = (int32_t)(e->filling - on_fill + (e->sending - on_send));
	/* what is counted nowhere, and what was met twice in place of another */
	out->lost = (int32_t)(e->frames - e->free_count - e->filling - e->lent - e->sending);
	out->lost += (int32_t)(e->free_count + on_fill + on_send - met);
	/* on its rings more than are counted */
	if (on_fill > e->filling || on_send > e->sending)
		out->lost++;
	return !out->lost;
}

/*
 * The kernel shows a received frame a moment before it shows that its place on the fill ring is
 * free: an audit that meets one on both looks again.
 */
static void afxdp_audit(struct xfn_engine *e, struct xfn_engine_audit *out)
{
	for (int i = 0; i < LOOKS && !look(e, out); i++)
		sched_yield();
}

const struct xfn_engine_ops xfn_engine_afxdp = {
	.name = "afxdp",
	.kind = XFN_FRAME,
	.open = afxdp_open,
	.poll = afxdp_poll,
	.take = afxdp_take,
	.give = afxdp_give,
	.stats = afxdp_stats,
	.audit = afxdp_audit,
	.close = afxdp_close,
};
