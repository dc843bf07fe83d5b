// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Engine over UDP sockets with io_uring: one multishot receive per socket into buffers of its own,
 * the replies of a batch in one submission, sent from the buffers the requests came in. Two system
 * calls a round: one that sends and looks, one that waits. Must never know of functions.
 * io_uring(7).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "uring.h"

static struct io_uring_sqe *next_sqe(struct xfn_engine *e)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&e->ring);

	if (sqe)
		return sqe;
	io_uring_submit(&e->ring);
	if (e->thread)
		io_uring_sqring_wait(&e->ring);
	return io_uring_get_sqe(&e->ring);
}

void xfn_uring__arm(struct xfn_engine *e)
{
	for (unsigned i = 0; e->unarmed_count && i < e->count; i++) {
		struct io_uring_sqe *sqe;

		if (!e->unarmed[i])
			continue;
		sqe = next_sqe(e);
		if (!sqe)
			return;
		io_uring_prep_recvmsg_multishot(sqe, (int)i, &e->layout, 0);
		sqe->flags |= XFN_URING_REQUIRED | IOSQE_BUFFER_SELECT;
		sqe->buf_group = (uint16_t)i;
		io_uring_sqe_set_data64(sqe, i);
		e->unarmed[i] = false;
		e->unarmed_count--;
	}
}

/*
 * What the kernel has taken over from a submission is sent, or refused: a send that may not wait is
 * done when io_uring_enter(2) returns. Not so where the kernel's thread takes it: there the
 * completion tells.
 */
static void settle(struct xfn_engine *e)
{
	if (e->thread || io_uring_sq_ready(&e->ring))
		return;
	for (unsigned i = 0; i < e->held_count; i++)
		xfn_uring__recycle(e, e->held[i]);
	e->held_count = 0;
}

static int uring_poll(struct xfn_engine *e, int timeout_ms)
{
	struct __kernel_timespec ts = { .tv_sec = timeout_ms / 1000,
					.tv_nsec = timeout_ms % 1000 * 1000000ll };
	struct io_uring_cqe *cqe;
	int ret = 0;

	if (e->lost)
		return e->lost;
	xfn_uring__arm(e);
	e->stats.wakeups++;
	if (e->spin)
		io_uring_submit_and_get_events(&e->ring);
	else
		ret = io_uring_submit_and_wait_timeout(&e->ring, &cqe, 1, &ts, NULL);
	settle(e);
	return ret < 0 && ret != -ETIME && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY ? ret :
											      0;
}

/* A completed receive -> *d; false where it brought nothing. */
static bool received(struct xfn_engine *e, unsigned socket, const struct io_uring_cqe *cqe,
		     struct xfn_datagram *d)
{
	unsigned buffer = (socket << e->share_log2) + (cqe->flags >> IORING_CQE_BUFFER_SHIFT);
	struct io_uring_recvmsg_out *head;
	struct xfn_uring_reply *reply;
	uint8_t *name, *control;

	if (!(cqe->flags & IORING_CQE_F_MORE)) {
		e->unarmed[socket] = true;
		e->unarmed_count++;
	}
	if (cqe->res < 0) {
		if (cqe->res == -ENOBUFS)
			e->stats.stalls++;
		else if (xfn_udp_lost(-cqe->res))
			e->lost = cqe->res;
		return false;
	}
	if (!(cqe->flags & IORING_CQE_F_BUFFER))
		return false;
	head = io_uring_recvmsg_validate(e->data + buffer * e->stride, cqe->res, &e->layout);
	if (!head || head->flags & MSG_TRUNC) {
		e->stats.truncated++;
		xfn_uring__recycle(e, buffer);
		return false;
	}
	*d = (struct xfn_datagram){
		.data = io_uring_recvmsg_payload(head, &e->layout),
		.len = io_uring_recvmsg_payload_length(head, cqe->res, &e->layout),
		.capacity = e->payload_max,
		.guarded = true,
		.slot = e->sockets[socket].slot,
		.local = e->sockets[socket].local,
		.token = buffer,
		.socket = socket,
	};
	reply = &e->replies[buffer];
	name = io_uring_recvmsg_name(head);
	memcpy(&reply->name, name, sizeof(reply->name));
	reply->name_len = head->namelen < sizeof(reply->name) ? head->namelen : sizeof(reply->name);
	xfn_udp_peer(&reply->name, &d->peer);
	control = name + e->layout.msg_namelen;
	reply->control_len = xfn_udp_local(control, head->controllen, &d->local, &d->broadcast);
	if (reply->control_len)
		memcpy(reply->control, control, sizeof(reply->control));
	return true;
}

/* A reply's completion: of those that were sent only the kernel's thread tells. */
static void sent(struct xfn_engine *e, unsigned buffer, const struct io_uring_cqe *cqe)
{
	if (cqe->res < 0)
		e->refused++;
	if (cqe->res == -EAGAIN || cqe->res == -ENOBUFS)
		e->stats.stalls++;
	if (e->thread)
		xfn_uring__recycle(e, buffer);
}

static unsigned uring_take(struct xfn_engine *e, struct xfn_datagram *batch, unsigned max)
{
	struct io_uring_cqe *cqe;
	unsigned head, seen = 0, n = 0;

	/* has the kernel run what waits for us, where nothing is there */
	if (io_uring_peek_cqe(&e->ring, &cqe))
		return 0;
	io_uring_for_each_cqe(&e->ring, head, cqe)
	{
		uint64_t id = io_uring_cqe_get_data64(cqe);

		if (n == max)
			break;
		seen++;
		if (id & XFN_URING_SENDING)
			sent(e, (unsigned)(id & 0xffffffff), cqe);
		else
			n += received(e, (unsigned)id, cqe, &batch[n]);
	}
	io_uring_cq_advance(&e->ring, seen);
	e->stats.received += n;
	return n;
}

/* Without control the socket's own address is the source, and a plain send will do. */
static void prepare(struct xfn_engine *e, const struct xfn_datagram *d, struct io_uring_sqe *sqe)
{
	struct xfn_uring_reply *reply = &e->replies[d->token];

	if (!reply->control_len) {
		io_uring_prep_send(sqe, (int)d->socket, d->data, d->len, MSG_DONTWAIT);
		io_uring_prep_send_set_addr(sqe, (const struct sockaddr *)&reply->name,
					    (uint16_t)reply->name_len);
	} else {
		reply->iov = (struct iovec){ d->data, d->len };
		reply->msg = (struct msghdr){
			.msg_name = &reply->name,
			.msg_namelen = reply->name_len,
			.msg_iov = &reply->iov,
			.msg_iovlen = 1,
			.msg_control = reply->control,
			.msg_controllen = reply->control_len,
		};
		io_uring_prep_sendmsg(sqe, (int)d->socket, &reply->msg, MSG_DONTWAIT);
	}
	sqe->flags |= XFN_URING_REQUIRED | (e->thread ? 0 : IOSQE_CQE_SKIP_SUCCESS);
	io_uring_sqe_set_data64(sqe, XFN_URING_SENDING | d->token);
}

static void uring_give(struct xfn_engine *e, struct xfn_datagram *batch, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct xfn_datagram *d = &batch[i];
		struct io_uring_sqe *sqe = d->send ? next_sqe(e) : NULL;

		if (!sqe) {
			if (d->send) {
				e->stats.send_failed++;
				e->stats.stalls++;
			}
			xfn_uring__recycle(e, (unsigned)d->token);
			continue;
		}
		prepare(e, d, sqe);
		e->stats.sent++;
		if (!e->thread)
			e->held[e->held_count++] = (unsigned)d->token;
	}
	/* without a reply, too: receives that were armed anew wait to be submitted */
	if (e->thread || io_uring_sq_ready(&e->ring))
		io_uring_submit_and_get_events(&e->ring);
	settle(e);
	xfn_uring__arm(e);
}

static void uring_stats(const struct xfn_engine *e, struct xfn_engine_stats *out)
{
	*out = e->stats;
	out->sent -= e->refused;
	out->send_failed += e->refused;
}

/* Whether multishot receive works is known only by trying: open it over a socket that nobody knows.
 */
static int probe_uring(struct xfn_error *why)
{
	struct xfn_engine_socket sock = { .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	struct xfn_engine_config cfg = { .sockets = &sock, .socket_count = 1, .payload_max = 64 };
	struct xfn_engine *e;
	int ret;

	if (sock.fd < 0)
		sock.fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock.fd < 0) {
		ret = -errno;
		return xfn_fail(why, ret, "socket(SOCK_DGRAM): %s", strerrorname_np(-ret));
	}
	ret = xfn_uring__open(&e, &cfg, why);
	if (!ret)
		xfn_uring__close(e);
	close(sock.fd);
	return ret;
}

static int uring_descriptor(const struct xfn_engine *e)
{
	return e->ring.ring_fd;
}

const struct xfn_engine_ops xfn_engine_uring = {
	.name = "uring",
	.kind = XFN_PAYLOAD,
	.rank = 1,
	.summary = "io_uring: multishot receive, replies in one submission",
	.advice =
		"the engine mmsg is taken instead; else sysctl -w kernel.io_uring_disabled=0, or a "
		"container that allows io_uring",
	.calls = { SYS_io_uring_enter },
	.probe = probe_uring,
	.open = xfn_uring__open,
	.poll = uring_poll,
	.take = uring_take,
	.give = uring_give,
	.stats = uring_stats,
	.descriptor = uring_descriptor,
	.close = xfn_uring__close,
};
