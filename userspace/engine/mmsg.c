// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Engine over UDP sockets with recvmmsg(2) and sendmmsg(2): works on every host. One buffer per
 * datagram of a batch; a buffer's peer and control stay beside it until its reply is sent. Must
 * never know of functions.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "../../skel/error.h"
#include "udp.h"

#define LEAD 64 /* a cache line: its last XFN_GUARD bytes are a datagram's guard */

struct buffer {
	union xfn_udp_name name;
	_Alignas(struct cmsghdr) uint8_t control[XFN_UDP_CONTROL];
	socklen_t name_len;
	size_t control_len; /* of the reply */
};

struct xfn_engine {
	struct xfn_udp_turns turns;
	bool spin;
	uint32_t payload_max;
	uint8_t *data; /* XFN_BATCH buffers, `stride` apart; each has LEAD bytes before its data */
	size_t stride;
	struct buffer buffers[XFN_BATCH];
	struct mmsghdr msgs[XFN_BATCH];
	struct iovec iovs[XFN_BATCH];
	struct xfn_engine_stats stats;
};

static void mmsg_close(struct xfn_engine *e)
{
	if (!e)
		return;
	if (e->data)
		munmap(e->data, XFN_BATCH * e->stride);
	xfn_udp_turns__close(&e->turns);
	free(e);
}

static int mmsg_open(struct xfn_engine **out, const struct xfn_engine_config *cfg,
		     struct xfn_error *err)
{
	struct xfn_engine *e = calloc(1, sizeof(*e));
	int ret = -ENOMEM;

	if (!e)
		goto fail;
	/* a line more than the data keeps the buffers of small datagrams in different cache sets */
	e->stride = (LEAD + (size_t)cfg->payload_max + XFN_GUARD + 63) & ~(size_t)63;
	e->payload_max = cfg->payload_max;
	e->spin = cfg->spin;
	e->data = mmap(NULL, XFN_BATCH * e->stride, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (e->data == MAP_FAILED) {
		e->data = NULL;
		goto fail;
	}
	ret = xfn_udp_turns__open(&e->turns, cfg, err);
	if (ret)
		mmsg_close(e);
	else
		*out = e;
	return ret;
fail:
	mmsg_close(e);
	return xfn_fail(err, ret, "no memory for %u buffers of %u bytes; serve fewer or smaller",
			XFN_BATCH, cfg->payload_max);
}

static int mmsg_poll(struct xfn_engine *e, int timeout_ms)
{
	/* take looks by itself where nothing is known to be there */
	if (e->turns.lost || e->spin || e->turns.ready)
		return e->turns.lost;
	return xfn_udp_turns__wait(&e->turns, timeout_ms);
}

/* Read from one socket into buffers[*used .. max); append to batch[n ..). Returns the new n. */
static unsigned receive(struct xfn_engine *e, unsigned socket, struct xfn_datagram *batch,
			unsigned n, unsigned *used, unsigned max)
{
	unsigned first = *used;
	int got;

	for (unsigned i = first; i < max; i++) {
		e->iovs[i] = (struct iovec){ e->data + i * e->stride + LEAD, e->payload_max };
		e->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &e->buffers[i].name,
			.msg_namelen = sizeof(e->buffers[i].name),
			.msg_iov = &e->iovs[i],
			.msg_iovlen = 1,
			.msg_control = e->buffers[i].control,
			.msg_controllen = sizeof(e->buffers[i].control),
		};
	}
	got = recvmmsg(e->turns.polls[socket].fd, e->msgs + first, max - first, MSG_DONTWAIT, NULL);
	xfn_udp_turns__took(&e->turns, socket, got, (int)(max - first));
	if (got > 0)
		*used += (unsigned)got;
	for (unsigned i = first; i < *used; i++) {
		struct msghdr *hdr = &e->msgs[i].msg_hdr;
		struct buffer *buf = &e->buffers[i];
		struct xfn_datagram *d = &batch[n];

		if (hdr->msg_flags & MSG_TRUNC) {
			e->stats.truncated++;
			continue;
		}
		*d = (struct xfn_datagram){
			.data = e->iovs[i].iov_base,
			.len = e->msgs[i].msg_len,
			.capacity = e->payload_max,
			.guarded = true,
			.slot = e->turns.sockets[socket].slot,
			.local = e->turns.sockets[socket].local,
			.token = i,
			.socket = socket,
		};
		xfn_udp_peer(&buf->name, &d->peer);
		buf->name_len = hdr->msg_namelen;
		buf->control_len =
			xfn_udp_local(buf->control, hdr->msg_controllen, &d->local, &d->broadcast);
		n++;
	}
	return n;
}

static unsigned mmsg_take(struct xfn_engine *e, struct xfn_datagram *batch, unsigned max)
{
	unsigned n = 0, used = 0, share;

	if (xfn_udp_turns__begin(&e->turns) || !e->turns.ready)
		return 0;
	share = max / e->turns.ready ?: 1;
	for (unsigned left = e->turns.ready; left && used < max; left--) {
		unsigned socket = xfn_udp_turns__next(&e->turns);

		n = receive(e, socket, batch, n, &used, used + share < max ? used + share : max);
	}
	e->stats.received += n;
	return n;
}

/* Send msgs[0 .. count) from one socket. Never waits: what it refuses is lost, as on a full link.
 */
static void send_all(struct xfn_engine *e, unsigned socket, unsigned count)
{
	for (unsigned done = 0; done < count;) {
		int n = sendmmsg(e->turns.polls[socket].fd, e->msgs + done, count - done,
				 MSG_DONTWAIT);

		if (n > 0) {
			e->stats.sent += (unsigned)n;
			done += (unsigned)n;
		} else if (errno == EAGAIN || errno == ENOBUFS) {
			e->stats.send_failed += count - done;
			e->stats.stalls++;
			return;
		} else if (errno != EINTR) {
			e->stats.send_failed++; /* this one only: its peer, its size */
			done++;
		}
	}
}

static void mmsg_give(struct xfn_engine *e, struct xfn_datagram *batch, unsigned count)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct xfn_datagram *d = &batch[i];

		if (d->send) {
			struct buffer *buf = &e->buffers[d->token];

			e->iovs[n] = (struct iovec){ d->data, d->len };
			e->msgs[n].msg_hdr = (struct msghdr){
				.msg_name = &buf->name,
				.msg_namelen = buf->name_len,
				.msg_iov = &e->iovs[n],
				.msg_iovlen = 1,
				.msg_control = buf->control_len ? buf->control : NULL,
				.msg_controllen = buf->control_len,
			};
			n++;
		}
		/* take keeps a socket's datagrams together */
		if (n && (i + 1 == count || batch[i + 1].socket != d->socket)) {
			send_all(e, d->socket, n);
			n = 0;
		}
	}
}

static void mmsg_stats(const struct xfn_engine *e, struct xfn_engine_stats *out)
{
	*out = e->stats;
	out->wakeups = e->turns.waits;
}

const struct xfn_engine_ops xfn_engine_mmsg = {
	.name = "mmsg",
	.kind = XFN_PAYLOAD,
	.rank = 2,
	.summary = "recvmmsg and sendmmsg",
	.advice = "a seccomp filter must allow recvmmsg()",
	.calls = { SYS_recvmmsg, SYS_sendmmsg, SYS_epoll_pwait,
#ifdef SYS_epoll_wait /* x86; newer architectures have epoll_pwait only */
		   SYS_epoll_wait
#endif
	},
	.open = mmsg_open,
	.poll = mmsg_poll,
	.take = mmsg_take,
	.give = mmsg_give,
	.stats = mmsg_stats,
	.close = mmsg_close,
};
