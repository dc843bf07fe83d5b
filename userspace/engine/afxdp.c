// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * AF_XDP: frames of one queue through the RX and TX ring of one socket that the supervisor bound
 * (umem.h). Each frame is in one place: free, with the kernel to be filled, lent to the worker, or
 * with the kernel to be sent. One thread works these two rings; the fill and completion rings are
 * shared by all threads of the queue (afxdp_frames.h). A queue that only receives sends by
 * another socket (send.h). Documentation/networking/af_xdp.rst.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "afxdp_audit.h"
#include "afxdp_frames.h"
#include "afxdp_multi_buffer.h"
#include "../host/now.h"

#define AWAKE_NS    4000
#define IN_VAIN_MAX 10
#define KEEP	    32 /* frames moved that are worth a look at the shared rings */
#define KICKS	    8  /* sendto calls per round at most: in copy mode each sends up to 32 frames */

static void give_back(struct xfn_engine *e, uint64_t addr)
{
	xfn_frames__return(e->frames, e->thread, addr);
}

/* Let the kernel look at the fill ring, or work the queue off where it is polled. */
static void wake(struct xfn_engine *e)
{
	e->stats.wakeups++;
	recvfrom(e->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static bool wants_frames(const struct xfn_engine *e)
{
	return xfn_ring_load(e->frames->fill.flags) & XDP_RING_NEED_WAKEUP;
}

static void keep(struct xfn_engine *e)
{
	e->unkept = 0;
	xfn_frames__replenish(e->frames);
	/* a NIC that had run out of frames waits to be told that there are some */
	if (e->zero_copy && wants_frames(e))
		wake(e);
}

/* The socket was bound after it was opened here, and has taken its first frame. */
static void learn(struct xfn_engine *e)
{
	struct xdp_options options = {};
	socklen_t len = sizeof(options);

	e->known = true;
	e->zero_copy = !getsockopt(e->fd, SOL_XDP, XDP_OPTIONS, &options, &len) &&
		       options.flags & XDP_OPTIONS_ZEROCOPY;
	/* there the call does not send, it has the driver called */
	if (e->zero_copy)
		e->kicks = 1;
}

/*
 * Let the kernel send what stands on the ring. True: it took some of that and left some, which may
 * go on at once. What it takes none of is kicked again in the next round. Kernels before 6.17 move
 * the ring's index only when they have read all that they saw there.
 */
static bool kick(struct xfn_engine *e)
{
	uint32_t first = xfn_ring_load(e->tx.consumer), at = first, was;
	bool dropped = false;

	for (unsigned i = 0; i < e->kicks && at != e->tx.head; i++) {
		int ret;

		if (!(xfn_ring_load(e->tx.flags) & XDP_RING_NEED_WAKEUP))
			return false;
		e->stats.wakeups++;
		ret = sendto(e->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) ? errno : 0;
		was = at;
		at = xfn_ring_load(e->tx.consumer);
		/*
		 * EAGAIN: a batch is sent and more is there. EBUSY: in copy mode one reply was
		 * dropped, without carrier for example. Else the device takes none: later.
		 */
		if (ret && ret != EAGAIN && ret != EBUSY)
			return false;
		if (e->zero_copy)
			continue;
		if (ret == EBUSY) {
			e->stats.sent--;
			e->stats.send_failed++;
			dropped = true;
		}
		/* without a TX queue of its number the kernel calls it a success to send nothing */
		if (!ret && at == was)
			break;
	}
	return (dropped || at != first) && at != e->tx.head && !e->zero_copy;
}

static void afxdp_close(struct xfn_engine *e)
{
	xfn_ring__unmap(&e->rx);
	xfn_ring__unmap(&e->tx);
	if (!e->thread)
		xfn_frames__close(e->frames);
	free(e->gather);
	free(e->spare);
	free(e->by);
	if (e->fd >= 0)
		close(e->fd);
	if (e->sender >= 0)
		close(e->sender);
	free(e);
}

static int map_rings(struct xfn_engine *e, const struct xfn_engine_config *cfg)
{
	const struct xfn_engine_socket *sock = &cfg->sockets[cfg->thread];
	struct xdp_mmap_offsets off;
	socklen_t len = sizeof(off);
	int ret;

	if (getsockopt(e->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len))
		return -errno;
	if (len != sizeof(off))
		return -EINVAL;
	ret = xfn_ring__map(&e->rx, e->fd, &off.rx, sock->rx_size, sizeof(struct xdp_desc),
			    XDP_PGOFF_RX_RING);
	ret = ret   ?:
		      xfn_ring__map(&e->tx, e->fd, &off.tx, sock->tx_size, sizeof(struct xdp_desc),
				    XDP_PGOFF_TX_RING);
	if (!ret && !cfg->thread)
		ret = xfn_frames__open(&e->frames, cfg, e->fd, &off);
	return ret;
}

static int afxdp_open(struct xfn_engine **out, const struct xfn_engine_config *cfg,
		      struct xfn_error *err)
{
	struct xfn_engine *e = calloc(1, sizeof(*e));
	int ret = 0;

	if (!e)
		return xfn_fail(err, -ENOMEM, "out of memory");
	e->fd = e->sender = -1;
	if (cfg->socket_count <= cfg->thread || cfg->socket_count > XFN_ENGINE_THREADS ||
	    !cfg->thread != !cfg->first || !cfg->frame_size ||
	    (cfg->frame_size & (cfg->frame_size - 1))) {
		xfn_error__set(
			err,
			"engine afxdp wants a socket for each thread, and frames of a power of two");
		free(e);
		return -EINVAL;
	}
	e->fd = cfg->sockets[cfg->thread].fd;
	e->spin = cfg->spin;
	e->kicks = KICKS;
	e->busy_ns = cfg->busy_us * 1000ull;
	e->thread = cfg->thread;
	if (cfg->first)
		e->frames = cfg->first->frames;
	ret = map_rings(e, cfg);
	if (!ret && cfg->longest)
		ret = xfn_multi_buffer__open(e, cfg->longest);
	if (!ret && cfg->thread < cfg->sender_count) {
		e->sender = cfg->sender[cfg->thread];
		e->by = calloc(1, sizeof(*e->by));
		ret = e->by ? 0 : -ENOMEM;
	}
	if (ret) {
		xfn_error__set(err, "cannot map the AF_XDP rings of queue %u: %s",
			       cfg->sockets[cfg->thread].queue, strerror(-ret));
		afxdp_close(e);
		return ret;
	}
	keep(e);
	*out = e;
	return 0;
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
	until = xfn_now_ns() + AWAKE_NS;
	do {
		if (xfn_ring_load(e->rx.producer) != e->rx.head) {
			e->in_vain = 0;
			return true;
		}
	} while (xfn_now_ns() < until);
	if (e->in_vain < IN_VAIN_MAX)
		e->in_vain++;
	e->skip = 1u << e->in_vain;
	return false;
}

/* Work the queue off, and go on doing so for a while where nothing came. False: it was in vain. */
static bool polls_on(struct xfn_engine *e)
{
	uint64_t now;

	wake(e);
	if (xfn_ring_load(e->rx.producer) != e->rx.head) {
		e->busy_until = 0;
		return true;
	}
	now = xfn_now_ns();
	if (!e->busy_until)
		e->busy_until = now + e->busy_ns;
	if (e->spin || now < e->busy_until)
		return true;
	e->busy_until = 0;
	return false;
}

static int afxdp_poll(struct xfn_engine *e, int timeout_ms)
{
	struct pollfd wait = { .fd = e->fd, .events = POLLIN };
	bool more = kick(e);

	keep(e);
	if (more)
		return 0;
	if (e->busy_ns && polls_on(e))
		return 0;
	if (e->spin) {
		if (wants_frames(e))
			wake(e);
		return 0;
	}
	e->stats.wakeups++;
	if (!e->busy_ns && arrives_soon(e))
		return 0;
	/* Frames that the device left must be kicked again soon, and those it sent be kept. */
	if (timeout_ms > 1 && xfn_frames__sending(e->frames))
		timeout_ms = 1;
	/* In copy mode poll(2) sends too, and does not tell of what it dropped. */
	if (!e->zero_copy && xfn_ring_load(e->tx.consumer) != e->tx.head)
		wait.fd = -1;
	if (poll(&wait, 1, timeout_ms) < 0)
		return errno == EINTR ? 0 : -errno;
	return wait.revents & (POLLERR | POLLHUP | POLLNVAL) ? -ENODEV : 0;
}

static unsigned afxdp_take(struct xfn_engine *e, struct xfn_datagram *batch, unsigned max)
{
	const struct xdp_desc *entries = e->rx.entries;
	struct xfn_frames *f = e->frames;
	uint32_t ready, first;
	unsigned n;
	int ret;

	if (e->unkept >= KEEP)
		keep(e);
	first = e->rx.head;
	ready = xfn_ring_load(e->rx.producer) - first;
	for (n = 0; n < max && e->rx.head - first < ready;) {
		const struct xdp_desc *desc = &entries[e->rx.head & (e->rx.size - 1)];
		struct xfn_datagram *d = &batch[n];

		if (desc->options & XDP_PKT_CONTD) {
			uint32_t left = first + ready - e->rx.head;

			d->data = e->gather + (size_t)n * e->gather_len;
			ret = xfn_multi_buffer__gather(e, left, d);
			if (ret < 0)
				break;
			n += ret;
			continue;
		}
		e->rx.head++;
		n++;
		e->lent++;
		d->data = f->memory + desc->addr;
		d->len = desc->len;
		d->capacity = f->size - (desc->addr & (f->size - 1));
		d->sum = XFN_FRAME_SUM_UNKNOWN;
		d->send = false;
		d->waits = false;
		d->may_wait = true;
		d->token = desc->addr;
	}
	if (e->rx.head != first) {
		if (!e->known)
			learn(e);
		xfn_ring_store(e->rx.consumer, e->rx.head);
		e->unkept += e->rx.head - first;
		xfn_ring_store(&f->returns[e->thread].taken,
			       f->returns[e->thread].taken + e->rx.head - first);
		e->stats.received += n;
	}
	return n;
}

/* Their frames are free at once: the kernel has copied what it took. */
static void give_apart(struct xfn_engine *e, const struct xfn_datagram *batch, unsigned count)
{
	xfn_frame_sender__send(e->by, e->sender, batch, count, &e->stats);
	for (unsigned i = 0; i < count; i++) {
		if (batch[i].token == XFN_GATHERED)
			continue;
		e->lent--;
		give_back(e, batch[i].token);
	}
}

static void afxdp_give(struct xfn_engine *e, struct xfn_datagram *batch, unsigned count)
{
	struct xdp_desc *entries = e->tx.entries;
	uint32_t room = e->tx.size - (e->tx.head - xfn_ring_load(e->tx.consumer));
	struct xfn_return_ring *ring = &e->frames->returns[e->thread];
	uint32_t first = e->tx.head;
	unsigned sent = 0;

	if (e->by) {
		give_apart(e, batch, count);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		const struct xfn_datagram *d = &batch[i];
		bool own = d->token == XFN_GATHERED;

		e->lent -= !own;
		if (own && d->send &&
		    xfn_multi_buffer__scatter(e, d, room - (e->tx.head - first))) {
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
			give_back(e, d->token);
	}
	e->stats.sent += sent;
	if (e->tx.head != first) {
		/* counted before the kernel can say that they are sent */
		xfn_ring_store(&ring->sent, ring->sent + e->tx.head - first);
		xfn_ring_store(e->tx.producer, e->tx.head);
	}
	kick(e);
}

/* Replies that stand on the TX ring: the kernel has not looked at them yet. */
static uint32_t waiting(const struct xfn_engine *e)
{
	const struct xdp_desc *entries = e->tx.entries;
	uint32_t n = 0;

	for (uint32_t i = xfn_ring_load(e->tx.consumer); i != e->tx.head; i++)
		n += !(entries[i & (e->tx.size - 1)].options & XDP_PKT_CONTD);
	return n;
}

static void afxdp_stats(const struct xfn_engine *e, struct xfn_engine_stats *out)
{
	uint32_t left = waiting(e);

	*out = e->stats;
	out->sent -= left < out->sent ? left : out->sent;
	out->stalls += e->dropped;
}

static void afxdp_ask(struct xfn_engine *e)
{
	struct xdp_statistics kernel = {};
	socklen_t len = sizeof(kernel);

	if (!getsockopt(e->fd, SOL_XDP, XDP_STATISTICS, &kernel, &len))
		e->dropped = kernel.rx_dropped + kernel.rx_ring_full;
}

#ifndef AF_XDP
#define AF_XDP 44
#endif

static int probe_afxdp(struct xfn_error *why)
{
	int fd, ret = xfn_engine_probe_raw(AF_XDP, "AF_XDP", "CONFIG_XDP_SOCKETS", &fd, why);

	if (!ret)
		close(fd);
	return ret;
}

const struct xfn_engine_ops xfn_engine_afxdp = {
	.name = "afxdp",
	.kind = XFN_FRAME,
	.input = XFN_ENGINE_XSK,
	.summary = "AF_XDP rings, without copies where the driver is known to do that well",
	.advice = "run as root, or with CAP_NET_RAW; the kernel needs CONFIG_XDP_SOCKETS",
	.calls = { SYS_sendto, SYS_getsockopt, SYS_sendmmsg },
	.probe = probe_afxdp,
	.open = afxdp_open,
	.poll = afxdp_poll,
	.take = afxdp_take,
	.give = afxdp_give,
	.stats = afxdp_stats,
	.ask = afxdp_ask,
	.audit = xfn_afxdp__audit,
	.close = afxdp_close,
};
