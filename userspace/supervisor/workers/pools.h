/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which threads of a queue serve whom. The first ones are shared by all functions, behind them stand
 * those of functions that have some of their own, and the rest is parked.
 */
#ifndef XFN_WORKER_POOLS_H
#define XFN_WORKER_POOLS_H

#include "workers.h"

/* The pools of now into a dispatcher that came later. */
void xfn_pools__load(const struct xfn_workers *workers);
/* Whom thread `thread` serves: a function's name, "all" or "none". */
const char *xfn_pools__serves(const struct xfn_workers *workers,
			      const struct xfn_worker_process *worker, unsigned thread);
/* So many threads for function `name` alone on each queue; name NULL: shared by all functions on
 * `queue`, -1: on each. 0, or -errno with one line in err. */
int xfn_pools__scale(struct xfn_workers *workers, const char *name, int queue, unsigned count,
		     struct xfn_error *err);

/* For this room: */
/* Give the functions of --dedicate pools. To be called before the first worker starts. */
int xfn_pools__open(struct xfn_workers *workers, struct xfn_error *err);
/* Threads that a worker of frames is to have, and how many of them are shared at first. */
unsigned xfn_pools__threads(const struct xfn_workers *workers);
unsigned xfn_pools__shared(const struct xfn_workers *workers, unsigned queue);
/* The threads of `worker` as they are meant to be, to the dispatcher and to the worker. */
int xfn_pools__apply(struct xfn_workers *workers, struct xfn_worker_process *worker);
/* A worker serves: with --auto, add or remove shared threads by load from now on. */
void xfn_pools__follow_load(struct xfn_workers *workers);

#endif
