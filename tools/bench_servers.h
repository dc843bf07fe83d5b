/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the bench compares: each candidate is set up in the lab's server, asked, and taken away.
 * Must never know how load is made.
 */
#ifndef XFN_BENCH_SERVERS_H
#define XFN_BENCH_SERVERS_H

#include "bench_load.h"
#include "server.h"

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
	bool spins;	     /* needs a CPU of its own */
	const char *args[8]; /* xfn run's options; testpmd's device */
	const char *about;
};

struct bench_stage {
	const char *server_ns; /* network namespace */
	const char *server_if;
	unsigned server_index;	       /* of the interface */
	const struct bench_live *live; /* its bare programs */
	int cpu;		       /* of the server's processes */
	unsigned queues;
	char *const *modules; /* what xfn run serves, NULL at the end */
};

struct bench_running {
	const struct bench_stage *stage;
	const struct bench_candidate *candidate;
	struct server server;
	bool attached; /* a bare program */
};

/* The table of all candidates; count in *count. */
const struct bench_candidate *bench_servers__all(unsigned *count);
const struct bench_candidate *bench_servers__find(const char *name);

/* 0: it answers. -ENOENT: not installed, or this host cannot, with the reason in why. -errno. */
int bench_servers__start(const struct bench_stage *stage, const struct bench_candidate *candidate,
			 struct bench_running *out, char *why, size_t whylen);
void bench_servers__stop(struct bench_running *running);

/* The bare AF_XDP loop on queue 0 of `ifname`: `build/bench --bare-afxdp`. Ends by a signal. */
int bench_bare__serve(const char *ifname, int sockets_fd, bool spin);

#endif
