// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The generator of everywhere: a connected UDP socket for each flow. At a rate or with a number
 * under way, a flow waits for its reply before it asks again, so that each reply is of one request;
 * a request that finds no free flow waits with its intended time, so that no wait is left out of
 * the round trips. Without either it sends as fast as it goes, and counts what comes back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "bench_load.h"

#define BATCH	    64
#define EVENTS	    256
#define REPLY_MAX   65536
#define PROGRESS_NS 100000000ull
#define SETTLE_NS   200000000ull /* for what is under way at the end of a flood */

struct flow {
	int fd;
	uint64_t intended; /* of the request under way; 0: none */
	uint64_t deadline;
};

struct load {
	const struct bench_plan *plan;
	const struct sockaddr_storage *to;
	struct bench_figures *out;
	struct flow *flows;
	uint32_t *idle; /* stack of free flows */
	uint32_t idle_count;
	uint32_t oldest; /* where to look for the next late one */
	int epoll;
	uint8_t *reply;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int open_flow(struct load *l, uint32_t i)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
	socklen_t len = l->to->ss_family == AF_INET ? sizeof(struct sockaddr_in) :
						      sizeof(struct sockaddr_in6);
	int buffer = 4 << 20;
	struct flow *f = &l->flows[i];

	f->intended = 0;
	f->fd = socket(l->to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->fd < 0)
		return -errno;
	if (!l->plan->outstanding && l->plan->rate <= 0)
		setsockopt(f->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (connect(f->fd, (const struct sockaddr *)l->to, len) ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, f->fd, &event))
		return -errno;
	return 0;
}

static bool right(const struct load *l, uint32_t flow, size_t len)
{
	const struct bench_payload *want = &l->plan->set->reply[flow & (l->plan->set->count - 1)];

	return l->plan->set->any_reply || !l->plan->check ||
	       (len == want->len && !memcmp(l->reply, want->words, len));
}

static void judge(struct load *l, uint32_t flow, size_t len)
{
	if (right(l, flow, len)) {
		l->out->replies++;
		return;
	}
	l->out->wrong++;
	if (!l->out->first_wrong)
		l->out->first_wrong = flow + 1;
}

/* A request by a free flow. What the kernel refuses now is tried again after the timeout. */
static void ask(struct load *l, uint64_t intended, uint64_t now)
{
	uint32_t i = l->idle[--l->idle_count];
	const struct bench_payload *req = &l->plan->set->request[i & (l->plan->set->count - 1)];
	struct flow *f = &l->flows[i];

	f->intended = intended;
	f->deadline = now + l->plan->timeout_ms * 1000000ull;
	l->out->sent++;
	/* refused (ECONNREFUSED of an earlier one, ENOBUFS): lost, as its absence will tell */
	if (send(f->fd, req->words, req->len, 0) < 0 && errno == ECONNREFUSED)
		(void)!send(f->fd, req->words, req->len, 0);
}

static void take(struct load *l, uint32_t i)
{
	struct flow *f = &l->flows[i];
	ssize_t n = recv(f->fd, l->reply, REPLY_MAX, 0);
	uint64_t now;

	if (n < 0)
		return;
	if (!f->intended) {
		l->out->late++;
		return;
	}
	now = now_ns();
	if (l->out->rtt)
		bench_histogram__add(l->out->rtt, now - f->intended);
	judge(l, i, (size_t)n);
	f->intended = 0;
	l->idle[l->idle_count++] = i;
}

/* Flows whose reply is overdue are lost and begin anew, on another port: a late reply is nobody's.
 */
static int give_up(struct load *l, uint64_t now, bool all)
{
	uint32_t looks = all ? l->plan->flows : 64;
	int ret = 0;

	for (; looks && !ret; looks--) {
		struct flow *f = &l->flows[l->oldest];

		if (f->intended && (all || now > f->deadline)) {
			l->out->lost++;
			close(f->fd);
			ret = open_flow(l, l->oldest);
			l->idle[l->idle_count++] = l->oldest;
		}
		l->oldest = (l->oldest + 1) % l->plan->flows;
	}
	return ret;
}

static bool told(struct load *l, uint64_t begin, uint64_t now, uint64_t *last)
{
	if (!l->plan->progress || now - *last < PROGRESS_NS)
		return true;
	*last = now;
	l->out->seconds = (double)(now - begin) / 1e9;
	return l->plan->progress(l->out, l->plan->arg);
}

static int paced(struct load *l)
{
	const struct bench_plan *plan = l->plan;
	uint64_t begin = now_ns(), now = begin, last = begin, asked = 0;
	uint64_t until = begin + (uint64_t)(plan->seconds * 1e9);
	struct epoll_event events[EVENTS];
	uint32_t limit = plan->outstanding ?: plan->flows;
	int ret = 0, n;

	while (!ret && (plan->requests ? asked < plan->requests : now < until) &&
	       told(l, begin, now, &last)) {
		while (l->idle_count && plan->flows - l->idle_count < limit &&
		       !(plan->requests && asked == plan->requests)) {
			uint64_t due = now;

			if (!plan->outstanding) {
				due = begin + (uint64_t)((double)asked * 1e9 / plan->rate);
				if (due > now)
					break;
			}
			ask(l, due, now);
			asked++;
		}
		/* between two requests of a rate there may be less than a millisecond: do not sleep
		 */
		n = epoll_wait(l->epoll, events, EVENTS, plan->outstanding ? 1 : 0);
		for (int i = 0; i < n; i++)
			take(l, events[i].data.u32);
		now = now_ns();
		ret = give_up(l, now, false);
	}
	l->out->seconds = (double)(now - begin) / 1e9;
	/* the last ones get their time too */
	while (!ret && l->idle_count < plan->flows &&
	       now_ns() - now < plan->timeout_ms * 1000000ull) {
		n = epoll_wait(l->epoll, events, EVENTS, 1);
		for (int i = 0; i < n; i++)
			take(l, events[i].data.u32);
	}
	return ret ?: give_up(l, 0, true);
}

static void drain(struct load *l, int wait_ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(l->epoll, events, EVENTS, wait_ms);

	for (int i = 0; i < n; i++) {
		ssize_t len;

		while ((len = recv(l->flows[events[i].data.u32].fd, l->reply, REPLY_MAX, 0)) >= 0)
			judge(l, events[i].data.u32, (size_t)len);
	}
}

static int flood(struct load *l)
{
	const struct bench_plan *plan = l->plan;
	uint64_t begin = now_ns(), now = begin, last = begin;
	uint64_t until = begin + (uint64_t)(plan->seconds * 1e9);
	struct mmsghdr msgs[BATCH];
	struct iovec iov;
	uint32_t flow = 0;

	for (int i = 0; i < BATCH; i++)
		msgs[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	while ((plan->requests ? l->out->sent < plan->requests : now < until) &&
	       told(l, begin, now, &last)) {
		const struct bench_payload *req =
			&plan->set->request[flow & (plan->set->count - 1)];
		unsigned want = BATCH;
		int n;

		if (plan->requests && want > plan->requests - l->out->sent)
			want = (unsigned)(plan->requests - l->out->sent);
		iov = (struct iovec){ .iov_base = (void *)req->words, .iov_len = req->len };
		n = sendmmsg(l->flows[flow].fd, msgs, want, 0);
		if (n > 0)
			l->out->sent += (unsigned)n;
		flow = (flow + 1) % plan->flows;
		drain(l, 0);
		now = now_ns();
	}
	for (uint64_t end = now + SETTLE_NS; now_ns() < end;)
		drain(l, 10);
	l->out->seconds = (double)(now - begin) / 1e9;
	if (l->out->sent > l->out->replies + l->out->wrong)
		l->out->lost = l->out->sent - l->out->replies - l->out->wrong;
	return 0;
}

int bench_sockets__run(const struct sockaddr_storage *to, const struct bench_plan *plan,
		       struct bench_figures *out, char *err, size_t errlen)
{
	struct load l = { .plan = plan, .to = to, .out = out, .epoll = -1 };
	struct bench_histogram *rtt = out->rtt;
	struct rlimit files;
	uint32_t opened = 0;
	int ret = 0;

	*out = (struct bench_figures){ .rtt = rtt };
	if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (!plan->flows || plan->flows > 30000 || plan->outstanding > plan->flows) {
		snprintf(err, errlen, "sockets: 1 to 30000 flows, each with one request under way");
		return -EINVAL;
	}
	l.flows = calloc(plan->flows, sizeof(*l.flows));
	l.idle = calloc(plan->flows, sizeof(*l.idle));
	l.reply = malloc(REPLY_MAX);
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!l.flows || !l.idle || !l.reply || l.epoll < 0)
		ret = -ENOMEM;
	for (; !ret && opened < plan->flows; opened++) {
		ret = open_flow(&l, opened);
		l.idle[l.idle_count++] = opened;
	}
	if (ret)
		snprintf(err, errlen, "sockets: cannot open flow %u: %s%s", opened, strerror(-ret),
			 ret == -EMFILE ? "; raise `ulimit -n` or ask for fewer flows" : "");
	else
		ret = plan->outstanding || plan->rate > 0 ? paced(&l) : flood(&l);
	for (uint32_t i = 0; i < opened; i++)
		close(l.flows[i].fd);
	if (l.epoll >= 0)
		close(l.epoll);
	free(l.flows);
	free(l.idle);
	free(l.reply);
	return ret;
}
