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
#include "../../host/limits.h"
#include "../../host/log.h"
#include "../../host/now.h"
#include "../../host/printable.h"
#include "../ingress/listeners.h"
#include "page_check.h"
#include "pools.h"
#include "process.h"
#include "provision.h"
#include "quarantine.h"
#include "standstill.h"
#include "workers_inside.h"

#define START_MS      10000 /* a worker that is not ready by then is given up */
#define LEFT_MS	      500   /* one that has left us, and does not end by then, is killed */
#define FAILED_MS     2000  /* one that has failed answers what it has, and ends */
#define BUSY_RETRY_MS 20    /* while an earlier socket still holds the queue, */
#define BUSY_MS	      5000  /* which on a busy machine takes seconds */
#define MESSAGES      64    /* of a worker, taken in one round */

/* Make what a process needs, and start it. 0 or -errno; err may tell. */
static int prepare(struct xfn_workers *workers, struct xfn_worker_process *worker,
		   struct xfn_error *err)
{
	int ret = xfn_provision__make(workers, worker, err);

	ret = ret ?: xfn_process__start(workers, worker, err);
	ret = ret ?: xfn_provision__send(workers, worker);
	return ret;
}

static void start(struct xfn_workers *workers, struct xfn_worker_process *worker);

/* Its start has failed, with .ret and .error; the process is gone, if there was one. */
static void not_started(struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	char who[XFN_WHO];

	xfn_limits__advise(
		worker->error.line, sizeof(worker->error.line),
		xfn_interface_state__descriptors(workers->of.interface, workers->of.opts));
	worker->state = XFN_WORKER_DEAD;
	if (xfn_quarantine__blame(workers, worker, worker->ret, worker->error.line)) {
		start(workers, worker); /* without that function */
		return;
	}
	/* a first start that failed is handled by xfn_workers__all_serve */
	if (!worker->served)
		return;
	xfn_log__line(LOG_ERR, "%s: %s", xfn_worker_process__who(worker, who), worker->error.line);
	worker->restarts++;
	worker->restart_at_ns = xfn_now_ns() + xfn_worker_process__back_off_ms(worker) * 1000000ull;
}

static void start(struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	worker->state = XFN_WORKER_STARTING;
	worker->until_ms = xfn_now_ms() + START_MS;
	worker->begun_ns = xfn_now_ns();
	worker->started_ns = 0;
	worker->asked = 0;
	worker->pid = 0;
	worker->error.line[0] = '\0';
	worker->ret = prepare(workers, worker, &worker->error);
	if (!worker->ret) {
		worker->error.line[0] =
			'\0'; /* a note of what it does without, such as huge pages */
		return;
	}
	if (!worker->error.line[0])
		xfn_error__set(&worker->error, "cannot start a worker: %s", strerror(-worker->ret));
	xfn_process__kill(worker);
	xfn_process__status(worker);
	xfn_outbox__empty(&worker->outbox);
	xfn_provision__drop(workers, worker);
	not_started(workers, worker);
}

/* The worker is of no use: end it; the reason is logged when it has ended. */
static void give_up(struct xfn_worker_process *worker, int ret, const char *why)
{
	if (worker->error.line != why)
		xfn_error__set(&worker->error, "%s", why);
	worker->ret = ret;
	worker->state = XFN_WORKER_LEAVING;
	worker->until_ms = xfn_now_ms();
	xfn_process__kill(worker);
}

static void serves(struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	const struct xfn_message go = { .type = XFN_MESSAGE_GO,
					.version = XFN_WORKER_PROTOCOL_VERSION };
	uint64_t now = xfn_now_ns();
	char who[XFN_WHO];

	xfn_page_check__read(workers, worker); /* names of counters, before a function has run */
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
	xfn_workers__command(worker, &go);
	xfn_quarantine__watch(workers);
	xfn_standstill__watch(workers);
	xfn_pools__follow_load(workers);
}

/* It has started; frames come when its sockets are bound. */
static void bind_sockets(struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	uint64_t now = xfn_now_ms();
	int ret = xfn_provision__bind(workers, worker, &worker->error);

	if (!ret) {
		worker->error.line[0] = '\0';
		serves(workers, worker);
		return;
	}
	if (worker->state != XFN_WORKER_BINDING)
		worker->until_ms = now + BUSY_MS;
	worker->state = XFN_WORKER_BINDING;
	worker->retry_ms = now + BUSY_RETRY_MS;
	if (ret != -EBUSY || now >= worker->until_ms)
		give_up(worker, ret, worker->error.line);
}

static void follow(struct xfn_worker_process *worker);

/* Its state has waited long enough. */
static void on_due(void *ctx)
{
	struct xfn_worker_process *worker = ctx;
	char text[128];

	switch (worker->state) {
	case XFN_WORKER_DEAD:
		start(worker->owner, worker);
		break;
	case XFN_WORKER_STARTING:
		snprintf(text, sizeof(text),
			 "the worker is not ready after %d s (does an XFN_INIT wait?)",
			 START_MS / 1000);
		give_up(worker, -ETIMEDOUT, text);
		break;
	case XFN_WORKER_BINDING:
		bind_sockets(worker->owner, worker);
		break;
	case XFN_WORKER_LEAVING:
		xfn_process__kill(worker);
		return;
	default:
		return;
	}
	follow(worker);
}

/* When its state has waited long enough. */
static void plan(struct xfn_worker_process *worker)
{
	uint64_t now = xfn_now_ms(), at = worker->until_ms;

	xfn_events__stop(&worker->due);
	switch (worker->state) {
	case XFN_WORKER_DEAD:
		/* no AF_XDP socket can be bound while the interface is down */
		if (!worker->served || (xfn_worker_process__by_afxdp(worker) &&
					!worker->owner->of.interface->iface.up))
			return;
		at = worker->restart_at_ns / 1000000;
		break;
	case XFN_WORKER_BINDING:
		at = worker->retry_ms;
		break;
	case XFN_WORKER_READY:
		return;
	default:
		break;
	}
	xfn_events__after(worker->owner->of.loop, &worker->due, at > now ? at - now : 0, on_due,
			  worker);
}

/* As `worker` is now, so it is watched; and what it has become is acted on. */
static void follow(struct xfn_worker_process *worker)
{
	xfn_workers__watch(worker);
	plan(worker);
	xfn_workers__changed(worker->owner);
}

struct xfn_worker_process *xfn_workers__add(struct xfn_workers *workers, const char *engine,
					    uint32_t queue)
{
	struct xfn_worker_process *worker = &workers->all[workers->count++];

	memset(worker, 0, sizeof(*worker));
	worker->owner = workers;
	worker->engine = engine;
	worker->queue = queue;
	worker->threads = worker->shared = worker->active = 1;
	if (xfn_worker_process__by_afxdp(worker)) {
		worker->threads = xfn_pools__threads(workers);
		worker->shared = xfn_pools__shared(workers, queue);
	}
	worker->page_fd = worker->pidfd = worker->sock = worker->output.fd = -1;
	start(workers, worker);
	follow(worker);
	return worker;
}

void xfn_workers__renew_sockets(struct xfn_workers *workers)
{
	const char *engine =
		xfn_ring__mtu(workers->of.ingress) ? workers->slow_engine : workers->udp_engine;
	unsigned listeners;

	xfn_listeners__held(workers->of.ingress, &listeners);
	for (unsigned i = 0; i < workers->count; i++) {
		struct xfn_worker_process *worker = &workers->all[i];

		if (xfn_worker_process__by_afxdp(worker) || xfn_worker_process__by_ring(worker))
			continue;
		if (!listeners) { /* this place is the last one */
			xfn_workers__remove(workers, i);
			return;
		}
		xfn_process__retire(workers, worker);
		xfn_outbox__empty(&worker->outbox);
		worker->ended_ns = xfn_now_ns();
		start(workers, worker);
		follow(worker);
		return;
	}
	/* the first sockets */
	if (listeners && engine && workers->count < XFN_WORKER_PROCESSES) {
		struct xfn_worker_process *worker = xfn_workers__add(workers, engine, 0);

		worker->served = true; /* a failure is tried again like a crash */
		follow(worker);
	}
}

/* Its process has ended. */
static void bury(struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	/* a worker that was killed for another reason may also take that long to end */
	bool left = worker->state == XFN_WORKER_LEAVING && xfn_now_ms() >= worker->until_ms &&
		    !worker->hung && !worker->still;
	int status = xfn_process__status(worker);

	xfn_outbox__empty(&worker->outbox);
	xfn_provision__drop(workers, worker);
	if (worker->started_ns) {
		xfn_workers__ended(workers, worker, status, left);
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
	not_started(workers, worker);
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
static bool message(struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	struct xfn_message msg;
	int ret = xfn_message__recv(worker->sock, &msg, NULL);

	/* the worker closed its end with messages unread; its own last ones can still be read */
	if (ret == -ECONNRESET)
		ret = xfn_message__recv(worker->sock, &msg, NULL);
	if (ret == -EAGAIN)
		return false;
	if (ret <= 0) {
		leaves(worker, LEFT_MS);
		return false;
	}
	if (msg.type == XFN_MESSAGE_READY && worker->state == XFN_WORKER_STARTING)
		bind_sockets(workers, worker);
	else if (msg.type == XFN_MESSAGE_FAILED)
		failed(worker, &msg);
	else if ((msg.type == XFN_MESSAGE_INVOKED || msg.type == XFN_MESSAGE_AUDITED) &&
		 answers(worker))
		workers->events.message(workers->events.ctx, worker, &msg);
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

static void on_quiet(void *ctx);

/* Lines that were left out are logged when their second is over; then its output is read on. */
static void log_left_out(struct xfn_worker_process *worker)
{
	char who[XFN_WHO];
	int ms = xfn_output_lines__watch(&worker->output, xfn_worker_process__who(worker, who));

	if (ms >= 0)
		xfn_events__after(worker->owner->of.loop, &worker->quiet, (unsigned)ms, on_quiet,
				  worker);
}

static void on_quiet(void *ctx)
{
	log_left_out(ctx);
	xfn_workers__watch(ctx);
}

/* What may have come of `worker`: messages, lines, its end. */
static void attend(void *ctx)
{
	struct xfn_worker_process *worker = ctx;
	struct xfn_workers *workers = worker->owner;
	bool over = xfn_process__has_ended(worker); /* before its last messages are read */
	char who[XFN_WHO];

	if (worker->output.fd >= 0)
		xfn_output_lines__read(&worker->output, xfn_worker_process__who(worker, who));
	log_left_out(worker);
	if (listens(worker) && xfn_outbox__waits(&worker->outbox))
		send_rest(worker);
	for (unsigned i = 0; i < MESSAGES && listens(worker) && message(workers, worker); i++)
		;
	if (over)
		bury(workers, worker);
	follow(worker);
}

static void on_worker(void *ctx)
{
	struct xfn_worker_process *worker = ctx;

	if (!worker->owner->events.look(worker->owner->events.ctx))
		attend(worker);
}

void xfn_workers__watch(struct xfn_worker_process *worker)
{
	struct xfn_events *events = worker->owner->of.loop;

	xfn_events__watch(events, &worker->watch[0], XFN_TURN_NORMAL, worker->pidfd, on_worker,
			  worker);
	xfn_events__watch(events, &worker->watch[1], XFN_TURN_NORMAL,
			  listens(worker) ? worker->sock : -1, on_worker, worker);
	if (xfn_outbox__waits(&worker->outbox))
		worker->watch[1].wants |= POLLOUT;
	xfn_events__watch(events, &worker->watch[2], XFN_TURN_NORMAL,
			  xfn_output_lines__fd(&worker->output), attend, worker);
}

void xfn_workers__unwatch(struct xfn_worker_process *worker)
{
	for (unsigned i = 0; i < XFN_WORKER_FDS; i++)
		xfn_events__unwatch(&worker->watch[i]);
	xfn_events__stop(&worker->due);
	xfn_events__stop(&worker->quiet);
}

void xfn_workers__remove(struct xfn_workers *workers, unsigned keep)
{
	while (workers->count > keep) {
		struct xfn_worker_process *worker = &workers->all[--workers->count];

		xfn_workers__unwatch(worker);
		/* Stop its requests first: those that come after its last round would be lost. */
		xfn_provision__drop(workers, worker);
		xfn_process__retire(workers, worker);
		xfn_outbox__empty(&worker->outbox);
	}
	xfn_workers__changed(workers);
}

void xfn_workers__restart_now(struct xfn_workers *workers)
{
	for (unsigned i = 0; i < workers->count; i++) {
		workers->all[i].restart_at_ns = 0;
		plan(&workers->all[i]);
	}
}

int xfn_workers__ask(const struct xfn_worker_process *worker, const struct xfn_message *msg, int fd)
{
	struct xfn_workers *workers = worker->owner;
	int ret = xfn_message__send(worker->sock, msg, fd);

	if (!ret)
		workers->all[worker - workers->all].asked++;
	return ret;
}
