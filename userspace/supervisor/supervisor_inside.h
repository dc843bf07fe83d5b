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
#include "workers/page_check.h"
#include "workers/pools.h"
#include "workers/quarantine.h"
#include "workers/retired.h"
#include "workers/workers.h"
#include "../sockets/udp_socket.h"
#include "../sockets/umem.h"
#include "../host/output_lines.h"

/* Why serving begins, or workers are made anew, and how far that is. */
enum xfn_phase {
	XFN_PHASE_NONE,
	XFN_PHASE_FRAMES,    /* workers of frames start; where they cannot, UDP sockets serve */
	XFN_PHASE_LISTENERS, /* then UDP sockets are opened */
	XFN_PHASE_SOCKETS    /* and those behind them start */
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
	struct xfn_interface_state *interface;
	struct xfn_attachment *attachment;
	struct xfn_ingress *ingress;
	struct xfn_workers *workers;
	bool serving;		/* begun, not ended */
	enum xfn_phase phase;	/* of workers that are being made */
	uint64_t begun_ns;	/* when that began */
	char not_serving[256];	/* why the interface is there and up, but not served */
	struct xfn_timer retry; /* then: to try again */
	struct xfn_timer missing_retry, unread_retry; /* link_state.c's */
	struct xfn_functions *functions;
	unsigned renewals; /* how often workers were ended or made on purpose */
	int clock_fd;	   /* says when the system's clock was set */
	int channels_fd;   /* says when ethtool has changed something; -1 */
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
