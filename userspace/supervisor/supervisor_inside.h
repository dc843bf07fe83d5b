/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside the supervisor: what its files share. Must never hold anything of a packet. */
#ifndef XFN_SUPERVISOR_INSIDE_H
#define XFN_SUPERVISOR_INSIDE_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include "../../skel/error.h"
#include "../host/addresses.h"
#include "../call/call.h"
#include "../control/control.h"
#include "../protocol/worker_protocol.h"
#include "../host/events.h"
#include "../host/interface.h"
#include "workers/outbox.h"
#include "../sockets/packet_ring.h"
#include "supervisor.h"
#include "attachment/attachment.h"
#include "functions/functions.h"
#include "ingress/ingress.h"
#include "ingress/listeners.h"
#include "ingress/losses.h"
#include "ingress/nic_features.h"
#include "interface/interface_state.h"
#include "../sockets/udp_socket.h"
#include "../sockets/umem.h"
#include "../host/output_lines.h"

#define XFN_WORKER_PROCESSES                                                                       \
	(XFN_QUEUES + 1) /* one per queue, or of a ring, and one behind UDP sockets              \
			    */
#define XFN_CRASHES   3	 /* so many of a function ... */
#define XFN_CRASHES_S 10 /* ... within so many seconds: it is quarantined */

/* What a function did to its workers. */
struct xfn_health {
	bool quarantined;		  /* workers drop its requests */
	uint64_t crashes_ns[XFN_CRASHES]; /* when it last ended a worker; a ring */
	unsigned crash_count;
	char set_aside[256]; /* why workers cannot load it, "": they can; they drop its requests */
};

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

/* Why serving begins, or workers are made anew, and how far that is. */
enum xfn_phase {
	XFN_PHASE_NONE,
	XFN_PHASE_FRAMES,    /* workers of frames start; where they cannot, UDP sockets serve */
	XFN_PHASE_LISTENERS, /* then UDP sockets are opened */
	XFN_PHASE_SOCKETS    /* and those behind them start */
};

#define XFN_WHO 64 /* room for the name of a worker in messages */

/* The call that the last look saw running, and how many looks in a row saw it. */
struct xfn_seen {
	uint32_t slot;
	uint64_t calls;
	unsigned looks;
};

/* Rounds and calls of a thread when they were last looked at. */
struct xfn_progress {
	uint64_t steps;
	uint64_t cpu_ms; /* it had had, after some looks that saw no more of them */
	unsigned looks;	 /* in a row that saw none, while it was in no function */
};

/* What a thread had been through when its load was last looked at. */
struct xfn_load {
	uint64_t idle_ns, stalls;
};

#define XFN_WORKER_FDS 3 /* of a worker: its process, its socket, what it prints */

/* A worker process, or the place for one. */
struct xfn_worker_process {
	struct xfn_supervisor *sup;
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
	pid_t pid;
	int pidfd;
	int sock;		  /* the supervisor's end of the worker's pair */
	struct xfn_outbox outbox; /* what it is still to be given */
	struct xfn_output_lines output;
	int page_fd;
	struct xfn_page *page; /* one for each thread, written by the worker */
	struct xfn_page_check
		*checked; /* what is believed of them; outlives the process: counters go on */
	struct xfn_umem umem;
	bool has_umem;
	struct xfn_packet_ring ring; /* of engine packet; -1: none */
	struct xfn_load load[XFN_THREADS];
	uint64_t last_load_ns;	   /* when, 0: not yet */
	unsigned low_load_samples; /* looks in a row that found a thread too many */
	unsigned restarts;
	bool served;   /* one has, in this place: another one is started where it ends */
	bool optional; /* what is served goes on without it */
	int ret;       /* of the last start, where it failed */
	uint64_t until_ms;
	uint64_t retry_ms;   /* BINDING: when to try again */
	uint64_t started_ns; /* when this process was ready, 0: not yet */
	uint64_t ended_ns;
	struct xfn_seen seen[XFN_THREADS];
	bool hung; /* a function did not return in time: ended by us */
	struct xfn_progress progress[XFN_THREADS];
	const char *still;	/* why a thread stood still outside of functions: ended by us */
	uint64_t restart_at_ns; /* while DEAD: when to try again */
	struct xfn_error error; /* why the last start failed, "" if it did not */
};

/* A worker that nobody needs any more, until it has ended. */
struct xfn_leaver {
	struct xfn_leaver *next;
	struct xfn_supervisor *sup;
	struct xfn_events *events; /* the loop that it is waited for in */
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

/* An invocation that a worker has under way. */
struct xfn_pending {
	uint64_t ticket; /* of the control socket; 0: it was told that this takes too long */
	uint64_t until_ms;
	const struct xfn_worker_process *worker;
	pid_t pid; /* of that worker: another one knows nothing of it */
	int memfd;
	int tier;
	char name[XFN_NAME_MAX + 1];
};
#define XFN_PENDING 32

/* A request that waits for workers to tell of their frames. */
struct xfn_audit {
	uint64_t ticket; /* of the control socket */
	uint64_t until_ms;
	json_t *data; /* owned */
};
#define XFN_AUDITS XFN_CONTROL_CLIENTS

struct xfn_supervisor {
	const struct xfn_run_options *opts;
	struct xfn_events events;
	struct xfn_watch on_signals, on_clock, on_addresses, on_channels;
	struct xfn_timer settle;	 /* xfn_supervisor__settle */
	bool ready;			 /* the first start is over */
	uint64_t looked;		 /* the round in which the interface was last looked at */
	int failed;			 /* -errno of the first start, */
	struct xfn_error failed_because; /* and its line */
	char worker[PATH_MAX]; /* what is executed: the program held open, else its path */
	struct xfn_interface_state *interface;
	struct xfn_attachment *attachment;
	struct xfn_ingress *ingress;
	bool serving;		/* begun, not ended */
	enum xfn_phase phase;	/* of workers that are being made */
	uint64_t begun_ns;	/* when that began */
	char not_serving[256];	/* why the interface is there and up, but not served */
	struct xfn_timer retry; /* then: to try again */
	struct xfn_timer missing_retry, unread_retry; /* link_state.c's */
	struct xfn_page *retired; /* sums of workers that are no more; NULL: none */
	const char *udp_engine;	  /* engine of tier socket */
	char engine_reason[256];
	struct xfn_functions *functions;
	struct xfn_health health[XFN_SLOTS]; /* by slot, quarantine.c's own */
	uint8_t pool
		[XFN_SLOTS]; /* by slot, pools.c's own: threads that take its requests, 0: shared ones */
	struct xfn_worker_process workers[XFN_WORKER_PROCESSES];
	unsigned worker_count;
	struct xfn_leaver *leavers;
	unsigned own_threads[XFN_POOLS]; /* of each crew but the shared one, on every queue */
	unsigned shared[XFN_QUEUES];	/* threads of the shared one, as last scaled; 0: as begun */
	unsigned renewals;		/* how often workers were ended or made on purpose */
	struct xfn_timer calls_look;	/* for calls that do not return */
	struct xfn_timer progress_look; /* for threads that make no round */
	struct xfn_timer load_look;
	int clock_fd;	 /* says when the system's clock was set */
	int channels_fd; /* says when ethtool has changed something; -1 */
	struct xfn_control_server *control;
	struct xfn_pending pending[XFN_PENDING]; /* in the order of asking */
	unsigned pending_count;
	struct xfn_timer pending_late;
	struct xfn_audit audits[XFN_AUDITS];
	unsigned audit_count;
	struct xfn_timer audit_late;
};

/* supervisor.c */
/* Workers, or the way they start, have changed: to be acted on at the end of this round. */
void xfn_supervisor__settle(struct xfn_supervisor *sup);
/* Something has come of a worker: an interface that goes takes its workers along before it says so.
 * True: workers are others than before. */
bool xfn_supervisor__look(struct xfn_supervisor *sup);

/* deploy.c: all write one line to err and return 0 or -errno. */
/* Give every function its tier, with the reason; put kernel halves into their slots. */
int xfn_deploy__tiers(struct xfn_supervisor *sup, struct xfn_error *err);
/* Let a function of a lost AF_XDP go on behind UDP sockets. */
void xfn_deploy__to_sockets(struct xfn_supervisor *sup, const char *why);
/* Direct the ports to their functions: from now on the fast path answers. */
int xfn_deploy__bind(struct xfn_supervisor *sup, struct xfn_error *err);

/* deploy.c */
/* Warn of functions of the fast path that nobody can ask, since their addresses are not served. */
void xfn_deploy__log_unasked(const struct xfn_supervisor *sup);

/* serving.c */
/*
 * Attach, settle tiers, open sockets, start workers, let requests in. 0: under way,
 * xfn_serving__step goes on with it; or -errno with one line in err: then nothing is attached or
 * left. Counters go on from the time before.
 */
int xfn_serving__begin(struct xfn_supervisor *sup, struct xfn_error *err);
/*
 * Go on, whenever workers have changed while sup->phase is set; never waits. 1: still under way, 0:
 * all is served, or -errno with one line in err: nothing is any more.
 */
int xfn_serving__step(struct xfn_supervisor *sup, struct xfn_error *err);
/* Detach, dismiss workers, close sockets; keeps what was counted. Safe where nothing is served. */
void xfn_serving__end(struct xfn_supervisor *sup);
/* Make the set of workers anew, for MTU, queues and addresses of now; the kernel goes on serving.
 */
void xfn_serving__renew_workers(struct xfn_supervisor *sup);

/* link_state.c: the interface comes and goes. */
/*
 * What the kernel tells of links and addresses is to be read, and acted on. True: workers may be
 * others than before.
 */
bool xfn_link_state__changed(struct xfn_supervisor *sup);
/* What was begun (`anew`: workers only) is over, with what xfn_serving__step returned. */
void xfn_link_state__begun(struct xfn_supervisor *sup, bool anew, int ret, const char *err);
/* Serving has begun: act on what has changed meanwhile, try again to open what is missing. */
void xfn_link_state__follow(struct xfn_supervisor *sup);
/* "serving", "starting", "down", "gone" or "failed", and a sentence on it; "" while all is well. */
const char *xfn_link_state__state(const struct xfn_supervisor *sup, char *text, size_t len);

/* provision.c */
/* Pages, rings and CPUs for a worker that is to start. 0 or -errno; err may tell. */
int xfn_provision__make(struct xfn_supervisor *sup, struct xfn_worker_process *worker,
			struct xfn_error *err);
/* Bind its sockets to their queue: frames come from then on. -EBUSY: not yet. Else as above. */
int xfn_provision__bind(struct xfn_supervisor *sup, struct xfn_worker_process *worker,
			struct xfn_error *err);
void xfn_provision__drop(struct xfn_supervisor *sup,
			 struct xfn_worker_process *worker); /* its rings */
/* Warn about any thread that is not on its CPU. */
void xfn_provision__check_pinned(struct xfn_worker_process *worker);

/* process.c */
/* Start a process with a pair, a pipe for what it prints, and a pidfd. 0 or -errno; err may tell.
 */
int xfn_process__start(const struct xfn_supervisor *sup, struct xfn_worker_process *worker,
		       struct xfn_error *err);
void xfn_process__kill(const struct xfn_worker_process *worker); /* with all that it has started */
bool xfn_process__has_ended(const struct xfn_worker_process *worker);
/* Wait for one that has ended, or was killed; its status. Safe where there is none. */
int xfn_process__status(struct xfn_worker_process *worker);
/* Tell it to end, and give it up: its place is free, and its page is added to what was counted. */
void xfn_process__retire(struct xfn_supervisor *sup, struct xfn_worker_process *worker);
void xfn_process__wait(struct xfn_supervisor *sup); /* for all of them, at the end */

/* workers.c */
/* Add a place for a worker, and start one in it: .served says when it serves, DEAD that it cannot.
 * Returns the place. */
struct xfn_worker_process *xfn_workers__add(struct xfn_supervisor *sup, const char *engine,
					    uint32_t queue);
/* Replace the worker behind UDP sockets by one on the listeners of now; requests wait meanwhile. */
void xfn_workers__renew_sockets(struct xfn_supervisor *sup);
/* Watch its descriptors as they are now. */
void xfn_workers__watch(struct xfn_worker_process *worker);
void xfn_workers__unwatch(struct xfn_worker_process *worker);
/* The interface is up again: restart at once what waits for that. */
void xfn_workers__restart_now(struct xfn_supervisor *sup);
/* Remove the places from `keep` on: dismiss the workers, free what they had. */
void xfn_workers__remove(struct xfn_supervisor *sup, unsigned keep);
/* Does a worker serve on frames? All of these with zero copy? How many of them send by another
 * socket, since their queue has no TX queue? */
bool xfn_workers__on_frames(const struct xfn_supervisor *sup);
bool xfn_workers__zero_copy(const struct xfn_supervisor *sup);
unsigned xfn_workers__send_apart(const struct xfn_supervisor *sup);
/* Add what their rings have lost. */
void xfn_workers__losses(struct xfn_supervisor *sup, uint64_t sum[XFN_REASON_SLOTS]);
bool xfn_workers__multi_buffer(
	const struct xfn_supervisor *sup); /* do they take frames in several? */
/* worker_state.c: */
/* "worker of engine ENGINE, queue N" */
const char *xfn_worker_process__who(const struct xfn_worker_process *worker, char who[XFN_WHO]);
/* "serving", "starting", "waiting" (for its restart) or "ending", and why; "" while it serves. */
const char *xfn_worker_process__state(const struct xfn_worker_process *worker, char *text,
				      size_t len);
/* That of the first worker which `fn` lacks, "serving" where there is none. */
const char *xfn_workers__state(const struct xfn_supervisor *sup, const struct xfn_deployed *fn,
			       char *text, size_t len);
/* provision.c: */
/* Write down all that a worker needs, to be sent as it takes it. 0 or -errno. */
int xfn_provision__send(const struct xfn_supervisor *sup, struct xfn_worker_process *worker);
/*
 * A message that a worker must not miss. 0 or -errno; one that has not read those before, and has
 * no room for another, is ended: the next begins with things as they are.
 */
int xfn_workers__command(struct xfn_worker_process *worker, const struct xfn_message *msg);
/* Tell it which of its threads serve. 0 or -errno. */
int xfn_workers__send_active(struct xfn_worker_process *worker);

static inline bool xfn_worker_process__by_afxdp(const struct xfn_worker_process *worker)
{
	return !strcmp(worker->engine, "afxdp");
}

/* Its AF_XDP sockets, NULL: it has none. */
static inline const struct xfn_umem *
xfn_worker_process__umem(const struct xfn_worker_process *worker)
{
	return worker->has_umem ? &worker->umem : NULL;
}

static inline bool xfn_worker_process__by_ring(const struct xfn_worker_process *worker)
{
	return !strcmp(worker->engine, "packet");
}

/*
 * pools.c: which threads of a queue serve whom. The first ones are shared by all functions, behind
 * them stand those of functions that have some of their own, and the rest rests.
 */
/* Give the functions of --dedicate crews. To be called before the first worker starts. */
int xfn_pools__open(struct xfn_supervisor *sup, struct xfn_error *err);
/* The crews of now into a dispatcher that came later. */
void xfn_pools__load(struct xfn_supervisor *sup);
/* Threads that a worker of frames is to have, and how many of them are shared at first. */
unsigned xfn_pools__threads(const struct xfn_supervisor *sup);
unsigned xfn_pools__shared(const struct xfn_supervisor *sup, unsigned queue);
/* The threads of `worker` as they are meant to be, to the dispatcher and to the worker. */
int xfn_pools__apply(struct xfn_supervisor *sup, struct xfn_worker_process *worker);
/* Whom thread `thread` serves: a function's name, "all" or "none, it rests". */
const char *xfn_pools__serves(const struct xfn_supervisor *sup,
			      const struct xfn_worker_process *worker, unsigned thread);
/* So many threads for function `name` alone on each queue; name NULL: shared by all functions on
 * `queue`, -1: on each. 0, or -errno with one line in err. */
int xfn_pools__scale(struct xfn_supervisor *sup, const char *name, int queue, unsigned count,
		     struct xfn_error *err);
/* A worker serves: with --auto, add or remove shared threads by load from now on. */
void xfn_pools__follow_load(struct xfn_supervisor *sup);

/* standstill.c: threads that stand still outside of functions. */
/* A worker serves: end those that stand still, from now on. */
void xfn_standstill__watch(struct xfn_supervisor *sup);
/* ", after it had ..." of a worker whose .still is set. */
void xfn_standstill__sentence(const struct xfn_worker_process *worker, char *what, size_t len);
/* By SIGSTOP or the like: no function can do that. */
bool xfn_worker_process__is_stopped(const struct xfn_worker_process *worker);

/* quarantine.c: functions that end their workers. */
/* The slot + 1 that a thread is in, 0: none. The worker may have written anything there. */
uint32_t xfn_quarantine__running(const struct xfn_supervisor *sup, const struct xfn_page *page);
/* A worker serves: end those whose function does not return within the deadline, from now on. */
void xfn_quarantine__watch(struct xfn_supervisor *sup);
/*
 * The process of `worker` has ended: `what` tells in which function, if it was in one, and where its
 * request is kept. True: that function has done it too often.
 */
bool xfn_quarantine__ended(struct xfn_supervisor *sup, const struct xfn_worker_process *worker,
			   char *what, size_t len);
/* Quarantine the function in which `worker` ended, and say so. */
void xfn_quarantine__begin(struct xfn_supervisor *sup, const struct xfn_worker_process *worker);
/*
 * A worker did not start: ret of that, in the words of err. True: a function could not be loaded,
 * or its XFN_INIT failed; it is set aside, and the worker can be started without it.
 */
bool xfn_quarantine__blame(struct xfn_supervisor *sup, const struct xfn_worker_process *worker,
			   int ret, const char *err);
/* Does any function serve? -ECANCELED with one line in err: all are set aside. */
int xfn_quarantine__any_serves(const struct xfn_supervisor *sup, struct xfn_error *err);
/* "quarantined", "set_aside" or "": in what state a function is besides its interface. */
const char *xfn_quarantine__state(const struct xfn_supervisor *sup, unsigned slot);
/* Tell a worker being started which of its functions are not to be called. 0 or -errno. */
int xfn_quarantine__send(const struct xfn_supervisor *sup, struct xfn_worker_process *worker);
/* Let all functions of that name run again. 0, or -errno with one line in err. */
int xfn_quarantine__release(struct xfn_supervisor *sup, const char *name, struct xfn_error *err);
/* What `ls` says of a function in quarantine or set aside, and what to do; "" for others. */
void xfn_quarantine__sentence(const struct xfn_supervisor *sup, unsigned slot, char *text,
			      size_t len);

/*
 * crash_pcap.c: keep a noted request in the runtime folder; `path` is its file. Of a function at
 * most XFN_CRASH_FILES are kept, the oldest goes first. 0 or -errno, -ENODATA: none was noted.
 */
#define XFN_CRASH_FILES 16
int xfn_crash_pcap__keep(const char *ifname, const char *function, const struct xfn_crash *crash,
			 char *path, size_t len);

/* page_check.c: of the pages of workers only what can be is believed. */
/* Pages for a place. 0 or -errno. */
int xfn_page_check__make(struct xfn_worker_process *worker);
void xfn_page_check__begin(const struct xfn_supervisor *sup,
			   struct xfn_worker_process *worker); /* it starts */
/* It was asked for so many calls on purpose. */
void xfn_page_check__invoked(struct xfn_worker_process *worker, uint64_t calls);
/* Read the pages of a worker, or of all there are. */
void xfn_page_check__read(const struct xfn_supervisor *sup,
			  const struct xfn_worker_process *worker);
void xfn_page_check__read_all(const struct xfn_supervisor *sup);
/* What thread `thread`, and those in its place before it, had counted then; .crash holds nothing.
 */
const struct xfn_page *xfn_page_check__sum(const struct xfn_page_check *checked, unsigned thread);
/* Its number, if it is one of that process; else 0. */
pid_t xfn_worker_process__tid(const struct xfn_worker_process *worker, unsigned thread);
/* A worker that has ended, and whose place goes: its counts to what is past; frees both. */
void xfn_page_check__keep(struct xfn_supervisor *sup, struct xfn_page_check *checked,
			  struct xfn_page *pages, unsigned threads, const char *who);

/* retired.c */
/* What a worker counted that has ended, and whose page goes: added to sup->retired. */
void xfn_retired__keep(struct xfn_supervisor *sup, const struct xfn_page *page);
void xfn_retired__add(struct xfn_slot_counters *sum, const struct xfn_slot_counters *more);
/* A reason's count in a page; some are the engine's own: a reply that the kernel refused, a request
 * that is too long. */
uint64_t xfn_retired__reason(const struct xfn_page *page, unsigned reason);
/* A new engine counts from zero: the reasons of the last one go on. */
void xfn_retired__new_engine(struct xfn_page *page);

/* stats.c */
json_t *xfn_stats__functions(struct xfn_supervisor *sup); /* data of `ls` */
json_t *xfn_stats__counters(struct xfn_supervisor *sup);  /* data of `stat` */

/*
 * audit.c: where the frames of each worker are; frames_lost is null where one does not answer.
 */
/* Ask them, for the request that is being handled: adds that to its `data`, which is taken. A new
 * reference, or NULL with err filled; "": it is answered later. */
json_t *xfn_audit(struct xfn_supervisor *sup, json_t *data, struct xfn_error *err);
/* The message AUDITED of `worker`. */
void xfn_audit__done(struct xfn_supervisor *sup, const struct xfn_worker_process *worker,
		     const struct xfn_message *msg);
/* Workers have changed: answer what is complete. Who waits too long is answered by itself. */
void xfn_audit__check(struct xfn_supervisor *sup);
void xfn_audit__close(struct xfn_supervisor *sup);

/* invoke_data.c: what is answered. A new reference, NULL: out of memory. */
json_t *xfn_invoke__data(int tier, const char *action, unsigned reason, const uint8_t *reply,
			 uint32_t len, uint32_t ns);

/* invoke_worker.c */
/* Ask the worker of `slot`, for the request that is being handled. 0, or -errno with err. */
int xfn_invoke__ask(struct xfn_supervisor *sup, unsigned slot, const uint8_t *payload, uint32_t len,
		    uint32_t repeat, struct xfn_error *err);
/* The message INVOKED of `worker`. */
void xfn_invoke__done(struct xfn_supervisor *sup, const struct xfn_worker_process *worker,
		      const struct xfn_message *msg);
/* Workers have changed: answer for those that ended. Who waits too long is answered by itself. */
void xfn_invoke__check(struct xfn_supervisor *sup);

#endif
