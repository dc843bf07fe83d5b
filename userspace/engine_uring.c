// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Engine over UDP sockets with io_uring: one multishot receive per socket into a ring of buffers,
 * the replies of a batch in one submission, sent from the buffers the requests came in. The ring
 * starts disabled and is restricted to those two operations: seccomp does not see what a ring does.
 * Must never know of functions. io_uring(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "engine_udp.h"

#define SUBMISSIONS 256
#define COMPLETIONS 4096
#define BUFFERS	    512 /* power of two; what waits beyond them waits in the sockets */
#define GROUP	    0
/* user_data of a reply, with its buffer's number; else it is the socket's */
#define SENDING (1ull << 32)

struct reply {
	struct msghdr msg;
	struct iovec iov;
};

struct xfn_engine {
	struct io_uring ring;
	bool have_ring;
	struct io_uring_buf_ring *buffers;
	struct xfn_engine_socket *sockets;
	bool *unarmed; /* per socket: its receive has ended and must be armed again */
	unsigned unarmed_count;
	unsigned count;
	bool spin;
	int lost; /* -errno */
	uint32_t payload_max;
	uint8_t *data; /* BUFFERS of them, `stride` apart */
	size_t stride;
	unsigned buffer_len;  /* not rounded up: what is too long must show as truncated */
	struct msghdr layout; /* of a received buffer: room for name and control */
	struct reply replies[BUFFERS];
	struct xfn_engine_stats stats;
};

static int ring_register(const struct xfn_engine *e, unsigned opcode, const void *arg, unsigned n)
{
	return syscall(__NR_io_uring_register, e->ring.ring_fd, opcode, arg, n) < 0 ? -errno : 0;
}

static void recycle(struct xfn_engine *e, unsigned buffer)
{
	io_uring_buf_ring_add(e->buffers, e->data + buffer * e->stride, e->buffer_len, buffer,
			      io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(e->buffers, 1);
}

static struct io_uring_sqe *next_sqe(struct xfn_engine *e)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&e->ring);

	if (sqe)
		return sqe;
	io_uring_submit(&e->ring);
	return io_uring_get_sqe(&e->ring);
}

static void arm(struct xfn_engine *e)
{
	for (unsigned i = 0; e->unarmed_count && i < e->count; i++) {
		struct io_uring_sqe *sqe;

		if (!e->unarmed[i])
			continue;
		sqe = next_sqe(e);
		if (!sqe)
			return;
		io_uring_prep_recvmsg_multishot(sqe, e->sockets[i].fd, &e->layout, 0);
		sqe->flags |= IOSQE_BUFFER_SELECT;
		sqe->buf_group = GROUP;
		io_uring_sqe_set_data64(sqe, i);
		e->unarmed[i] = false;
		e->unarmed_count--;
	}
}

static void uring_close(struct xfn_engine *e)
{
	if (e->have_ring)
		io_uring_queue_exit(&e->ring);
	if (e->buffers)
		munmap(e->buffers, BUFFERS * sizeof(struct io_uring_buf));
	if (e->data)
		munmap(e->data, BUFFERS * e->stride);
	free(e->sockets);
	free(e->unarmed);
	free(e);
}

/* Newer kernels run completions only where we ask for them; older ones refuse the flags. */
static int make_ring(struct xfn_engine *e)
{
	static const unsigned flags[] = {
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		0,
	};
	int ret = -EINVAL;

	for (unsigned i = 0; ret == -EINVAL && i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct io_uring_params params = {
			.flags = flags[i] | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE,
			.cq_entries = COMPLETIONS,
		};

		ret = io_uring_queue_init_params(SUBMISSIONS, &e->ring, &params);
	}
	e->have_ring = !ret;
	return ret;
}

static int make_buffers(struct xfn_engine *e)
{
	struct io_uring_buf_reg reg = { .ring_entries = BUFFERS, .bgid = GROUP };
	void *memory = mmap(NULL, BUFFERS * sizeof(struct io_uring_buf), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	e->buffers = memory;
	memory = mmap(NULL, BUFFERS * e->stride, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	e->data = memory;
	io_uring_buf_ring_init(e->buffers);
	for (unsigned i = 0; i < BUFFERS; i++)
		recycle(e, i);
	reg.ring_addr = (uintptr_t)e->buffers;
	return io_uring_register_buf_ring(&e->ring, &reg, 0);
}

static int restrict_ring(const struct xfn_engine *e)
{
	const struct io_uring_restriction only[] = {
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_RECVMSG },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_SENDMSG },
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED,
		  .sqe_flags = IOSQE_BUFFER_SELECT },
	};
	int ret = ring_register(e, IORING_REGISTER_RESTRICTIONS, only,
				sizeof(only) / sizeof(only[0]));

	return ret ?: ring_register(e, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

/* "2" of kernel.io_uring_disabled, or nothing where the kernel has no such switch. */
static int disabled_by_sysctl(void)
{
	FILE *f = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	int value = 0;

	if (f && fscanf(f, "%d", &value) != 1)
		value = 0;
	if (f)
		fclose(f);
	return value;
}

static int uring_open(struct xfn_engine **out, const struct xfn_engine_config *cfg, char *err,
		      size_t errlen)
{
	struct xfn_engine *e = calloc(1, sizeof(*e));
	const char *step = "allocate memory for it";
	struct io_uring_cqe *cqe;
	int ret = -ENOMEM;

	if (!e)
		goto fail;
	e->layout.msg_namelen = sizeof(union xfn_udp_name);
	e->layout.msg_controllen = XFN_UDP_CONTROL;
	e->payload_max = cfg->payload_max;
	e->stride = (sizeof(struct io_uring_recvmsg_out) + e->layout.msg_namelen +
		     e->layout.msg_controllen + cfg->payload_max + 63) &
		    ~(size_t)63;
	e->buffer_len = sizeof(struct io_uring_recvmsg_out) + e->layout.msg_namelen +
			e->layout.msg_controllen + cfg->payload_max;
	e->spin = cfg->spin;
	e->count = cfg->socket_count;
	e->sockets = calloc(e->count, sizeof(*e->sockets));
	e->unarmed = calloc(e->count, sizeof(*e->unarmed));
	if (!e->sockets || !e->unarmed)
		goto fail;
	for (unsigned i = 0; i < e->count; i++) {
		int fd = cfg->sockets[i].fd;

		e->sockets[i] = cfg->sockets[i];
		e->unarmed[i] = true;
		e->unarmed_count++;
		ret = xfn_udp_prepare(fd, err, errlen);
		if (ret) {
			uring_close(e);
			return ret;
		}
		/* io_uring gives EAGAIN at once on a non-blocking socket, where it should wait. */
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	}
	step = "io_uring_setup";
	ret = make_ring(e);
	if (!ret) {
		step = "register its buffers (wants Linux 5.19)";
		ret = make_buffers(e);
	}
	if (!ret) {
		step = "restrict its operations";
		ret = restrict_ring(e);
	}
	if (!ret) {
		step = "start to receive (wants Linux 6.0)";
		arm(e);
		ret = io_uring_submit(&e->ring);
		ret = ret < 0 ? ret : 0;
		/* A kernel that does not know multishot says so at once. */
		if (!ret && !io_uring_peek_cqe(&e->ring, &cqe) && cqe->res == -EINVAL)
			ret = -EINVAL;
	}
	if (!ret) {
		*out = e;
		return 0;
	}
fail:
	if (ret == -EPERM && disabled_by_sysctl())
		snprintf(err, errlen, "kernel.io_uring_disabled is %d", disabled_by_sysctl());
	else
		snprintf(err, errlen, "%s: %s%s", step, strerrorname_np(-ret),
			 ret == -EPERM || ret == -ENOSYS ? " (a container's seccomp filter?)" : "");
	if (e)
		uring_close(e);
	return ret;
}

static int uring_poll(struct xfn_engine *e, int timeout_ms)
{
	struct __kernel_timespec ts = { .tv_sec = timeout_ms / 1000,
					.tv_nsec = timeout_ms % 1000 * 1000000ll };
	struct io_uring_cqe *cqe;
	int ret;

	if (e->lost)
		return e->lost;
	arm(e);
	e->stats.wakeups++;
	if (e->spin) {
		io_uring_submit(&e->ring);
		io_uring_get_events(&e->ring);
		return 0;
	}
	ret = io_uring_submit_and_wait_timeout(&e->ring, &cqe, 1, &ts, NULL);
	return ret < 0 && ret != -ETIME && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY ? ret :
											      0;
}

/* A completed receive -> *d; false where it brought nothing. */
static bool received(struct xfn_engine *e, unsigned socket, const struct io_uring_cqe *cqe,
		     struct xfn_datagram *d)
{
	unsigned buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
	struct io_uring_recvmsg_out *head;
	struct reply *reply;
	uint8_t *control;

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
		recycle(e, buffer);
		return false;
	}
	control = (uint8_t *)io_uring_recvmsg_name(head) + e->layout.msg_namelen;
	*d = (struct xfn_datagram){
		.data = io_uring_recvmsg_payload(head, &e->layout),
		.len = io_uring_recvmsg_payload_length(head, cqe->res, &e->layout),
		.capacity = e->payload_max,
		.slot = e->sockets[socket].slot,
		.local = e->sockets[socket].local,
		.token = buffer,
		.socket = socket,
	};
	xfn_udp_peer(io_uring_recvmsg_name(head), &d->peer);
	reply = &e->replies[buffer];
	reply->msg = (struct msghdr){
		.msg_name = io_uring_recvmsg_name(head),
		.msg_namelen = head->namelen,
		.msg_iov = &reply->iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen =
			xfn_udp_local(control, head->controllen, &d->local, &d->broadcast),
	};
	return true;
}

static unsigned uring_take(struct xfn_engine *e, struct xfn_datagram *batch, unsigned max)
{
	struct io_uring_cqe *cqe;
	unsigned n = 0;

	while (n < max && !io_uring_peek_cqe(&e->ring, &cqe)) {
		uint64_t id = io_uring_cqe_get_data64(cqe);

		if (id & SENDING) {
			if (cqe->res < 0)
				e->stats.send_failed++;
			else
				e->stats.sent++;
			recycle(e, (unsigned)(id & 0xffffffff));
		} else {
			n += received(e, (unsigned)id, cqe, &batch[n]);
		}
		io_uring_cqe_seen(&e->ring, cqe);
	}
	e->stats.received += n;
	return n;
}

static void uring_give(struct xfn_engine *e, struct xfn_datagram *batch, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct xfn_datagram *d = &batch[i];
		struct reply *reply = &e->replies[d->token];
		struct io_uring_sqe *sqe = d->send ? next_sqe(e) : NULL;

		if (!sqe) {
			if (d->send) {
				e->stats.send_failed++;
				e->stats.stalls++;
			}
			recycle(e, d->token);
			continue;
		}
		reply->iov = (struct iovec){ d->data, d->len };
		io_uring_prep_sendmsg(sqe, e->sockets[d->socket].fd, &reply->msg, MSG_DONTWAIT);
		io_uring_sqe_set_data64(sqe, SENDING | d->token);
	}
	arm(e);
	io_uring_submit(&e->ring);
}

static void uring_stats(const struct xfn_engine *e, struct xfn_engine_stats *out)
{
	*out = e->stats;
}

const struct xfn_engine_ops xfn_engine_uring = {
	.name = "uring",
	.kind = XFN_PAYLOAD,
	.open = uring_open,
	.poll = uring_poll,
	.take = uring_take,
	.give = uring_give,
	.stats = uring_stats,
	.close = uring_close,
};
