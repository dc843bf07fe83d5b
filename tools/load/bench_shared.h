/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the bench's programs in the kernel and its user space share. Only __uNN types. Must never
 * know of any server.
 */
#ifndef XFN_BENCH_SHARED_H
#define XFN_BENCH_SHARED_H

#define BENCH_POOL	 64   /* distinct requests at most; a power of two */
#define BENCH_PAYLOAD	 1472 /* bytes: of a frame of 1514 over IPv4 */
#define BENCH_WORDS	 (BENCH_PAYLOAD / 8)
#define BENCH_PORTS	 32768 /* source ports of one source address; a power of two */
#define BENCH_PORT_FIRST 16384
#define BENCH_ADDRESSES	 64 /* source addresses at most */
#define BENCH_SAMPLES	 (1 << 18)
#define BENCH_CPUS	 64

/* A payload; the bytes behind its end are zero. */
struct bench_payload {
	__u64 words[BENCH_WORDS];
	__u32 len;
	__u32 sum; /* of the bytes as big-endian 16-bit words, folded to 16 bits; host order */
};

#define BENCH_REWRITE (1u << 0) /* generator: write each payload anew, not its headers alone */
#define BENCH_CHECK   (1u << 1) /* sink: compare each reply with what is expected */
#define BENCH_STAMP   (1u << 2) /* keep the round trip of each flow's latest request */
#define BENCH_HAIRPIN (1u << 3) /* replies come with addresses and ports as they went */

struct bench_conf {
	__u32 flags;
	__u32 ifindex; /* where requests leave */
	__u32 family;  /* 4 or 6 */
	__u32 flows;   /* source ports, then source addresses; flow i asks with request i % pool */
	__u32 pool;    /* requests used; a power of two */
	__u32 frame_len;  /* of the longest request: what a run hands in */
	__u32 window;	  /* requests under way at most; 0: no bound */
	__u32 timeout_ns; /* of a window's: what came not by then is lost */
	__u32 limit;	  /* requests in all, where there is a window or an interval; 0: none */
	__u32 cpus;
	__u32 interval_ns; /* between two requests, whatever comes back; 0: none */
	__u16 port;	   /* the server's, host order */
	__u16 addr_low;	   /* of the first source address: its last 16 bits, host order */
	__u32 head_sum; /* IPv4 header but length and last 16 bits of the source: sum, not folded */
	__u32 udp_sum;	/* the same of pseudo-header and UDP header, ports and lengths aside */
	__u8 head[64];	/* Ethernet, IP and UDP header */
};

struct bench_counters {
	__u64 next; /* flow of the generator on this CPU */
	__u64 sent;
	__u64 replies;
	__u64 bytes;	   /* of replies' payloads */
	__u64 wrong;	   /* replies that are not what was expected */
	__u64 first_wrong; /* the flow of one of them, plus 1 */
	__u64 other;	   /* frames that are no reply */
	__u64 lost;	   /* of a window, not answered in time */
};

#endif
