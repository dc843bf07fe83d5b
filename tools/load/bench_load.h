/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Load on a UDP server, and what became of it. Generators differ in how frames are made; they share
 * requests, figures and histograms. Must never know which server is asked.
 */
#ifndef XFN_BENCH_LOAD_H
#define XFN_BENCH_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include "../../skel/error.h"
#include "bench_shared.h"

/* Requests, each with the one reply that is right. */
struct bench_set {
	unsigned count; /* 1 to BENCH_POOL; a power of two */
	bool any_reply; /* no expectation: whatever comes is right */
	struct bench_payload request[BENCH_POOL], reply[BENCH_POOL];
};

/* Set entry `i` of a set; len at most BENCH_PAYLOAD. */
void bench_payload__set(struct bench_payload *p, const void *bytes, size_t len);

/*
 * Requests of these lengths, taken in turn, until there are `count` (a power of two): bytes from a
 * fixed seed. Replies are the requests, reversed where `reverse`. `mirror`: each request is its own
 * reversal, so that a frame keeps its content whichever of the two functions had it.
 */
void bench_set__fill(struct bench_set *set, const uint16_t *lengths, unsigned length_count,
		     unsigned count, bool reverse, bool mirror);

/*
 * Round trips: three digits kept, 1 ns to 68 s (the layout of HdrHistogram: 2^11 places for each
 * doubling).
 */
struct bench_histogram {
	uint64_t total;
	uint64_t max_ns;
	uint64_t places[26 * 1024 + 1024];
};
void bench_histogram__add(struct bench_histogram *h, uint64_t ns);
/* The value that `percent` of all do not exceed, 0 where there is none. */
uint64_t bench_histogram__at(const struct bench_histogram *h, double percent);

/* What one run gave. Counts are since its begin. */
struct bench_figures {
	double seconds;
	uint64_t sent;
	uint64_t replies; /* right ones */
	uint64_t wrong;
	uint64_t late;	      /* came when nobody waited any more (closed loop) */
	uint64_t lost;	      /* closed loop: waited for in vain; open loop: sent less answered */
	uint64_t first_wrong; /* number of a request answered wrong, plus 1 */
	struct bench_histogram *rtt; /* the caller's; NULL: not wanted */
};

/* What is asked for. */
struct bench_plan {
	const struct bench_set *set;
	uint32_t flows;	      /* source ports, then addresses */
	double seconds;	      /* of measuring */
	uint64_t requests;    /* end after so many; 0: by time */
	double rate;	      /* open loop: requests per second; 0: as fast as it goes */
	unsigned outstanding; /* closed loop: so many under way; 0: open loop */
	bool check;	      /* compare every reply */
	unsigned timeout_ms;  /* closed loop: a reply that late is lost */
	/* called now and then with what is so far; may be NULL; false ends the run */
	bool (*progress)(const struct bench_figures *now, void *arg);
	void *arg;
};

/*
 * The generator of the kernel: BPF_PROG_TEST_RUN with live frames (Documentation/bpf/
 * bpf_prog_run.rst) on a veth pair or NIC; the sink takes the interface's XDP hook and gives it
 * back at close. Wants root. Frames of one buffer, untagged.
 */
struct bench_live;
struct bench_wire {
	uint8_t source_mac[6], target_mac[6];
	bool v6;
	uint8_t source[16], target[16]; /* IPv4 in the first four; source: the first of them */
	uint16_t port;			/* the server's, host order */
	bool hairpin;			/* what comes back has its addresses unchanged, MAC aside */
};
/* `ifname` in the current network namespace. 0 or -errno with one line in err. */
int bench_live__open(const char *ifname, struct bench_live **out, struct xfn_error *err);
void bench_live__close(struct bench_live *live);
/* Run the plan on this CPU, by `threads` CPUs from this one on. 0 or -errno with one line in err.
 */
int bench_live__run(struct bench_live *live, const struct bench_wire *wire,
		    const struct bench_plan *plan, unsigned threads, struct bench_figures *out,
		    struct xfn_error *err);
/* Bare programs for a server's side: descriptors that live as long as `live`. */
enum bench_bare {
	BENCH_BARE_BOUNCE,
	BENCH_BARE_DROP,
	BENCH_BARE_REDIRECT
};
int bench_live__bare(const struct bench_live *live, enum bench_bare which);
/* The redirecting program's map of sockets, by queue. */
int bench_live__sockets(const struct bench_live *live);

/*
 * The generator of AF_XDP, for kernels and interfaces without live frames: frames through the rings
 * of queue 0, replies taken by the XDP hook, which is given back at the end. Wants root; at most
 * BENCH_AFXDP_FLOWS flows, of one source address.
 */
#define BENCH_AFXDP_FLOWS 1024
int bench_afxdp__run(const char *ifname, const struct bench_wire *wire,
		     const struct bench_plan *plan, struct bench_figures *out,
		     struct xfn_error *err);

/* The generator of everywhere: connected UDP sockets, sendmmsg and recvmmsg. */
int bench_sockets__run(const struct sockaddr_storage *to, const struct bench_plan *plan,
		       struct bench_figures *out, struct xfn_error *err);

#endif
