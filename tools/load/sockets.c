// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The generator of everywhere: a connected UDP socket for each flow, sendmmsg and epoll. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "loop.h"

#define BATCH	  64
#define EVENTS	  256
#define REPLY_MAX 65536
#define FLOWS_MAX 30000

struct sockets {
	const struct sockaddr_storage *to;
	bool flood;
	int *fds;
	int epoll;
	uint8_t *reply;
};

static int open_flow(struct sockets *s, uint32_t flow)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = flow };
	socklen_t len = s->to->ss_family == AF_INET ? sizeof(struct sockaddr_in) :
						      sizeof(struct sockaddr_in6);
	int buffer = 4 << 20;

	s->fds[flow] = socket(s->to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fds[flow] < 0)
		return -errno;
	if (s->flood)
		setsockopt(s->fds[flow], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (connect(s->fds[flow], (const struct sockaddr *)s->to, len) ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->fds[flow], &event))
		return -errno;
	return 0;
}

static unsigned sockets_send(void *carrier, uint32_t flow, const struct bench_payload *request,
			     unsigned count)
{
	struct sockets *s = carrier;
	struct iovec iov = { .iov_base = (void *)request->words, .iov_len = request->len };
	struct mmsghdr msgs[BATCH];
	int n;

	if (count > BATCH)
		count = BATCH;
	for (unsigned i = 0; i < count; i++)
		msgs[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	n = sendmmsg(s->fds[flow], msgs, count, 0);
	/* the error of an earlier one, by ICMP; reported once */
	if (n < 0 && errno == ECONNREFUSED)
		n = sendmmsg(s->fds[flow], msgs, count, 0);
	return n > 0 ? (unsigned)n : 0;
}

static void sockets_receive(void *carrier, struct bench_loop *loop, int wait_ms)
{
	struct sockets *s = carrier;
	struct epoll_event events[EVENTS];
	int n = epoll_wait(s->epoll, events, EVENTS, wait_ms);

	for (int i = 0; i < n; i++) {
		uint32_t flow = events[i].data.u32;
		ssize_t len;

		/* a flow that waits for one reply has one; a flood's has as many as there are */
		do {
			len = recv(s->fds[flow], s->reply, REPLY_MAX, 0);
			if (len >= 0)
				bench_loop__take(loop, flow, s->reply, (size_t)len);
		} while (len >= 0 && s->flood);
	}
}

static int sockets_renew(void *carrier, uint32_t flow)
{
	struct sockets *s = carrier;

	close(s->fds[flow]);
	return open_flow(s, flow);
}

int bench_sockets__run(const struct sockaddr_storage *to, const struct bench_plan *plan,
		       struct bench_figures *out, struct xfn_error *err)
{
	static const struct bench_carrier ops = { .send = sockets_send,
						  .receive = sockets_receive,
						  .renew = sockets_renew };
	struct sockets s = { .to = to,
			     .flood = !plan->outstanding && plan->rate <= 0,
			     .epoll = epoll_create1(EPOLL_CLOEXEC) };
	struct bench_histogram *rtt = out->rtt;
	struct rlimit files;
	uint32_t opened = 0;
	int ret = 0;

	*out = (struct bench_figures){ .rtt = rtt };
	if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (!plan->flows || plan->flows > FLOWS_MAX || plan->outstanding > plan->flows) {
		xfn_error__set(err, "sockets: 1 to %d flows, each with one request under way",
			       FLOWS_MAX);
		ret = -EINVAL;
		goto out;
	}
	s.fds = calloc(plan->flows, sizeof(*s.fds));
	s.reply = malloc(REPLY_MAX);
	ret = !s.fds || !s.reply || s.epoll < 0 ? -ENOMEM : 0;
	for (; !ret && opened < plan->flows; opened++)
		ret = open_flow(&s, opened);
	if (ret)
		xfn_error__set(err, "sockets: cannot open flow %u: %s%s", opened, strerror(-ret),
			       ret == -EMFILE ? "; raise `ulimit -n` or ask for fewer flows" : "");
	else
		ret = bench_loop__run(&ops, &s, plan, out, err);
out:
	for (uint32_t i = 0; i < opened; i++)
		if (s.fds[i] >= 0)
			close(s.fds[i]);
	if (s.epoll >= 0)
		close(s.epoll);
	free(s.fds);
	free(s.reply);
	return ret;
}
