/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside the engine over io_uring: what its set-up and its rounds share. */
#ifndef XFN_ENGINE_URING_H
#define XFN_ENGINE_URING_H

#include <liburing.h>
#include "../../skel/error.h"
#include "udp.h"

#define XFN_URING_SUBMISSIONS 256
/* user_data of a reply, with its buffer's number; else it is the socket's */
#define XFN_URING_SENDING (1ull << 32)
/* what every operation must say, so that it reaches the registered sockets only */
#define XFN_URING_REQUIRED IOSQE_FIXED_FILE

/* What is read of a reply until it is sent: kept apart from its buffer, which functions reach. */
struct xfn_uring_reply {
	union xfn_udp_name name;
	socklen_t name_len;
	size_t control_len; /* 0: it needs none */
	_Alignas(struct cmsghdr) uint8_t control[XFN_UDP_CONTROL];
	struct msghdr msg;
	struct iovec iov;
};

/*
 * Socket i is registered as file i and receives into buffers of its own, group i: a flooded one
 * runs out of them, and the others do not. Buffer b is number b % share of group b / share. A
 * buffer is with the kernel, or a CQE or the worker has it, or it is held until its reply is sent.
 */
struct xfn_engine {
	struct io_uring ring;
	bool have_ring;
	bool thread; /* the kernel's takes the submissions (SQPOLL) */
	bool spin;
	bool ending; /* no buffer goes back to the kernel, no receive is armed anew */
	int lost;    /* -errno */
	struct xfn_engine_socket *sockets;
	unsigned count;
	bool *unarmed; /* per socket: its receive has ended and must be armed again */
	unsigned unarmed_count;
	uint8_t *groups; /* of each socket its struct io_uring_buf_ring, `group_size` apart */
	size_t group_size;
	unsigned share; /* buffers of a socket, a power of two */
	unsigned share_log2;
	uint8_t *data; /* buffers, `stride` apart */
	size_t stride;
	unsigned buffer_len; /* not rounded up: what is too long must show as truncated */
	uint32_t payload_max;
	struct msghdr layout; /* of a received buffer: room for name and control */
	struct xfn_uring_reply *replies;
	unsigned *held; /* buffers of replies that are submitted next */
	unsigned held_count;
	struct xfn_engine_stats stats; /* .sent: submitted */
	uint64_t refused;	       /* of those */
};

/* Give a buffer back to the kernel. */
static inline void xfn_uring__recycle(struct xfn_engine *e, unsigned buffer)
{
	unsigned number = buffer & (e->share - 1);
	struct io_uring_buf_ring *group =
		(void *)(e->groups + (buffer >> e->share_log2) * e->group_size);

	if (e->ending)
		return;
	io_uring_buf_ring_add(group, e->data + buffer * e->stride, e->buffer_len, number,
			      io_uring_buf_ring_mask(e->share), 0);
	io_uring_buf_ring_advance(group, 1);
}

/* uring_open.c: `open` and `close` of the engine. */
int xfn_uring__open(struct xfn_engine **out, const struct xfn_engine_config *cfg,
		    struct xfn_error *err);
/* Can the kernel receive so? To be tried on a socket that nobody asks: 0 or -errno with one line in
 * err. */
int xfn_uring__try(struct xfn_engine *e, struct xfn_error *err);
void xfn_uring__close(struct xfn_engine *e);
/* uring.c: receive on each socket that does not; submitted with what is submitted next. */
void xfn_uring__arm(struct xfn_engine *e);

#endif
