/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Functions that end their workers are quarantined, functions that workers cannot load are set
 * aside: workers drop their requests, and the others go on.
 */
#ifndef XFN_QUARANTINE_H
#define XFN_QUARANTINE_H

#include "workers.h"

/* A first start tries all functions: none is set aside. */
void xfn_quarantine__forget_set_aside(struct xfn_workers *workers);
/* Does any function serve? -ECANCELED with one line in err: all are set aside. */
int xfn_quarantine__any_serves(const struct xfn_workers *workers, struct xfn_error *err);
/* "quarantined", "set_aside" or "": in what state a function is besides its interface. */
const char *xfn_quarantine__state(const struct xfn_workers *workers, unsigned slot);
/* What `ls` says of a function in quarantine or set aside, and what to do; "" for others. */
void xfn_quarantine__sentence(const struct xfn_workers *workers, unsigned slot, char *text,
			      size_t len);
/*
 * Let all functions of that name run again. 0: they do; 1: they do when workers are made anew, which
 * the caller sees to; or -errno with one line in err, -EBUSY: while workers start (`starting`) none
 * that is set aside is tried again.
 */
int xfn_quarantine__release(struct xfn_workers *workers, const char *name, bool starting,
			    struct xfn_error *err);

/* For this room: */
/* Whose fault the end of a worker was. */
enum xfn_blame {
	XFN_BLAME_NOBODY, /* or a function that runs no more */
	XFN_BLAME_FUNCTION,
	XFN_BLAME_TOO_OFTEN, /* a function that is to be quarantined */
};
/* The slot + 1 that a thread is in, 0: none. The worker may have written anything there. */
uint32_t xfn_quarantine__running(const struct xfn_workers *workers, const struct xfn_page *page);
/* A worker serves: end those whose function does not return within the deadline, from now on. */
void xfn_quarantine__watch(struct xfn_workers *workers);
/*
 * The process of `worker` has ended: `what` tells in which function, if it was in one, and where its
 * request is kept; of a careful worker after which. Decides whether the next one is careful.
 */
enum xfn_blame xfn_quarantine__ended(struct xfn_workers *workers, struct xfn_worker_process *worker,
				     char *what, size_t len);
/* Quarantine the function in which `worker` ended, and log that. */
void xfn_quarantine__begin(struct xfn_workers *workers, const struct xfn_worker_process *worker);
/*
 * A worker did not start: ret of that, in the words of err. True: a function could not be loaded,
 * or its XFN_INIT failed; it is set aside, and the worker can be started without it.
 */
bool xfn_quarantine__blame(struct xfn_workers *workers, const struct xfn_worker_process *worker,
			   int ret, const char *err);
/* Tell a worker being started which of its functions are not to be called. 0 or -errno. */
int xfn_quarantine__send(const struct xfn_workers *workers, struct xfn_worker_process *worker);

#endif
