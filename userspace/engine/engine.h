/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The engine seam: a way to move datagrams in and out of a worker. An engine knows rings, sockets
 * and buffers; it must never know of functions, parsers or reasons. A test's wire implements it as
 * well.
 *
 * One thread uses an engine; threads that share a queue have one each (`first`). Life: open, then
 * rounds of poll, take, (the worker calls functions), give; at last close. Nothing allocates, locks
 * or waits between take and give; only poll waits, and always with a bound.
 */
#ifndef XFN_ENGINE_H
#define XFN_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../../skel/error.h"
#include "../call/datagram.h"
#include "../protocol/engine_stats.h"

#define XFN_WAIT_MS	   100 /* longest wait of a worker: how late STOP may be noticed when idle */
#define XFN_ENGINE_THREADS 8   /* threads of one queue, each with an engine of its own */

/* A socket handed to the engine: bound, owned by the worker process. */
struct xfn_engine_socket {
	int fd;
	uint32_t slot;		   /* UDP: its function */
	struct xfn_address local;  /* UDP: where it is bound */
	uint32_t queue;		   /* AF_XDP */
	uint32_t rx_size, tx_size; /* AF_XDP: ring entries, powers of two */
	uint32_t block_size;	   /* AF_PACKET: bytes of a block of its ring */
	uint32_t block_count;
};

struct xfn_engine_config {
	const struct xfn_engine_socket *sockets; /* copied */
	unsigned socket_count;
	uint32_t payload_max; /* largest payload a UDP buffer holds */
	/* AF_XDP: the UMEM registered by the supervisor, mapped from its memfd by the engine */
	int umem_fd;
	uint64_t umem_len;
	uint32_t frame_size;
	uint32_t headroom;
	uint32_t fill_size, comp_size;
	uint32_t longest; /* frame that may come in several buffers; 0: none does */
	bool spin;	  /* never sleep in poll */
	bool sqpoll;	  /* uring: the kernel's thread submits (IORING_SETUP_SQPOLL) */
	uint32_t
		busy_us; /* AF_XDP: poll the queue in vain for so long before sleeping; 0: do not */
	/*
	 * AF_XDP: sockets[thread] is this one's. All but the first take part in the frames of the
	 * first one's engine, which is opened before them and closed after them.
	 */
	unsigned thread;
	struct xfn_engine *first; /* NULL: this is it */
	/*
	 * AF_XDP: AF_PACKET sockets by which the threads of a queue without TX queue send, owned by
	 * the worker process; sender_count 0: it has one.
	 */
	int sender[XFN_ENGINE_THREADS];
	unsigned sender_count;
};

struct xfn_engine; /* each engine's own */

/* What an engine receives by; the supervisor makes it and hands it over. */
enum xfn_engine_input {
	XFN_ENGINE_UDP,	   /* UDP sockets, one of each function and address */
	XFN_ENGINE_XSK,	   /* an AF_XDP socket of each thread and the UMEM that they share */
	XFN_ENGINE_FRAMES, /* a packet socket to receive by and one to send by */
};

struct xfn_engine_ops {
	const char *name;
	enum xfn_datagram_kind kind;
	enum xfn_engine_input input;
	unsigned rank; /* tier socket takes the lowest that works; 0: only where it is asked for */
	const char *summary; /* what it is, in a line */
	const char *advice;  /* what to do where it cannot be had */
	/*
	 * System calls (SYS_*) that it makes beyond those that every worker may make; 0 ends them.
	 * What an io_uring may do is restricted when the ring is made: seccomp does not see it.
	 */
	int calls[6];
	/*
	 * Can this host run it? 0, or -errno with the reason in why ("kernel.io_uring_disabled is
	 * 2"). Opens nothing that stays. NULL: it runs wherever UDP sockets do.
	 */
	int (*probe)(struct xfn_error *why);
	/*
	 * Privileged or not, before the sandbox. 0 or -errno with one line in err. What it maps of
	 * a socket a forked process does not get (MADV_DONTFORK): that would keep the socket.
	 */
	int (*open)(struct xfn_engine **out, const struct xfn_engine_config *cfg,
		    struct xfn_error *err);
	/* Wait until take may have something, at most timeout_ms. 0, or -errno of a lost socket. */
	int (*poll)(struct xfn_engine *e, int timeout_ms);
	/* Up to max (<= XFN_BATCH) datagrams; 0 is none. */
	unsigned (*take)(struct xfn_engine *e, struct xfn_datagram *batch, unsigned max);
	/*
	 * Hand back datagrams, in order; those with .send are sent. All of the last take, but for
	 * those that may wait.
	 */
	void (*give)(struct xfn_engine *e, struct xfn_datagram *batch, unsigned count);
	void (*stats)(const struct xfn_engine *e, struct xfn_engine_stats *out);
	/* Learn what only the kernel counts, for stats: a system call. NULL: there is nothing. */
	void (*ask)(struct xfn_engine *e);
	/*
	 * Walk all lists of the engines of a queue, the first one first, and find each frame once:
	 * slow. None of their threads may be in an engine meanwhile. NULL: the engine owns no
	 * frames.
	 */
	void (*audit)(struct xfn_engine *const *threads, unsigned count,
		      struct xfn_engine_audit *out);
	/* What it has opened itself. NULL: nothing. */
	int (*descriptor)(const struct xfn_engine *e);
	void (*close)(struct xfn_engine *e);
};

#define XFN_ENGINE(name) extern const struct xfn_engine_ops xfn_engine_##name;
#include "engines.h"
#undef XFN_ENGINE

/* All of them, in the order of engines.h; NULL stands at the end. */
extern const struct xfn_engine_ops *const xfn_engines[];
/* The engine of that name, or NULL. */
const struct xfn_engine_ops *xfn_engine_find(const char *name);
/* The engine of that rank, or NULL. */
const struct xfn_engine_ops *xfn_engine_of_rank(unsigned rank);
/* As ops->probe. */
int xfn_engine_probe(const struct xfn_engine_ops *ops, struct xfn_error *why);
/*
 * A raw socket of that family, for probes: 0 and *fd is to be closed; or -errno with the reason in
 * why. `option` is what the kernel was made without where it does not know the family.
 */
int xfn_engine_probe_raw(int family, const char *name, const char *option, int *fd,
			 struct xfn_error *why);

#endif
