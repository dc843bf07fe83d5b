/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside workers/: what its files share. No other room includes this. */
#ifndef XFN_WORKERS_INSIDE_H
#define XFN_WORKERS_INSIDE_H

#include <limits.h>
#include "workers.h"

#define XFN_CRASHES   3	 /* so many of a function ... */
#define XFN_CRASHES_S 10 /* ... within so many seconds: it is quarantined */

/* quarantine.c's: what a function did to its workers. */
struct xfn_health {
	bool quarantined;		  /* workers drop its requests */
	uint64_t crashes_ns[XFN_CRASHES]; /* when it last ended a worker; a ring */
	unsigned crash_count;
	char set_aside[256]; /* why workers cannot load it, "": they can; they drop its requests */
	uint64_t set_aside_ns; /* when it was: workers that began before were given it */
};

/* process.c's: a worker that nobody needs any more, until it has ended. */
struct xfn_leaver {
	struct xfn_leaver *next;
	struct xfn_workers *owner;
	struct xfn_events *loop;   /* that it is waited for in */
	struct xfn_watch watch[2]; /* its process, what it prints */
	struct xfn_timer late;	   /* then it is killed */
	pid_t pid;
	int pidfd;
	struct xfn_page *page; /* of its threads; it still counts */
	struct xfn_page_check *checked;
	unsigned threads;
	struct xfn_output_lines output;
	char who[XFN_WHO];
};

struct xfn_workers {
	struct xfn_owners of;
	struct xfn_worker_events events;

	struct xfn_worker_process all[XFN_WORKER_PROCESSES]; /* workers.c */
	unsigned count;

	/* worker_set.c */
	const char *udp_engine;	 /* of tier socket, NULL: not chosen yet */
	const char *slow_engine; /* behind UDP sockets beside engine packet, NULL: none */
	char engine_reason[256]; /* why no better engine serves, "" */

	/* process.c */
	char program[PATH_MAX]; /* what is executed: the program held open, else its path */
	int program_fd;
	struct xfn_leaver *leavers;

	struct xfn_page *retired; /* retired.c: sums of workers that are no more; NULL: none */

	/* quarantine.c */
	struct xfn_health *health;   /* by slot */
	struct xfn_timer calls_look; /* for calls that do not return */

	struct xfn_timer progress_look; /* standstill.c: for threads that make no round */

	/* pools.c */
	uint8_t *pool;			 /* by slot: whose threads take its requests, 0: shared */
	unsigned own_threads[XFN_POOLS]; /* of each pool but the shared one, on every queue */
	unsigned shared[XFN_QUEUES]; /* threads of the shared one, as last scaled; 0: as begun */
	struct xfn_timer load_look;
};

/* workers.c */
/* Add a place for a worker, and start one in it: .served says when it serves, DEAD that it cannot.
 * Returns the place. */
struct xfn_worker_process *xfn_workers__add(struct xfn_workers *workers, const char *engine,
					    uint32_t queue);
/* Watch its descriptors as they are now; or, before they are closed, none of them. */
void xfn_workers__watch(struct xfn_worker_process *worker);
void xfn_workers__unwatch(struct xfn_worker_process *worker);

/* worker_end.c */
/* ms until the next try to start it: longer each time. */
unsigned xfn_worker_process__back_off_ms(const struct xfn_worker_process *worker);
/* A worker that had served has ended, with that wait(2) status; `left`: killed since it had left. Logs
 * why, quarantines who is to blame, and sets when another one is to start. */
void xfn_workers__ended(struct xfn_workers *workers, struct xfn_worker_process *worker, int status,
			bool left);

static inline void xfn_workers__changed(const struct xfn_workers *workers)
{
	workers->events.changed(workers->events.ctx);
}

#endif
