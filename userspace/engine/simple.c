// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The textbook server over UDP sockets: one recvmsg(2), one sendmsg(2), one datagram per round. It
 * is what the other engines are measured against. With one socket the wait is the receive itself
 * (SO_RCVTIMEO); with more it is poll(2). Must never know of functions.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include "../../skel/error.h"
#include "udp.h"

#define LEAD 64 /* before the data, so that it begins a cache line: its last XFN_GUARD bytes */

struct xfn_engine {
	struct xfn_udp_turns turns;
	bool spin;
	int wait_ms; /* of the only socket's SO_RCVTIMEO, 0: it has none */
	bool held;   /* poll has received `first`, take has not told it yet */
	struct xfn_datagram first;
	uint32_t payload_max;
	union xfn_udp_name name;
	_Alignas(struct cmsghdr) uint8_t control[XFN_UDP_CONTROL];
	socklen_t name_len;
	size_t control_len; /* of the reply */
	uint8_t *buffer;
	uint8_t *data; /* in it: guards stand before and behind */
	struct xfn_engine_stats stats;
};

static void simple_close(struct xfn_engine *e)
{
	if (!e)
		return;
	free(e->buffer);
	xfn_udp_turns__close(&e->turns);
	free(e);
}

/* Let a receive wait at most ms (> 0). False: refused, as in the sandbox. */
static bool set_wait(struct xfn_engine *e, int ms)
{
	const struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (e->wait_ms == ms)
		return true;
	if (setsockopt(e->turns.polls[0].fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		return false;
	e->wait_ms = ms;
	return true;
}

static int simple_open(struct xfn_engine **out, const struct xfn_engine_config *cfg,
		       struct xfn_error *err)
{
	struct xfn_engine *e = calloc(1, sizeof(*e));
	int ret = -ENOMEM;

	if (!e)
		goto fail;
	e->payload_max = cfg->payload_max;
	e->spin = cfg->spin;
	e->buffer =
		aligned_alloc(64, (LEAD + (size_t)cfg->payload_max + XFN_GUARD + 63) & ~(size_t)63);
	if (!e->buffer)
		goto fail;
	e->data = e->buffer + LEAD;
	ret = xfn_udp_turns__open(&e->turns, cfg, err);
	if (ret) {
		simple_close(e);
		return ret;
	}
	for (unsigned i = 0; i < cfg->socket_count; i++) {
		int fd = cfg->sockets[i].fd;

		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	}
	if (e->turns.count == 1 && !e->spin)
		set_wait(e, XFN_WAIT_MS);
	*out = e;
	return 0;
fail:
	simple_close(e);
	return xfn_fail(err, ret, "no memory for a buffer of %u bytes", cfg->payload_max);
}

/* One datagram of one socket -> *d. False: none, or one that is shown to nobody. */
static bool receive(struct xfn_engine *e, unsigned socket, int flags, struct xfn_datagram *d)
{
	struct iovec iov = { e->data, e->payload_max };
	struct msghdr msg = {
		.msg_name = &e->name,
		.msg_namelen = sizeof(e->name),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = e->control,
		.msg_controllen = sizeof(e->control),
	};
	ssize_t len = recvmsg(e->turns.polls[socket].fd, &msg, flags);

	xfn_udp_turns__took(&e->turns, socket, len < 0 ? -1 : 1, 1);
	if (len < 0)
		return false;
	if (msg.msg_flags & MSG_TRUNC) {
		e->stats.truncated++;
		return false;
	}
	*d = (struct xfn_datagram){
		.data = e->data,
		.len = (uint32_t)len,
		.capacity = e->payload_max,
		.guarded = true,
		.slot = e->turns.sockets[socket].slot,
		.local = e->turns.sockets[socket].local,
		.socket = socket,
	};
	xfn_udp_peer(&e->name, &d->peer);
	e->name_len = msg.msg_namelen;
	e->control_len = xfn_udp_local(e->control, msg.msg_controllen, &d->local, &d->broadcast);
	e->stats.received++;
	return true;
}

static int simple_poll(struct xfn_engine *e, int timeout_ms)
{
	struct xfn_udp_turns *t = &e->turns;

	/* take looks by itself where nothing is known to be there */
	if (t->lost || e->spin || t->ready || e->held)
		return t->lost;
	if (t->count != 1 || timeout_ms <= 0 || !set_wait(e, timeout_ms))
		return xfn_udp_turns__wait(t, timeout_ms);
	t->waits++;
	e->held = receive(e, 0, 0, &e->first);
	return t->lost;
}

static unsigned simple_take(struct xfn_engine *e, struct xfn_datagram *batch, unsigned max)
{
	if (!max || e->turns.lost)
		return 0;
	if (e->held) {
		batch[0] = e->first;
		e->held = false;
		return 1;
	}
	if (e->turns.count == 1)
		return receive(e, 0, MSG_DONTWAIT, batch);
	if (xfn_udp_turns__begin(&e->turns))
		return 0;
	for (unsigned left = e->turns.ready; left; left--)
		if (receive(e, xfn_udp_turns__next(&e->turns), MSG_DONTWAIT, batch))
			return 1;
	return 0;
}

/* Never waits: what the kernel refuses is lost, as on a full link. */
static void simple_give(struct xfn_engine *e, struct xfn_datagram *batch, unsigned count)
{
	struct iovec iov = { batch->data, batch->len };
	struct msghdr msg = {
		.msg_name = &e->name,
		.msg_namelen = e->name_len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = e->control_len ? e->control : NULL,
		.msg_controllen = e->control_len,
	};
	ssize_t sent;

	if (!count || !batch->send)
		return;
	do
		sent = sendmsg(e->turns.polls[batch->socket].fd, &msg, MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0) {
		e->stats.sent++;
		return;
	}
	e->stats.send_failed++;
	if (errno == EAGAIN || errno == ENOBUFS)
		e->stats.stalls++;
}

static void simple_stats(const struct xfn_engine *e, struct xfn_engine_stats *out)
{
	*out = e->stats;
	out->wakeups = e->turns.waits;
}

const struct xfn_engine_ops xfn_engine_simple = {
	.name = "simple",
	.kind = XFN_PAYLOAD,
	.summary = "one recvmsg and one sendmsg for each datagram",
	.advice = "it needs UDP sockets only",
	.open = simple_open,
	.poll = simple_poll,
	.take = simple_take,
	.give = simple_give,
	.stats = simple_stats,
	.close = simple_close,
};
