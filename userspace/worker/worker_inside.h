/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inside a worker process: what its files share. Its threads share nothing on the packet path:
 * each has its own socket, its own copy of every function and its data, and its own page.
 */
#ifndef XFN_WORKER_INSIDE_H
#define XFN_WORKER_INSIDE_H

#include <pthread.h>
#include <semaphore.h>
#include "../../skel/error.h"
#include "../call/call.h"
#include "../engine/engine.h"
#include "../protocol/worker_protocol.h"
#include "../host/now.h"

/* What the first thread asks of the others; any change of it wakes those that wait. */
struct xfn_commands {
	uint32_t count;	   /* changes so far: a futex */
	uint32_t active;   /* bit i: the dispatcher gives thread i requests */
	uint32_t still;	   /* 1: stand still, an audit looks at the rings */
	uint32_t stop;	   /* 1: answer what has arrived, and end */
	uint32_t standing; /* threads that stand still: a futex */
};

/*
 * Requests of slow functions wait here while those of fast ones are answered: a ring. They are the
 * engine's still, so there are fewer of them than it has buffers.
 */
#define XFN_BACKLOG 512
struct xfn_backlog {
	uint32_t head, tail;
	uint64_t until_ns; /* calls are watched until then */
	struct xfn_datagram waiting[XFN_BACKLOG];
};

struct xfn_worker_thread {
	unsigned index;
	pthread_t id;
	struct xfn_page *page;
	struct xfn_call call;
	struct xfn_native natives[XFN_SLOTS];
	struct xfn_engine *engine;
	struct xfn_datagram batch[XFN_BATCH];
	struct xfn_backlog backlog;
	const struct xfn_engine_ops *ops;
	struct xfn_commands *orders;
	bool spin;
	uint64_t now_ns;     /* CLOCK_MONOTONIC when the last round, or the last wait, was over */
	uint64_t idle_since; /* while it rests, else 0 */
	uint64_t careful_until; /* while call.careful */
	/* its start: the first thread says when, and waits */
	int cpu; /* bound to it, -1: to none */
	sem_t go, done;
	struct xfn_error err;
	int ret;
};

/* Bind to its CPU, run the XFN_INIT of all its functions. 0, or -errno with one line in t->err. */
int xfn_worker__init(struct xfn_worker_thread *t);
/* Body of a thread but the first: init, the sandbox, rounds; each begun by `go`, told by `done`. */
void *xfn_worker__thread(void *t);
/*
 * Take, call and give until told to stop; what has arrived by then is answered. `look`, if not
 * NULL, is called now and then, also when idle; false ends too. 0, or -errno of a lost socket.
 */
int xfn_worker__rounds(struct xfn_worker_thread *t, bool (*look)(void));
void xfn_worker__finish(struct xfn_worker_thread *t); /* answer what has arrived */

/* worker_backlog.c: */
/* A round is over: watch calls from now on, for some seconds, if it has taken long. */
void xfn_backlog__watch(struct xfn_worker_thread *t);
/* Put aside what waits of the batch of n; what does not fit is dropped and counted. Returns how
 * many are left to be given, moved to the batch's front in their order. */
unsigned xfn_backlog__keep(struct xfn_worker_thread *t, unsigned n);
/* Answer what waits, for a bounded time but at least one. Returns how many. */
unsigned xfn_backlog__work(struct xfn_worker_thread *t);

/* For the first thread. Let the others follow changed orders. */
void xfn_worker__command(struct xfn_commands *orders);
/* Wait until `others` threads stand still, up to a second. False: one did not, it is in a function.
 */
bool xfn_worker__quiesce(struct xfn_commands *orders, unsigned others);
void xfn_worker__resume(struct xfn_commands *orders);

#endif
