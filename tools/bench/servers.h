/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the bench compares: each candidate is set up in the lab's server, asked, and taken away.
 * Must never know how load is made.
 */
#ifndef XFN_BENCH_SERVERS_H
#define XFN_BENCH_SERVERS_H

#include "../../skel/error.h"
#include "../load/bench_load.h"
#include "../process/server.h"

enum bench_kind {
	BENCH_NOTHING, /* a dropping XDP program: what the generator alone can do */
	BENCH_BOUNCE,  /* a bare XDP_TX program */
	BENCH_AFXDP,   /* a bare AF_XDP loop */
	BENCH_XFN,     /* xfn run */
	BENCH_XDPTX,   /* xdp-bench tx of xdp-tools */
	BENCH_TESTPMD, /* DPDK's dpdk-testpmd */
};

struct bench_candidate {
	const char *name;
	enum bench_kind kind;
	bool generic;
	bool spins;	     /* needs a CPU of its own, and is stopped while others are measured */
	const char *args[8]; /* xfn run's options; testpmd's device */
	unsigned functions;  /* copies of echo instead of echo and reverse; 0: no */
	unsigned queues;     /* of its link; 0: 1 */
	const char *about;
};

/* A candidate in a lab of its own, and the generator at the lab's other end. */
struct bench_place {
	const struct bench_candidate *candidate;
	char server_ns[48], client_ns[48], server_if[32], client_if[32];
	unsigned server_index; /* of the interface */
	int cpu;	       /* of the server's processes, -1: spread over all */
	struct server lab;     /* holds the lab up; it is taken down when this ends */
	struct server server;
	bool attached; /* a bare program */
	bool stands;
	struct bench_live *live;
	struct bench_wire wire;
};

/* The table of all candidates; count in *count. */
const struct bench_candidate *bench_servers__all(unsigned *count);
const struct bench_candidate *bench_servers__find(const char *name);

/*
 * Raise the lab of that number and start the candidate in it. 0: it serves. -ENOENT: not installed,
 * or this host cannot, with the reason in why; -errno. To be taken down in any case.
 */
int bench_place__up(struct bench_place *place, const struct bench_candidate *candidate,
		    unsigned number, struct xfn_error *why);
void bench_place__down(struct bench_place *place);
/* To the place's client, where its generator works. 0 or -errno. */
int bench_place__enter(const struct bench_place *place);

/* The bare AF_XDP loop on queue 0 of `ifname`: `build/bench --bare-afxdp`. Ends by a signal. */
int bench_bare__serve(const char *ifname, int sockets_fd);

#endif
