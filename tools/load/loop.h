/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The loop of the generators in user space: when a request leaves, which flow takes it, what a
 * reply means. How bytes travel is the carrier's. Must never touch a socket or a ring.
 *
 * At a rate or with a number under way, a flow waits for its reply before it asks again, so that
 * each reply is of one request; a request that finds no free flow waits with its intended time, so
 * that no wait is left out of the round trips. Without either it sends as fast as it goes.
 */
#ifndef XFN_BENCH_LOOP_H
#define XFN_BENCH_LOOP_H

#include "../../skel/error.h"
#include "bench_load.h"

struct bench_loop; /* the loop's own */

/* A reply came for `flow`: `len` bytes at `bytes`, only until this returns. */
void bench_loop__take(struct bench_loop *loop, uint32_t flow, const void *bytes, size_t len);

struct bench_carrier {
	/* `count` times the flow's request; returns how many were taken, 0 where there is no room
	 */
	unsigned (*send)(void *carrier, uint32_t flow, const struct bench_payload *request,
			 unsigned count);
	/* What was sent may leave now; replies there are go to bench_loop__take. Wait at most so
	 * long for the first. */
	void (*receive)(void *carrier, struct bench_loop *loop, int wait_ms);
	/* The flow's reply is overdue: from now on, what comes for the old one is nobody's. 0 or
	 * -errno. */
	int (*renew)(void *carrier, uint32_t flow);
};

/* Run the plan; out->rtt is the caller's. 0 or -errno with one line in err. */
int bench_loop__run(const struct bench_carrier *ops, void *carrier, const struct bench_plan *plan,
		    struct bench_figures *out, struct xfn_error *err);

#endif
