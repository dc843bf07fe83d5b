// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Places of workers: what one needs is made, handed over and taken back; when it ends, another one
 * starts. Each step is a state with a time of its own: nothing here waits. Runs no function.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include "../../../skel/error.h"
#include "../../host/limits.h"
#include "../../host/log.h"
#include "../../host/now.h"
#include "../../host/printable.h"
#include "../supervisor_inside.h"

#define START_MS	10000 /* a worker that is not ready by then is given up */
#define LEFT_MS		500   /* one that has left us, and does not end by then, is killed */
#define STABLE_NS	10000000000ull
#define SERVED_NS	250000000ull /* was of use until it was killed from outside */
#define BACK_OFF_MAX_MS 5000
#define BUSY_RETRY_MS	20   /* while an earlier socket still holds the queue, */
#define BUSY_MS		5000 /* which on a busy machine takes seconds */
#define MESSAGES	64   /* of a worker, taken in one round */

/* All that a process is started with. 0 or -errno; err may tell. */
static int prepare(struct xfn_supervisor *sup, struct xfn_child *child, struct xfn_error *err)
{
	int ret = xfn_provision__make(sup, child, err);

	ret = ret ?: xfn_process__start(sup, child, err);
	ret = ret ?: xfn_children__hand_over(sup, child);
	return ret;
}

/* Before the next try: longer each time. */
static unsigned back_off_ms(const struct xfn_child *child)
{
	unsigned ms = 100u << (child->restarts < 6 ? child->restarts : 6);

	return ms < BACK_OFF_MAX_MS ? ms : BACK_OFF_MAX_MS;
}

static void start(struct xfn_supervisor *sup, struct xfn_child *child);

/* Its start has failed, with .ret and .error; the process is gone, if there was one. */
static void not_started(struct xfn_supervisor *sup, struct xfn_child *child)
{
	char who[XFN_WHO];

	xfn_limits__advise(child->error.line, sizeof(child->error.line),
			   xfn_deploy__descriptors(sup));
	child->state = XFN_CHILD_DEAD;
	if (xfn_quarantine__blame(sup, child, child->ret, child->error.line)) {
		start(sup, child); /* without that function */
		return;
	}
	/* one that never served is the matter of whoever added the place */
	if (!child->served)
		return;
	xfn_log__line(LOG_ERR, "%s: %s", xfn_child__who(child, who), child->error.line);
	child->restarts++;
	child->restart_at_ns = xfn_now_ns() + back_off_ms(child) * 1000000ull;
}

static void start(struct xfn_supervisor *sup, struct xfn_child *child)
{
	child->state = XFN_CHILD_STARTING;
	child->until_ms = xfn_now_ms() + START_MS;
	child->started_ns = 0;
	child->pid = 0;
	child->error.line[0] = '\0';
	child->ret = prepare(sup, child, &child->error);
	if (!child->ret) {
		child->error.line[0] = '\0'; /* of what it did without, as huge pages */
		return;
	}
	if (!child->error.line[0])
		xfn_error__set(&child->error, "cannot start a worker: %s", strerror(-child->ret));
	xfn_process__kill(child);
	xfn_process__status(child);
	xfn_outbox__empty(&child->outbox);
	xfn_provision__drop(sup, child);
	not_started(sup, child);
}

/* It is of no use: end it, and say why when it has ended. */
static void give_up(struct xfn_child *child, int ret, const char *why)
{
	if (child->error.line != why)
		xfn_error__set(&child->error, "%s", why);
	child->ret = ret;
	child->state = XFN_CHILD_LEAVING;
	child->until_ms = xfn_now_ms();
	xfn_process__kill(child);
}

static void serves(const struct xfn_supervisor *sup, struct xfn_child *child)
{
	uint64_t now = xfn_now_ns();
	char who[XFN_WHO];

	xfn_told__read(sup, child); /* names of counters, before a function has run */
	xfn_provision__check_pinned(child);
	child->state = XFN_CHILD_READY;
	child->started_ns = now;
	if (child->served) {
		child->restarts++;
		xfn_log__line(LOG_NOTICE, "%s serves again after %u ms", xfn_child__who(child, who),
			      (unsigned)((now - child->ended_ns) / 1000000));
	}
	child->served = true;
}

/* It has started; frames come when its sockets are bound. */
static void bind_sockets(struct xfn_supervisor *sup, struct xfn_child *child)
{
	uint64_t now = xfn_now_ms();
	int ret = xfn_provision__bind(sup, child, &child->error);

	if (!ret) {
		child->error.line[0] = '\0';
		serves(sup, child);
		return;
	}
	if (child->state != XFN_CHILD_BINDING)
		child->until_ms = now + BUSY_MS;
	child->state = XFN_CHILD_BINDING;
	child->retry_ms = now + BUSY_RETRY_MS;
	if (ret != -EBUSY || now >= child->until_ms)
		give_up(child, ret, child->error.line);
}

struct xfn_child *xfn_children__add(struct xfn_supervisor *sup, const char *engine, uint32_t queue)
{
	struct xfn_child *child = &sup->children[sup->child_count++];

	memset(child, 0, sizeof(*child));
	child->engine = engine;
	child->queue = queue;
	child->threads = child->shared = child->active = 1;
	if (xfn_child_by_afxdp(child)) {
		child->threads = xfn_crews__threads(sup);
		child->shared = xfn_crews__shared(sup, queue);
	}
	child->page_fd = child->ring.receive = child->ring.send = -1;
	child->pidfd = child->sock = child->output.fd = -1;
	start(sup, child);
	return child;
}

void xfn_children__renew_sockets(struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->child_count; i++) {
		struct xfn_child *child = &sup->children[i];

		if (xfn_child_by_afxdp(child) || xfn_child_by_ring(child))
			continue;
		if (!sup->listener_count) { /* it stands behind all others */
			xfn_children__remove(sup, i);
			return;
		}
		xfn_process__retire(sup, child);
		xfn_outbox__empty(&child->outbox);
		child->ended_ns = xfn_now_ns();
		start(sup, child);
		return;
	}
	/* the first sockets */
	if (sup->listener_count && sup->udp_engine && sup->child_count < XFN_CHILDREN)
		/* a failure is tried again like a crash */
		xfn_children__add(sup, sup->udp_engine, 0)->served = true;
}

/* Why it ended, and when another one is to start. */
static void ended(struct xfn_supervisor *sup, struct xfn_child *child, int status, bool left)
{
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	bool outside, too_often;
	uint64_t now = xfn_now_ns();
	unsigned wait_ms = 0;
	char what[512] = ", from outside", who[XFN_WHO];

	/* No function can do that: it was the kernel, out of memory, or a person. */
	outside = sig == SIGKILL && !child->hung && !left;
	if (outside && child->still)
		xfn_standstill__sentence(child, what, sizeof(what));
	/* Once at once, and when the cause is out; one that keeps dying waits longer each time. */
	too_often = !outside && xfn_quarantine__ended(sup, child, what, sizeof(what));
	if (!what[0] && (sig == SIGTERM || sig == SIGINT || sig == SIGHUP))
		snprintf(what, sizeof(what), ", from outside");
	if (too_often)
		wait_ms = 0;
	else if (now - child->started_ns < (outside ? SERVED_NS : STABLE_NS) && child->restarts)
		wait_ms = back_off_ms(child);
	else
		child->restarts = 0;
	child->ended_ns = now;
	child->restart_at_ns = now + wait_ms * 1000000ull;
	child->state = XFN_CHILD_DEAD;
	xfn_log__line(LOG_WARNING, "%s ended (%s %d)%s%s; restart in %u ms",
		      xfn_child__who(child, who), sig ? "signal" : "status",
		      sig ?: WEXITSTATUS(status),
		      left ? ", killed since it had left its supervisor" : "", what, wait_ms);
	if (too_often)
		xfn_quarantine__begin(sup, child);
}

/* Its process has ended. */
static void bury(struct xfn_supervisor *sup, struct xfn_child *child)
{
	/* one that was killed for something else may take its time to end */
	bool left = child->state == XFN_CHILD_LEAVING && xfn_now_ms() >= child->until_ms &&
		    !child->hung && !child->still;
	int status = xfn_process__status(child);

	xfn_outbox__empty(&child->outbox);
	xfn_provision__drop(sup, child);
	if (child->started_ns) {
		ended(sup, child, status, left);
		return;
	}
	if (!child->ret) {
		bool outside = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;

		child->ret = outside ? -EINTR : -ECHILD;
		xfn_error__set(&child->error, "the worker ended while it started");
		if (WIFSIGNALED(status))
			xfn_error__set(&child->error,
				       "the worker was ended by signal %d while it started",
				       WTERMSIG(status));
	}
	not_started(sup, child);
}

/* False: there is no further one. */
static bool message(struct xfn_supervisor *sup, struct xfn_child *child)
{
	char text[sizeof(child->error.line)], who[XFN_WHO];
	struct xfn_handover msg;
	int ret = xfn_handover__recv(child->sock, &msg, NULL);

	/* one that refused a message has left others unread, and more may come of it */
	if (ret == -ECONNRESET)
		ret = xfn_handover__recv(child->sock, &msg, NULL);
	if (ret == -EAGAIN)
		return false;
	if (ret <= 0) {
		child->state = XFN_CHILD_LEAVING;
		child->until_ms = xfn_now_ms() + LEFT_MS;
		return false;
	}
	switch (msg.type) {
	case XFN_HO_READY:
		if (child->state == XFN_CHILD_STARTING)
			bind_sockets(sup, child);
		break;
	case XFN_HO_FAILED:
		xfn_printable(msg.failed.text, strnlen(msg.failed.text, sizeof(msg.failed.text)),
			      text, sizeof(text));
		if (child->started_ns) {
			xfn_log__line(LOG_ERR, "%s: %s", xfn_child__who(child, who), text);
			break;
		}
		xfn_error__set(&child->error, "%s", text);
		child->ret = -ECANCELED;
		child->state = XFN_CHILD_LEAVING;
		child->until_ms = xfn_now_ms() + LEFT_MS;
		break;
	case XFN_HO_INVOKED:
		xfn_invoke__done(sup, child, &msg);
		break;
	case XFN_HO_AUDITED:
		xfn_audit__done(sup, child, &msg);
		break;
	}
	return child->state != XFN_CHILD_LEAVING;
}

static bool listens(const struct xfn_child *child)
{
	return child->sock >= 0 && child->state != XFN_CHILD_LEAVING;
}

/* What it is still to be given; one that refuses it says why. */
static void send_rest(struct xfn_child *child)
{
	char text[128];
	int ret = xfn_outbox__send(&child->outbox, child->sock);

	if (!ret || ret == -EAGAIN)
		return;
	xfn_outbox__empty(&child->outbox);
	if (ret == -EPIPE || ret == -ECONNRESET)
		return;
	snprintf(text, sizeof(text), "cannot start a worker: %s", strerror(-ret));
	give_up(child, ret, text);
}

void xfn_children__attend(struct xfn_supervisor *sup, struct xfn_child *child)
{
	bool over = xfn_process__has_ended(child); /* before its last messages are read */
	char who[XFN_WHO];

	if (child->output.fd >= 0)
		xfn_output_lines__read(&child->output, xfn_child__who(child, who));
	if (listens(child) && xfn_outbox__waits(&child->outbox))
		send_rest(child);
	for (unsigned i = 0; i < MESSAGES && listens(child) && message(sup, child); i++)
		;
	if (over)
		bury(sup, child);
}

void xfn_children__poll(const struct xfn_child *child, struct pollfd fds[XFN_CHILD_FDS])
{
	short writable = xfn_outbox__waits(&child->outbox) ? POLLOUT : 0;

	fds[0] = (struct pollfd){ .fd = child->pidfd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = listens(child) ? child->sock : -1,
				  .events = (short)(POLLIN | writable) };
	fds[2] = (struct pollfd){ .fd = child->output.fd, .events = POLLIN };
}

/* What is due of one. Returns ms until the next thing is, -1: none is planned. */
static int due(struct xfn_supervisor *sup, struct xfn_child *child)
{
	uint64_t now = xfn_now_ms(), next;
	char text[128];

	switch (child->state) {
	case XFN_CHILD_DEAD:
		/* no AF_XDP socket can be bound while the interface is down */
		if (!child->served || (xfn_child_by_afxdp(child) && !sup->iface.up))
			return -1;
		next = child->restart_at_ns / 1000000;
		if (next > now)
			break;
		start(sup, child);
		return 0;
	case XFN_CHILD_STARTING:
		next = child->until_ms;
		if (next > now)
			break;
		snprintf(text, sizeof(text),
			 "the worker is not ready after %d s (does an XFN_INIT wait?)",
			 START_MS / 1000);
		give_up(child, -ETIMEDOUT, text);
		return -1;
	case XFN_CHILD_BINDING:
		next = child->retry_ms;
		if (next > now)
			break;
		bind_sockets(sup, child);
		return 0;
	case XFN_CHILD_LEAVING:
		next = child->until_ms;
		if (next > now)
			break;
		xfn_process__kill(child);
		return -1;
	default:
		return -1;
	}
	return (int)(next - now) + 1;
}

int xfn_children__due(struct xfn_supervisor *sup)
{
	int soonest = -1;

	for (unsigned i = 0; i < sup->child_count; i++) {
		struct xfn_child *child = &sup->children[i];
		char who[XFN_WHO];
		int next[] = { due(sup, child),
			       xfn_output_lines__watch(&child->output,
						       xfn_child__who(child, who)) };

		for (unsigned n = 0; n < 2; n++)
			if (next[n] >= 0 && (soonest < 0 || next[n] < soonest))
				soonest = next[n];
	}
	return soonest;
}

void xfn_children__remove(struct xfn_supervisor *sup, unsigned keep)
{
	while (sup->child_count > keep) {
		struct xfn_child *child = &sup->children[--sup->child_count];

		/* No more requests to it first: what comes after its last look would be lost. */
		xfn_provision__drop(sup, child);
		xfn_process__retire(sup, child);
		xfn_outbox__empty(&child->outbox);
	}
}
