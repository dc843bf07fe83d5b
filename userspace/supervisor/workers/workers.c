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
#define FAILED_MS	2000  /* one that has failed answers what it has, and ends */
#define STABLE_NS	10000000000ull
#define SERVED_NS	250000000ull /* was of use until it was killed from outside */
#define BACK_OFF_MAX_MS 5000
#define BUSY_RETRY_MS	20   /* while an earlier socket still holds the queue, */
#define BUSY_MS		5000 /* which on a busy machine takes seconds */
#define MESSAGES	64   /* of a worker, taken in one round */

/* All that a process is started with. 0 or -errno; err may tell. */
static int prepare(struct xfn_supervisor *sup, struct xfn_worker_process *worker,
		   struct xfn_error *err)
{
	int ret = xfn_provision__make(sup, worker, err);

	ret = ret ?: xfn_process__start(sup, worker, err);
	ret = ret ?: xfn_provision__send(sup, worker);
	return ret;
}

/* Before the next try: longer each time. */
static unsigned back_off_ms(const struct xfn_worker_process *worker)
{
	unsigned ms = 100u << (worker->restarts < 6 ? worker->restarts : 6);

	return ms < BACK_OFF_MAX_MS ? ms : BACK_OFF_MAX_MS;
}

static void start(struct xfn_supervisor *sup, struct xfn_worker_process *worker);

/* Its start has failed, with .ret and .error; the process is gone, if there was one. */
static void not_started(struct xfn_supervisor *sup, struct xfn_worker_process *worker)
{
	char who[XFN_WHO];

	xfn_limits__advise(worker->error.line, sizeof(worker->error.line),
			   xfn_deploy__descriptors(sup));
	worker->state = XFN_WORKER_DEAD;
	if (xfn_quarantine__blame(sup, worker, worker->ret, worker->error.line)) {
		start(sup, worker); /* without that function */
		return;
	}
	/* one that never served is the matter of whoever added the place */
	if (!worker->served)
		return;
	xfn_log__line(LOG_ERR, "%s: %s", xfn_worker_process__who(worker, who), worker->error.line);
	worker->restarts++;
	worker->restart_at_ns = xfn_now_ns() + back_off_ms(worker) * 1000000ull;
}

static void start(struct xfn_supervisor *sup, struct xfn_worker_process *worker)
{
	worker->state = XFN_WORKER_STARTING;
	worker->until_ms = xfn_now_ms() + START_MS;
	worker->begun_ns = xfn_now_ns();
	worker->started_ns = 0;
	worker->asked = 0;
	worker->pid = 0;
	worker->error.line[0] = '\0';
	worker->ret = prepare(sup, worker, &worker->error);
	if (!worker->ret) {
		worker->error.line[0] = '\0'; /* of what it did without, as huge pages */
		return;
	}
	if (!worker->error.line[0])
		xfn_error__set(&worker->error, "cannot start a worker: %s", strerror(-worker->ret));
	xfn_process__kill(worker);
	xfn_process__status(worker);
	xfn_outbox__empty(&worker->outbox);
	xfn_provision__drop(sup, worker);
	not_started(sup, worker);
}

/* It is of no use: end it, and say why when it has ended. */
static void give_up(struct xfn_worker_process *worker, int ret, const char *why)
{
	if (worker->error.line != why)
		xfn_error__set(&worker->error, "%s", why);
	worker->ret = ret;
	worker->state = XFN_WORKER_LEAVING;
	worker->until_ms = xfn_now_ms();
	xfn_process__kill(worker);
}

static void serves(const struct xfn_supervisor *sup, struct xfn_worker_process *worker)
{
	uint64_t now = xfn_now_ns();
	char who[XFN_WHO];

	xfn_page_check__read(sup, worker); /* names of counters, before a function has run */
	xfn_provision__check_pinned(worker);
	worker->state = XFN_WORKER_READY;
	worker->started_ns = now;
	if (worker->served) {
		worker->restarts++;
		xfn_log__line(LOG_NOTICE, "%s serves again after %u ms",
			      xfn_worker_process__who(worker, who),
			      (unsigned)((now - worker->ended_ns) / 1000000));
	}
	worker->served = true;
}

/* It has started; frames come when its sockets are bound. */
static void bind_sockets(struct xfn_supervisor *sup, struct xfn_worker_process *worker)
{
	uint64_t now = xfn_now_ms();
	int ret = xfn_provision__bind(sup, worker, &worker->error);

	if (!ret) {
		worker->error.line[0] = '\0';
		serves(sup, worker);
		return;
	}
	if (worker->state != XFN_WORKER_BINDING)
		worker->until_ms = now + BUSY_MS;
	worker->state = XFN_WORKER_BINDING;
	worker->retry_ms = now + BUSY_RETRY_MS;
	if (ret != -EBUSY || now >= worker->until_ms)
		give_up(worker, ret, worker->error.line);
}

struct xfn_worker_process *xfn_workers__add(struct xfn_supervisor *sup, const char *engine,
					    uint32_t queue)
{
	struct xfn_worker_process *worker = &sup->workers[sup->worker_count++];

	memset(worker, 0, sizeof(*worker));
	worker->engine = engine;
	worker->queue = queue;
	worker->threads = worker->shared = worker->active = 1;
	if (xfn_worker_process__by_afxdp(worker)) {
		worker->threads = xfn_pools__threads(sup);
		worker->shared = xfn_pools__shared(sup, queue);
	}
	worker->page_fd = worker->ring.receive = worker->ring.send = -1;
	worker->pidfd = worker->sock = worker->output.fd = -1;
	start(sup, worker);
	return worker;
}

void xfn_workers__renew_sockets(struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->worker_count; i++) {
		struct xfn_worker_process *worker = &sup->workers[i];

		if (xfn_worker_process__by_afxdp(worker) || xfn_worker_process__by_ring(worker))
			continue;
		if (!sup->listener_count) { /* it stands behind all others */
			xfn_workers__remove(sup, i);
			return;
		}
		xfn_process__retire(sup, worker);
		xfn_outbox__empty(&worker->outbox);
		worker->ended_ns = xfn_now_ns();
		start(sup, worker);
		return;
	}
	/* the first sockets */
	if (sup->listener_count && sup->udp_engine && sup->worker_count < XFN_WORKER_PROCESSES)
		/* a failure is tried again like a crash */
		xfn_workers__add(sup, sup->udp_engine, 0)->served = true;
}

/* Why it ended, and when another one is to start. */
static void ended(struct xfn_supervisor *sup, struct xfn_worker_process *worker, int status,
		  bool left)
{
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	enum xfn_blame blame = XFN_BLAME_NOBODY;
	bool outside;
	uint64_t now = xfn_now_ns();
	unsigned wait_ms = 0;
	char what[512] = ", from outside", who[XFN_WHO], killed[sizeof(worker->error) + 32] = "";

	/* No function can do that: it was the kernel, out of memory, or a person. */
	outside = sig == SIGKILL && !worker->hung && !left;
	if (outside && worker->still)
		xfn_standstill__sentence(worker, what, sizeof(what));
	if (!outside)
		blame = xfn_quarantine__ended(sup, worker, what, sizeof(what));
	if (!what[0] && (sig == SIGTERM || sig == SIGINT || sig == SIGHUP))
		snprintf(what, sizeof(what), ", from outside");
	/*
	 * One that keeps dying waits longer each time, but not for a function that is blamed: the
	 * wait would keep its next crash out of the time in which quarantine counts them, and the
	 * others of its worker from answering.
	 */
	if (blame != XFN_BLAME_NOBODY)
		wait_ms = 0;
	else if (now - worker->started_ns < (outside ? SERVED_NS : STABLE_NS) && worker->restarts)
		wait_ms = back_off_ms(worker);
	else
		worker->restarts = 0;
	worker->ended_ns = now;
	worker->restart_at_ns = now + wait_ms * 1000000ull;
	worker->state = XFN_WORKER_DEAD;
	if (left)
		snprintf(killed, sizeof(killed), ", killed since %s",
			 worker->error.line[0] ? worker->error.line : "it had left its supervisor");
	xfn_log__line(LOG_WARNING, "%s ended (%s %d)%s%s; restart in %u ms",
		      xfn_worker_process__who(worker, who), sig ? "signal" : "status",
		      sig ?: WEXITSTATUS(status), killed, what, wait_ms);
	if (blame == XFN_BLAME_TOO_OFTEN)
		xfn_quarantine__begin(sup, worker);
}

/* Its process has ended. */
static void bury(struct xfn_supervisor *sup, struct xfn_worker_process *worker)
{
	/* one that was killed for something else may take its time to end */
	bool left = worker->state == XFN_WORKER_LEAVING && xfn_now_ms() >= worker->until_ms &&
		    !worker->hung && !worker->still;
	int status = xfn_process__status(worker);

	xfn_outbox__empty(&worker->outbox);
	xfn_provision__drop(sup, worker);
	if (worker->started_ns) {
		ended(sup, worker, status, left);
		return;
	}
	if (!worker->ret) {
		bool outside = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;

		worker->ret = outside ? -EINTR : -ECHILD;
		xfn_error__set(&worker->error, "the worker ended while it started");
		if (WIFSIGNALED(status))
			xfn_error__set(&worker->error,
				       "the worker was ended by signal %d while it started",
				       WTERMSIG(status));
	}
	not_started(sup, worker);
}

/* Nothing more is read of it: let it end within `ms`. */
static void leaves(struct xfn_worker_process *worker, unsigned ms)
{
	worker->state = XFN_WORKER_LEAVING;
	worker->until_ms = xfn_now_ms() + ms;
}

/*
 * An answer that nobody waits for, or what no worker says: a function has written to the pair. Must
 * never be passed over, or it would be read without end.
 */
static void out_of_turn(struct xfn_worker_process *worker)
{
	xfn_error__set(&worker->error, "it had sent what nobody had asked for");
	worker->ret = -EPROTO;
	leaves(worker, 0);
}

/* Is it the answer to a question? */
static bool answers(struct xfn_worker_process *worker)
{
	if (!worker->asked)
		return false;
	worker->asked--;
	return true;
}

/* It has failed, and ends. */
static void failed(struct xfn_worker_process *worker, const struct xfn_message *msg)
{
	char text[sizeof(worker->error.line)], who[XFN_WHO];

	xfn_printable(msg->failed.text, strnlen(msg->failed.text, sizeof(msg->failed.text)), text,
		      sizeof(text));
	if (worker->started_ns) {
		xfn_log__line(LOG_ERR, "%s: %s", xfn_worker_process__who(worker, who), text);
		leaves(worker, FAILED_MS);
		return;
	}
	xfn_error__set(&worker->error, "%s", text);
	worker->ret = -ECANCELED;
	leaves(worker, LEFT_MS);
}

/* False: there is no further one. */
static bool message(struct xfn_supervisor *sup, struct xfn_worker_process *worker)
{
	struct xfn_message msg;
	int ret = xfn_message__recv(worker->sock, &msg, NULL);

	/* one that refused a message has left others unread, and more may come of it */
	if (ret == -ECONNRESET)
		ret = xfn_message__recv(worker->sock, &msg, NULL);
	if (ret == -EAGAIN)
		return false;
	if (ret <= 0) {
		leaves(worker, LEFT_MS);
		return false;
	}
	if (msg.type == XFN_MESSAGE_READY && worker->state == XFN_WORKER_STARTING)
		bind_sockets(sup, worker);
	else if (msg.type == XFN_MESSAGE_FAILED)
		failed(worker, &msg);
	else if (msg.type == XFN_MESSAGE_INVOKED && answers(worker))
		xfn_invoke__done(sup, worker, &msg);
	else if (msg.type == XFN_MESSAGE_AUDITED && answers(worker))
		xfn_audit__done(sup, worker, &msg);
	else
		out_of_turn(worker);
	return worker->state != XFN_WORKER_LEAVING;
}

static bool listens(const struct xfn_worker_process *worker)
{
	return worker->sock >= 0 && worker->state != XFN_WORKER_LEAVING;
}

/* What it is still to be given; one that refuses it says why. */
static void send_rest(struct xfn_worker_process *worker)
{
	char text[128];
	int ret = xfn_outbox__send(&worker->outbox, worker->sock);

	if (!ret || ret == -EAGAIN)
		return;
	xfn_outbox__empty(&worker->outbox);
	if (ret == -EPIPE || ret == -ECONNRESET)
		return;
	snprintf(text, sizeof(text), "cannot start a worker: %s", strerror(-ret));
	give_up(worker, ret, text);
}

void xfn_workers__attend(struct xfn_supervisor *sup, struct xfn_worker_process *worker)
{
	bool over = xfn_process__has_ended(worker); /* before its last messages are read */
	char who[XFN_WHO];

	if (worker->output.fd >= 0)
		xfn_output_lines__read(&worker->output, xfn_worker_process__who(worker, who));
	if (listens(worker) && xfn_outbox__waits(&worker->outbox))
		send_rest(worker);
	for (unsigned i = 0; i < MESSAGES && listens(worker) && message(sup, worker); i++)
		;
	if (over)
		bury(sup, worker);
}

void xfn_workers__poll(const struct xfn_worker_process *worker, struct pollfd fds[XFN_WORKER_FDS])
{
	short writable = xfn_outbox__waits(&worker->outbox) ? POLLOUT : 0;

	fds[0] = (struct pollfd){ .fd = worker->pidfd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = listens(worker) ? worker->sock : -1,
				  .events = (short)(POLLIN | writable) };
	fds[2] = (struct pollfd){ .fd = xfn_output_lines__fd(&worker->output), .events = POLLIN };
}

/* What is due of one. Returns ms until the next thing is, -1: none is planned. */
static int due(struct xfn_supervisor *sup, struct xfn_worker_process *worker)
{
	uint64_t now = xfn_now_ms(), next;
	char text[128];

	switch (worker->state) {
	case XFN_WORKER_DEAD:
		/* no AF_XDP socket can be bound while the interface is down */
		if (!worker->served || (xfn_worker_process__by_afxdp(worker) && !sup->iface.up))
			return -1;
		next = worker->restart_at_ns / 1000000;
		if (next > now)
			break;
		start(sup, worker);
		return 0;
	case XFN_WORKER_STARTING:
		next = worker->until_ms;
		if (next > now)
			break;
		snprintf(text, sizeof(text),
			 "the worker is not ready after %d s (does an XFN_INIT wait?)",
			 START_MS / 1000);
		give_up(worker, -ETIMEDOUT, text);
		return -1;
	case XFN_WORKER_BINDING:
		next = worker->retry_ms;
		if (next > now)
			break;
		bind_sockets(sup, worker);
		return 0;
	case XFN_WORKER_LEAVING:
		next = worker->until_ms;
		if (next > now)
			break;
		xfn_process__kill(worker);
		return -1;
	default:
		return -1;
	}
	return (int)(next - now) + 1;
}

int xfn_workers__due(struct xfn_supervisor *sup)
{
	int soonest = -1;

	for (unsigned i = 0; i < sup->worker_count; i++) {
		struct xfn_worker_process *worker = &sup->workers[i];
		char who[XFN_WHO];
		int next[] = { due(sup, worker),
			       xfn_output_lines__watch(&worker->output,
						       xfn_worker_process__who(worker, who)) };

		for (unsigned n = 0; n < 2; n++)
			if (next[n] >= 0 && (soonest < 0 || next[n] < soonest))
				soonest = next[n];
	}
	return soonest;
}

void xfn_workers__remove(struct xfn_supervisor *sup, unsigned keep)
{
	while (sup->worker_count > keep) {
		struct xfn_worker_process *worker = &sup->workers[--sup->worker_count];

		/* No more requests to it first: what comes after its last look would be lost. */
		xfn_provision__drop(sup, worker);
		xfn_process__retire(sup, worker);
		xfn_outbox__empty(&worker->outbox);
	}
}
