/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside the supervisor: what its files share. Must never hold anything of a packet. */
#ifndef XFN_SUPERVISOR_INSIDE_H
#define XFN_SUPERVISOR_INSIDE_H

#include <jansson.h>
#include <limits.h>
#include <poll.h>
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
#include "../host/interface.h"
#include "workers/outbox.h"
#include "../sockets/packet_ring.h"
#include "supervisor.h"
#include "../sockets/udp_socket.h"
#include "../sockets/umem.h"
#include "../host/output_lines.h"

#define XFN_WORKER_PROCESSES                                                                       \
	(XFN_QUEUES + 1)   /* one per queue, or of a ring, and one behind UDP sockets              \
			    */
#define XFN_CRASHES   3	   /* so many of a function ... */
#define XFN_CRASHES_S 10   /* ... within so many seconds: it is quarantined */
#define XFN_LISTENERS 4096 /* UDP sockets of one run */

/* A deployed function. Its index in the table is its slot. */
struct xfn_deployed {
	const struct xfn_module *mod; /* the caller's */
	struct xfn_address addr;      /* where it is asked for; port 0 never */
	bool any;		      /* at every served address, or at every one of .version */
	unsigned version;	      /* with .any: 4 or 6; 0: both */
	uint16_t port;		      /* asked for; behind UDP sockets .addr may have another */
	int tier;
	bool in_kernel;			  /* its program is in its slot */
	bool on_device;			  /* and on the interface's card */
	bool listening;			  /* it has UDP sockets: of its tier, or slow ones */
	bool quarantined;		  /* workers drop its requests */
	unsigned pool;			  /* threads of its own take its requests, 0: shared ones */
	uint64_t crashes_ns[XFN_CRASHES]; /* when it last ended a worker; a ring */
	unsigned crash_count;
	char set_aside[256]; /* why workers cannot load it, "": they can; they drop its requests */
	uint64_t set_aside_ns;		  /* when it was: workers that began before were given it */
	const struct xfn_rule_text *rule; /* of tier and reason; NULL: none stands in the way */
	char reason[512];
};

/* A UDP socket the supervisor holds for a function: requests wait in it while a worker restarts. */
struct xfn_listener {
	int fd; /* -1: wanted, but not to be had now */
	uint32_t slot;
	unsigned device; /* ifindex of the only one to receive from, 0: any */
	unsigned scope;	 /* ifindex of the device that has the address, 0: not known */
	bool slow;
	bool logged;	   /* while it is missing: that was logged */
	uint64_t since_ns; /* likewise: from when on */
	struct xfn_address local;
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

/* Whose fault the end of a worker was. */
enum xfn_blame {
	XFN_BLAME_NOBODY, /* or a function that runs no more */
	XFN_BLAME_FUNCTION,
	XFN_BLAME_TOO_OFTEN, /* a function that is to be quarantined */
};

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

/* A worker process, or the place for one. */
struct xfn_worker_process {
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
	unsigned asked;		  /* questions that it has not answered yet */
	struct xfn_output_lines output;
	int page_fd;
	struct xfn_page *page; /* one for each thread, written by the worker */
	struct xfn_page_check
		*checked; /* what is believed of them; outlives the process: counters go on */
	struct xfn_umem umem;
	bool has_umem;
	struct xfn_packet_ring ring; /* of engine packet; -1: none */
	struct xfn_load load[XFN_THREADS];
	uint64_t last_load_ns, next_load_ns;
	unsigned low_load_samples; /* looks in a row that found a thread too many */
	unsigned restarts;
	bool served;   /* one has, in this place: another one is started where it ends */
	bool optional; /* what is served goes on without it */
	int ret;       /* of the last start, where it failed */
	uint64_t until_ms;
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

/* A worker that nobody needs any more, until it has ended. */
struct xfn_leaver {
	struct xfn_leaver *next;
	pid_t pid;
	int pidfd;
	struct xfn_page *page; /* of its threads; it still counts */
	struct xfn_page_check *checked;
	unsigned threads;
	struct xfn_output_lines output;
	uint64_t until_ms; /* then it is killed */
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
	char worker[PATH_MAX]; /* what is executed: the program held open, else its path */
	/* As last seen: name "" where none is used, index 0 while it is not there. */
	struct xfn_interface iface;
	bool serving;		   /* begun, not ended */
	enum xfn_phase phase;	   /* of workers that are being made */
	uint64_t begun_ns;	   /* when that began */
	bool served_once;	   /* the functions have their tiers */
	char not_serving[256];	   /* why the interface is there and up, but not served */
	uint64_t retry_at_ns;	   /* then: when to try again */
	struct xfn_loader *loader; /* NULL: no BPF now */
	struct xfn_loader *before; /* of the time before, detached: its counters go on; or NULL */
	struct xfn_page *retired;  /* sums of workers that are no more; NULL: none */
	uint64_t losses[XFN_REASON_SLOTS]; /* losses.c's own: of sockets that are no more */
	enum xfn_mode mode;		   /* of the host's program */
	struct xfn_error mode_reason;
	struct xfn_offload *device; /* what the interface's card runs; NULL: nothing */
	const char *udp_engine;	    /* engine of tier socket */
	uint32_t ring_mtu; /* what both filters of engine packet were made for, 0: it is not used */
	char engine_reason[256];
	struct xfn_deployed *functions;
	unsigned function_count;
	struct xfn_listener *listeners; /* sockets held */
	unsigned listener_count;
	struct xfn_listener *missing; /* sockets that could not be had, and are tried again */
	unsigned missing_count;
	bool missing_unknown;	/* what is missing could not be found out */
	uint64_t missing_at_ns; /* when */
	unsigned missing_tries;
	struct xfn_worker_process workers[XFN_WORKER_PROCESSES];
	unsigned worker_count;
	struct xfn_leaver *leavers;
	struct xfn_nic_features *nic;	 /* nic_features.c's own; NULL without an interface */
	unsigned own_threads[XFN_POOLS]; /* of each crew but the shared one, on every queue */
	unsigned shared[XFN_QUEUES]; /* threads of the shared one, as last scaled; 0: as begun */
	unsigned renewals;	     /* how often workers were ended or made on purpose */
	uint64_t next_poll_ns;	     /* when to look for calls that do not return */
	uint64_t next_progress_ns;   /* and for threads that make no round */
	struct xfn_addresses *addresses;
	struct xfn_socket_filter *socket_filter; /* socket_guard.c's own; NULL: none */
	bool no_socket_filter;			 /* it cannot be had */
	int clock_fd;				 /* says when the system's clock was set */
	int channels_fd;			 /* says when ethtool has changed something; -1 */
	const struct xfn_local_address *local;	 /* as the kernel tells them; of .addresses */
	unsigned local_count;
	const struct xfn_addresses_device *devices; /* the interface and its uppers; likewise */
	unsigned device_count;
	uint64_t unread_at_ns; /* they could not be read: when to try again; 0: they were */
	bool devices_changed, addresses_changed; /* sockets are to follow */
	struct xfn_control_server *control;
	struct xfn_pending pending[XFN_PENDING]; /* in the order of asking */
	unsigned pending_count;
	struct xfn_audit audits[XFN_AUDITS];
	unsigned audit_count;
};

/* deploy.c: all write one line to err and return 0 or -errno. */
/* Settle addresses and ports of the modules, refuse two functions on one. */
int xfn_deploy__open(struct xfn_supervisor *sup, struct xfn_error *err);
/* Give every function its tier, with the reason; put kernel halves into their slots. */
int xfn_deploy__tiers(struct xfn_supervisor *sup, struct xfn_error *err);
/* Let a function of a lost AF_XDP go on behind UDP sockets. */
void xfn_deploy__to_sockets(struct xfn_supervisor *sup, const char *why);
/* Direct the ports to their functions: from now on the fast path answers. */
int xfn_deploy__bind(struct xfn_supervisor *sup, struct xfn_error *err);
void xfn_deploy__close(struct xfn_supervisor *sup);
/* Descriptors that this run opens at most, about. */
unsigned xfn_deploy__descriptors(const struct xfn_supervisor *sup);
bool xfn_deploy__wants_frames(const struct xfn_supervisor *sup); /* is an AF_XDP worker of use? */
bool xfn_deploy__wants_sockets(const struct xfn_supervisor *sup);
bool xfn_deploy__wants_ring(const struct xfn_supervisor *sup); /* was engine packet asked for? */
bool xfn_deploy__wants_slow(const struct xfn_supervisor *sup);
bool xfn_deploy__is_slow(const struct xfn_deployed *fn); /* it wants slow sockets */
/* Is it asked at this address, where no other function names it more exactly? And the slot of the
 * one that answers at this address and port, or -1: the function that names the address, else
 * the one that names its IP version, else the one that names none. */
bool xfn_deploy__covers(const struct xfn_deployed *fn, const uint8_t ip[16]);
int xfn_deploy__owner(const struct xfn_supervisor *sup, const uint8_t ip[16], uint16_t port);

/*
 * listeners.c: UDP sockets of functions in tier socket, and slow ones: what the fast path leaves to
 * the host's stack (fragments, options, ...) reaches the same function. Each is bound to a served
 * address, slow ones also to a device; no other server's socket shares its port. One that cannot be
 * had is logged once, and tried again.
 */
/*
 * Open them all. 1: a run before may still be ending, to be called again in
 * xfn_listeners__retry_ms; 0; or -errno with one line in err: a socket of tier socket cannot be
 * had, and this is the first time that the functions are served.
 */
int xfn_listeners__open(struct xfn_supervisor *sup, struct xfn_error *err);
/* Close those whose address or device is gone, open what is missing. True: they are others than
 * before. */
bool xfn_listeners__follow(struct xfn_supervisor *sup);
/* Some are missing: ms until xfn_listeners__follow is to be called again; -1: none is. */
int xfn_listeners__retry_ms(const struct xfn_supervisor *sup);
void xfn_listeners__close(struct xfn_supervisor *sup);

/* listeners_wanted.c */
/* The sockets that are to be there now, in order. Returns their number, *out is to be freed; -errno
 * with one line in err. */
int xfn_listeners__wanted(struct xfn_supervisor *sup, struct xfn_listener **out,
			  struct xfn_error *err);
/* The same one in such an ordered list, or NULL. */
struct xfn_listener *xfn_listeners__find(struct xfn_listener *list, unsigned count,
					 const struct xfn_listener *one);

/* socket_guard.c: what sockets of tier socket refuse, and who of this host they are to know of. */
/* Have the socket refuse it, in place of an earlier filter. 0 or -errno. */
int xfn_socket_guard__attach(struct xfn_supervisor *sup, int fd);
/* The same, and what the ring of engine packet takes by those devices. */
int xfn_socket_guard__rest(const struct xfn_supervisor *sup, int fd, const unsigned *ifindexes);
void xfn_socket_guard__host(struct xfn_supervisor *sup); /* the host's addresses have changed */
/* What was refused, added; all of it under XFN_REASON_SLOW_REFUSED too. */
void xfn_socket_guard__reasons(const struct xfn_supervisor *sup, uint64_t sum[XFN_REASON_SLOTS]);

/* listeners_ring.c: engine packet. */
/* From now on UDP sockets take what its ring does not. 0 or -errno with one line in err. */
int xfn_listeners__share(struct xfn_supervisor *sup, struct xfn_error *err);
void xfn_listeners__take_all(struct xfn_supervisor *sup); /* until there is another ring */
/* What the ring is to take. Returns their number, *out is to be freed; -ENOMEM. */
int xfn_listeners__targets(const struct xfn_supervisor *sup, struct xfn_packet_target **out);

/*
 * offload.c: hardware offload, --mode offload. Everything is served by the host as well: what the card
 * passes on, and what it does not take.
 */
/* Put the functions that are meant for it on the card. 0 where none was asked for; one line in err.
 */
int xfn_offload_device__load(struct xfn_supervisor *sup, struct xfn_error *err);
/* Take them off again. */
void xfn_offload_device__unload(struct xfn_supervisor *sup);
/* An address came or went: the card's are compiled in, and stay. */
void xfn_offload_device__address_changed(const struct xfn_supervisor *sup);
/* What the card counted, added. */
void xfn_offload_device__counters(const struct xfn_supervisor *sup, unsigned slot,
				  struct xfn_slot_counters *sum);
void xfn_offload_device__reasons(const struct xfn_supervisor *sup, uint64_t sum[XFN_REASON_SLOTS]);
/* "offload", or the mode of the host's program that serves `fn`. */
const char *xfn_offload_device__mode(const struct xfn_supervisor *sup,
				     const struct xfn_deployed *fn);

/* local_addresses.c: addresses and devices as they are now, in the dispatcher and for sockets. */
int xfn_local_addresses__open(struct xfn_supervisor *sup, struct xfn_error *err);
/* The kernel's news of them, as xfn_addresses__serve; a failure is logged, and tried again. */
int xfn_local_addresses__read(struct xfn_supervisor *sup);
/* Those of another interface from now on, 0: none. */
void xfn_local_addresses__follow(struct xfn_supervisor *sup, unsigned ifindex);
void xfn_local_addresses__set_runtime(
	struct xfn_supervisor *sup); /* clock and MTU of now, to the programs */
void xfn_local_addresses__load(struct xfn_supervisor *sup); /* into a dispatcher that came later */
/* Warn of functions of the fast path that nobody can ask, since their addresses are not served. */
void xfn_local_addresses__log_unasked(const struct xfn_supervisor *sup);

/* serving.c */
/*
 * Attach, settle tiers, open sockets, start workers, let requests in. 0: under way,
 * xfn_serving__step goes on with it; or -errno with one line in err: then nothing is attached or
 * left. Counters go on from the time before.
 */
int xfn_serving__begin(struct xfn_supervisor *sup, struct xfn_error *err);
/*
 * Go on, in each round of the loop while sup->phase is set; never waits. 1: still under way, 0: all
 * is served, or -errno with one line in err: nothing is any more.
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
/* Try again what failed, if it is time. Returns ms until the next try, -1: none is needed. */
int xfn_link_state__retry(struct xfn_supervisor *sup);
/* What was begun (`anew`: workers only) is over, with what xfn_serving__step returned. */
void xfn_link_state__begun(struct xfn_supervisor *sup, bool anew, int ret, const char *err);
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
/* Bury those of them that have ended. Returns ms until one is late, -1: none is left. */
int xfn_process__reap(struct xfn_supervisor *sup);
/* Descriptors to be polled for that, at most `room`; how many there are. */
unsigned xfn_process__poll(const struct xfn_supervisor *sup, struct pollfd *fds, unsigned room);
void xfn_process__wait(struct xfn_supervisor *sup); /* for all of them, at the end */

/* workers.c */
/* Add a place for a worker, and start one in it: .served says when it serves, DEAD that it cannot.
 * Returns the place. */
struct xfn_worker_process *xfn_workers__add(struct xfn_supervisor *sup, const char *engine,
					    uint32_t queue);
/* Replace the worker behind UDP sockets by one on the listeners of now; requests wait meanwhile. */
void xfn_workers__renew_sockets(struct xfn_supervisor *sup);
/* What may have come of `worker`: messages, words, its end; and what is due. */
void xfn_workers__attend(struct xfn_supervisor *sup, struct xfn_worker_process *worker);
/* Restart what is due. Returns ms until the next thing that is, -1: none is planned. */
int xfn_workers__due(struct xfn_supervisor *sup);
/* Three descriptors to be polled for attending to it. */
#define XFN_WORKER_FDS 3
void xfn_workers__poll(const struct xfn_worker_process *worker, struct pollfd fds[XFN_WORKER_FDS]);
/* Remove the places from `keep` on: dismiss the workers, free what they had. */
void xfn_workers__remove(struct xfn_supervisor *sup, unsigned keep);
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
/* Verb `scale`: a new reference, or NULL with err filled. */
json_t *xfn_pools__scale(struct xfn_supervisor *sup, json_t *args, struct xfn_error *err);
/* --auto: add or remove shared threads by load. Returns ms until the next look, -1: none. */
int xfn_pools__follow_load(struct xfn_supervisor *sup);

/* nic_features.c: what the NIC and its driver do for workers of frames. */
/*
 * Decide, and change on the interface what was asked for; also undoes what a killed run left. To be
 * called when tiers are settled and before workers start. 0 or -errno with one line in err.
 */
int xfn_nic_features__begin(struct xfn_supervisor *sup, struct xfn_error *err);
void xfn_nic_features__end(struct xfn_supervisor *sup); /* undo it; safe where nothing was begun */
void xfn_nic_features__follow(struct xfn_supervisor *sup); /* served addresses are others now */
/* Try again what memory was short for. Returns ms until the next try, -1: none is needed. */
int xfn_nic_features__retry(struct xfn_supervisor *sup);
/* Queues that have workers of frames: how many, and the i-th of them. */
unsigned xfn_nic_features__queues(const struct xfn_supervisor *sup);
unsigned xfn_nic_features__queue(const struct xfn_supervisor *sup, unsigned i);
/* How many of their workers send by another socket, since their queue has no TX queue. */
unsigned xfn_nic_features__send_apart(const struct xfn_supervisor *sup);
/* Log which queues are served in a lesser way than others. */
void xfn_nic_features__log_queues(const struct xfn_supervisor *sup);
/* Was something asked for that only AF_XDP has? Then UDP sockets are no way out. */
bool xfn_nic_features__insists(const struct xfn_supervisor *sup);
/* Bind a queue's sockets as decided. 0 or -errno with one line in err. */
int xfn_nic_features__bind(struct xfn_supervisor *sup, struct xfn_umem *umem,
			   struct xfn_error *err);
/* What `ls` and `stat` say of it, for people at the start too. */
void xfn_nic_features__report(const struct xfn_supervisor *sup, json_t *data);
void xfn_nic_features__report_worker(const struct xfn_supervisor *sup,
				     const struct xfn_worker_process *worker, unsigned thread,
				     json_t *data);
void xfn_nic_features__print(const struct xfn_supervisor *sup, FILE *out);

/* standstill.c: threads that stand still outside of functions. */
/* End their workers. Returns ms until the next look, -1: none is needed. To be called in every
 * round of the loop. */
int xfn_standstill__watch(struct xfn_supervisor *sup);
/* ", after it had ..." of a worker whose .still is set. */
void xfn_standstill__sentence(const struct xfn_worker_process *worker, char *what, size_t len);
/* By SIGSTOP or the like: no function can do that. */
bool xfn_worker_process__is_stopped(const struct xfn_worker_process *worker);

/* quarantine.c: functions that end their workers. */
/* The slot + 1 that a thread is in, 0: none. The worker may have written anything there. */
uint32_t xfn_quarantine__running(const struct xfn_supervisor *sup, const struct xfn_page *page);
/*
 * End workers whose function does not return within the deadline. Returns ms until the next look,
 * -1: none is needed. To be called in every round of the loop.
 */
int xfn_quarantine__watch(struct xfn_supervisor *sup);
/*
 * The process of `worker` has ended: `what` tells in which function, if it was in one, and where its
 * request is kept; of a careful worker after which. Decides whether the next one is careful.
 */
enum xfn_blame xfn_quarantine__ended(struct xfn_supervisor *sup, struct xfn_worker_process *worker,
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
/* "quarantined", "set_aside" or "": in what state `fn` is besides its interface. */
const char *xfn_quarantine__state(const struct xfn_deployed *fn);
/* Tell a worker being started which of its functions are not to be called. 0 or -errno. */
int xfn_quarantine__send(const struct xfn_supervisor *sup, struct xfn_worker_process *worker);
/* Verb `release`: a new reference, or NULL with err filled. */
json_t *xfn_quarantine__release(struct xfn_supervisor *sup, json_t *args, struct xfn_error *err);
/* What `ls` says of a function in quarantine or set aside, and what to do; "" for others. */
void xfn_quarantine__sentence(const struct xfn_supervisor *sup, const struct xfn_deployed *fn,
			      char *text, size_t len);

/*
 * crash_pcap.c: keep a noted request in the runtime folder; `path` is its file. Of a function at
 * most XFN_CRASH_FILES are kept, the oldest goes first. 0 or -errno, -ENODATA: none was noted.
 */
#define XFN_CRASH_FILES 16
int xfn_crash_pcap__keep(const char *ifname, const char *function, const struct xfn_crash *crash,
			 char *path, size_t len);

/*
 * losses.c: what the kernel dropped on its way to a worker, by reason. Only the sockets count it,
 * and for as long as they live.
 */
/* To what the kernel's programs counted add what all sockets of now have lost, and those that are
 * closed already. */
void xfn_losses__add(struct xfn_supervisor *sup, uint64_t sum[XFN_REASON_SLOTS]);
/* A socket, or the rings of a worker, are about to be closed: their counts go on. */
void xfn_losses__keep_socket(struct xfn_supervisor *sup, const struct xfn_listener *listener);
void xfn_losses__keep_rings(struct xfn_supervisor *sup, const struct xfn_worker_process *worker);

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
/* Answer what is complete, or waits too long. To be called in every round of the loop; returns ms
 * until the next look, -1: none is needed. */
int xfn_audit__watch(struct xfn_supervisor *sup);
void xfn_audit__close(struct xfn_supervisor *sup);

/* invoke.c: one request on purpose. A new reference, or NULL with err filled; "": its worker
 * answers later. */
json_t *xfn_invoke(struct xfn_supervisor *sup, json_t *args, struct xfn_error *err);
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
/* Answer for workers that ended or take too long. To be called in every round of the loop; returns
 * ms until the next look, -1: none is needed. */
int xfn_invoke__watch(struct xfn_supervisor *sup);

#endif
