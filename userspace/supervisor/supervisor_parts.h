/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The supervisor's own files: one owner of each kind, and what brings them together. Only the files
 * of this folder include this; its rooms know each other by their own headers.
 */
#ifndef XFN_SUPERVISOR_PARTS_H
#define XFN_SUPERVISOR_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../../skel/error.h"
#include "../host/events.h"
#include "attachment/attachment.h"
#include "functions/functions.h"
#include "ingress/ingress.h"
#include "interface/interface_state.h"
#include "options.h"
#include "requests/requests.h"
#include "workers/workers.h"

/* Why serving begins, or workers are made anew, and how far that is. */
enum xfn_phase {
	XFN_PHASE_NONE,
	XFN_PHASE_FRAMES,    /* workers of frames start; where they cannot, UDP sockets serve */
	XFN_PHASE_LISTENERS, /* then UDP sockets are opened */
	XFN_PHASE_SOCKETS    /* and those behind them start */
};

/* serving.c writes these. */
struct xfn_serving {
	bool on;	      /* begun, not ended */
	enum xfn_phase phase; /* of workers that are being made */
	uint64_t begun_ns;    /* when that began */
	unsigned renewals;    /* how often workers were ended or made on purpose */
};

/* link_state.c writes these. */
struct xfn_link_state {
	char not_serving[256];		/* why the interface is there and up, but not served */
	struct xfn_timer retry;		/* then: to try again */
	struct xfn_timer missing_retry; /* sockets are missing */
	struct xfn_timer unread_retry;	/* links or addresses could not be read */
};

struct xfn_supervisor {
	const struct xfn_run_options *opts;
	struct xfn_events loop;
	struct xfn_functions *functions;
	struct xfn_interface_state *interface;
	struct xfn_attachment *attachment;
	struct xfn_ingress *ingress;
	struct xfn_workers *workers;
	struct xfn_requests *requests;
	struct xfn_serving serving;
	struct xfn_link_state link;

	/* supervisor.c writes these. */
	struct xfn_watch on_signals, on_clock, on_addresses, on_channels;
	struct xfn_timer settle;	 /* xfn_supervisor__settle */
	bool ready;			 /* the first start is over */
	uint64_t looked;		 /* the round in which the interface was last read */
	int failed;			 /* -errno of the first start, */
	struct xfn_error failed_because; /* and its line */
	int clock_fd;			 /* says when the system's clock was set */
	int channels_fd;		 /* says when ethtool has changed something; -1 */
};

/* supervisor.c */
/* Workers, or the way they start, have changed: to be acted on at the end of this round. */
void xfn_supervisor__settle(struct xfn_supervisor *sup);

/* deploy.c: write one line to err and return 0 or -errno. */
/* Give every function its tier, with the reason; put kernel halves into their slots. */
int xfn_deploy__tiers(struct xfn_supervisor *sup, struct xfn_error *err);
/* Direct the ports to their functions: from now on the fast path answers. */
int xfn_deploy__bind(const struct xfn_supervisor *sup, struct xfn_error *err);
/* Let the functions of a lost AF_XDP go on behind UDP sockets. */
void xfn_deploy__to_sockets(struct xfn_supervisor *sup, const char *why);
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
 * Go on, whenever workers have changed while a phase is set; never waits. 1: still under way, 0:
 * all is served, or -errno with one line in err: nothing is any more.
 */
int xfn_serving__step(struct xfn_supervisor *sup, struct xfn_error *err);
/* Detach, dismiss workers, close sockets; keeps what was counted. Safe where nothing is served. */
void xfn_serving__end(struct xfn_supervisor *sup);
/* Make the set of workers anew, for MTU, queues and addresses of now; the kernel goes on serving.
 */
void xfn_serving__renew_workers(struct xfn_supervisor *sup);
/* Make the worker behind UDP sockets anew, for the sockets of now. */
void xfn_serving__renew_sockets(struct xfn_supervisor *sup);

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

#endif
