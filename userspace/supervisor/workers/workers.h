/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Workers as the rest of the supervisor sees them. struct xfn_workers is this room's own; other
 * rooms read its workers const, and change them by the functions here and of pools.h, quarantine.h.
 * Nothing waits: a worker starts, serves and ends in the loop.
 */
#ifndef XFN_WORKERS_H
#define XFN_WORKERS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include "../owners.h"
#include "../../../skel/error.h"
#include "../../host/events.h"
#include "../../host/output_lines.h"
#include "../../protocol/page.h"
#include "../../protocol/worker_protocol.h"
#include "../../sockets/umem.h"
#include "../attachment/attachment.h"
#include "../functions/functions.h"
#include "../ingress/ingress.h"
#include "../interface/interface_state.h"
#include "../options.h"
#include "outbox.h"

#define XFN_WORKER_PROCESSES (XFN_QUEUES + 1) /* one per queue, or of a ring; one of UDP sockets */
#define XFN_WORKER_FDS	     3	/* of a worker: its process, its socket, what it prints */
#define XFN_WHO		     64 /* room for the name of a worker in messages */

/*
 * STARTING -> BINDING -> READY -> DEAD -> STARTING ...; from each of the first three to LEAVING and
 * to DEAD. None of them is waited for: each has its time in .until_ms, and the loop goes on.
 */
enum xfn_worker_state {
	XFN_WORKER_DEAD,     /* no process; .restart_at_ns is when the next one starts */
	XFN_WORKER_STARTING, /* takes messages, runs its XFN_INITs */
	XFN_WORKER_BINDING,  /* has started; an earlier socket still holds its queue */
	XFN_WORKER_READY,    /* serves */
	XFN_WORKER_LEAVING   /* has left us, or was given up: killed at .until_ms at the latest */
};

struct xfn_workers;

/* quarantine.c's: the call that was seen running in the last sample, and in how many in a row. */
struct xfn_seen {
	uint32_t slot;
	uint64_t calls;
	unsigned looks;
};

/* standstill.c's: rounds and calls of a thread in the last sample. */
struct xfn_progress {
	uint64_t steps;
	uint64_t cpu_ms; /* of CPU time, after some samples without a further step */
	unsigned looks;	 /* samples in a row without one, while the thread was in no function */
};

/* pools.c's: what a thread had been through in the last sample of its load. */
struct xfn_load {
	uint64_t idle_ns, stalls;
};

/* A worker process, or the place for one. */
struct xfn_worker_process {
	struct xfn_workers *owner;
	struct xfn_watch watch[XFN_WORKER_FDS];
	struct xfn_timer due;	/* what its state is waiting for */
	struct xfn_timer quiet; /* its lines that were left out are to be told */
	enum xfn_worker_state state;
	const char *engine;
	uint32_t queue;
	unsigned threads;     /* it has, each with a page */
	unsigned shared;      /* of these, so many from the first on serve all functions */
	uint32_t active;      /* bit i: thread i serves */
	int cpu[XFN_THREADS]; /* each is bound to, -1: to none */
	pid_t pid;	      /* 0: no process */
	int pidfd;
	int sock;		  /* the supervisor's end of the worker's pair */
	struct xfn_outbox outbox; /* what it is still to be given */
	unsigned asked;		  /* questions that it has not answered yet */
	struct xfn_output_lines output;
	int page_fd;
	struct xfn_page *page;		/* one for each thread, written by the worker */
	struct xfn_page_check *checked; /* what is believed of them; outlives the process */
	struct xfn_umem umem;
	bool has_umem;
	struct xfn_load load[XFN_THREADS];
	uint64_t last_load_ns;	   /* when, 0: not yet */
	unsigned low_load_samples; /* in a row: with one thread less the others are not busy */
	unsigned restarts;
	bool served;	     /* one has, in this place: another one is started where it ends */
	bool optional;	     /* what is served goes on without it */
	int ret;	     /* of the last start, where it failed */
	uint64_t until_ms;   /* CLOCK_MONOTONIC, as all times here */
	uint64_t retry_ms;   /* BINDING: when to try again */
	uint64_t begun_ns;   /* when this process was begun to be made */
	uint64_t started_ns; /* when it was ready, 0: not yet */
	uint64_t ended_ns;
	struct xfn_seen seen[XFN_THREADS];
	bool hung;    /* a function did not return in time: ended by us */
	bool careful; /* the next process is: this one ended by a fault outside of functions */
	struct xfn_progress progress[XFN_THREADS];
	const char *still;	/* why a thread stood still outside of functions: ended by us */
	uint64_t restart_at_ns; /* while DEAD: when to try again */
	struct xfn_error error; /* why the last start failed, "" if it did not */
};

/* Who is told of workers; all must be there. */
struct xfn_worker_events {
	void *ctx;
	/* Something has come of a worker: an interface that goes takes its workers along before the
	 * kernel tells so. True: workers are others than before, and this one is left alone. */
	bool (*look)(void *ctx);
	/* Workers, or the way they start, have changed: to be acted on at the end of this round. */
	void (*changed)(void *ctx);
	/* The answer of a worker to a message that is not this room's: INVOKED or AUDITED. */
	void (*message)(void *ctx, const struct xfn_worker_process *worker,
			const struct xfn_message *msg);
};

/* What workers are made from. */
struct xfn_workers_parts {
	struct xfn_owners of;
	struct xfn_worker_events events;
};

/*
 * No worker yet; the program of workers is held open, and functions of --dedicate get pools. 0 or
 * -errno with one line in err. The caller closes.
 */
int xfn_workers__make(const struct xfn_workers_parts *parts, struct xfn_workers **out,
		      struct xfn_error *err);
/* Wait for those that were dismissed; in the end, since there is no other loop. */
void xfn_workers__wait(struct xfn_workers *workers);
/* Without workers, and when nobody asks for their counters any more. Safe on NULL. */
void xfn_workers__close(struct xfn_workers *workers);

/* worker_set.c: which workers there are to be. */
/* Add those of frames, if any are of use. */
void xfn_workers__start_frames(struct xfn_workers *workers);
/*
 * Choose the engine of tier socket, and add the workers behind UDP sockets, as listeners are held
 * now. 0, also where slow sockets alone do without; or -errno with one line in err.
 */
int xfn_workers__start_sockets(struct xfn_workers *workers, struct xfn_error *err);
/* Do all serve that were added? 0, 1: one is still starting, or -errno with its line in err: one
 * cannot. An optional one that cannot is logged, and given up. */
int xfn_workers__all_serve(struct xfn_workers *workers, struct xfn_error *err);
/* Engine of tier socket, NULL: not chosen yet; and why no better one serves, "" if none does. */
const char *xfn_workers__udp_engine(const struct xfn_workers *workers);
const char *xfn_workers__engine_reason(const struct xfn_workers *workers);
/* AF_XDP cannot be had, as `why` says: that is the reason from now on. NULL: there is none. */
void xfn_workers__set_no_afxdp(struct xfn_workers *workers, const char *why);

/* workers.c */
/* Replace the worker behind UDP sockets by one on the listeners of now; requests wait meanwhile. */
void xfn_workers__renew_sockets(struct xfn_workers *workers);
/* The interface is up again: restart at once what waits for that. */
void xfn_workers__restart_now(struct xfn_workers *workers);
/* Remove the places from `keep` on: dismiss the workers, free what they had. Counters go on. */
void xfn_workers__remove(struct xfn_workers *workers, unsigned keep);

/*
 * Ask a worker: a message whose answer comes by .message, in the order of asking. fd goes with it,
 * -1: none. 0 or -errno. An answer to nothing ends a worker.
 */
int xfn_workers__ask(const struct xfn_worker_process *worker, const struct xfn_message *msg,
		     int fd);

/* worker_state.c */
/* The places: how many, and the i-th. Valid until workers are removed. */
unsigned xfn_workers__count(const struct xfn_workers *workers);
const struct xfn_worker_process *xfn_workers__at(const struct xfn_workers *workers, unsigned i);
/* "worker of engine ENGINE, queue N" */
const char *xfn_worker_process__who(const struct xfn_worker_process *worker, char who[XFN_WHO]);
/* "serving", "starting", "waiting" (for its restart) or "ending", and why; "" while it serves. */
const char *xfn_worker_process__state(const struct xfn_worker_process *worker, char *text,
				      size_t len);
/* That of the first worker which `fn` lacks, "serving" where there is none. */
const char *xfn_workers__state(const struct xfn_workers *workers, const struct xfn_deployed *fn,
			       char *text, size_t len);
/* Does a worker serve on frames? */
bool xfn_workers__on_frames(const struct xfn_workers *workers);
/* Do all of these without copies? */
bool xfn_workers__zero_copy(const struct xfn_workers *workers);
/* Do they take frames in several buffers? */
bool xfn_workers__multi_buffer(const struct xfn_workers *workers);
/* How many of them send by another socket, since their queue has no TX queue. */
unsigned xfn_workers__send_apart(const struct xfn_workers *workers);
/* Add what the kernel dropped at their rings, by reason. */
void xfn_workers__losses(const struct xfn_workers *workers, uint64_t sum[XFN_REASON_SLOTS]);

static inline bool xfn_worker_process__by_afxdp(const struct xfn_worker_process *worker)
{
	return !strcmp(worker->engine, "afxdp");
}

static inline bool xfn_worker_process__by_ring(const struct xfn_worker_process *worker)
{
	return !strcmp(worker->engine, "packet");
}

/* Its AF_XDP sockets, NULL: it has none. */
static inline const struct xfn_umem *
xfn_worker_process__umem(const struct xfn_worker_process *worker)
{
	return worker->has_umem ? &worker->umem : NULL;
}

#endif
