/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Supervisor <-> worker: messages on a SOCK_SEQPACKET pair, which the worker finds as descriptor 3.
 * One fixed struct per message, descriptors by SCM_RIGHTS. Both ends come from one build: a version
 * that differs ends the worker.
 *
 *	supervisor			worker
 *	HELLO  (+ page memfd)	->	maps a page for each thread
 *	FUNCTION (+ module fd)	->	loads it			(one per slot)
 *	BIND			->	(slot, address, port)
 *	UMEM (+ memfd)		->	maps it				(afxdp only)
 *	SOCKET (+ fd)		->	keeps it			(afxdp: one per thread)
 *	SENDER (+ fd)		->	keeps it	(afxdp, no TX queue: one per thread)
 *	QUARANTINE		->	drops a slot's requests		(at any time; instead
 *							of FUNCTION where it cannot be loaded)
 *	START			->	XFN_INIT, engine open, sandbox
 *				<-	READY, or FAILED with one line
 *	ACTIVE			->	lets other threads rest		(at any time)
 *	INVOKE (+ payload memfd) ->	calls one function on it
 *				<-	INVOKED, the reply in the memfd
 *	AUDIT			->	looks for every frame of its engine
 *				<-	AUDITED, where they are
 *	STOP			->	drains, ends with status 0
 *
 * The worker ends by itself when the pair is closed. The supervisor takes no descriptor from a
 * worker, and believes a worker's end when the kernel says so, not when the pair is closed.
 */
#ifndef XFN_WORKER_PROTOCOL_H
#define XFN_WORKER_PROTOCOL_H

#include <stdint.h>
#include <sys/socket.h>
#include <linux/types.h>
#include "../../xdp/abi.h"
#include "../engine/engine.h"

#define XFN_WORKER_PROTOCOL_VERSION 7
#define XFN_WORKER_PROTOCOL_FD	    3
#define XFN_CAREFUL_S		    10 /* a careful worker is so for so long */
#define XFN_INVOKE_MAX		    65536 /* bytes of an INVOKE's memfd: XFN_PAYLOAD_MAX in whole pages */

enum xfn_message_type {
	XFN_MESSAGE_HELLO = 1,
	XFN_MESSAGE_FUNCTION,
	XFN_MESSAGE_BIND,
	XFN_MESSAGE_UMEM,
	XFN_MESSAGE_SOCKET,
	XFN_MESSAGE_START,
	XFN_MESSAGE_STOP,
	XFN_MESSAGE_READY,
	XFN_MESSAGE_FAILED,
	XFN_MESSAGE_INVOKE,
	XFN_MESSAGE_INVOKED,
	XFN_MESSAGE_QUARANTINE,
	XFN_MESSAGE_AUDIT,
	XFN_MESSAGE_AUDITED,
	XFN_MESSAGE_ACTIVE,
	XFN_MESSAGE_SENDER,
};

struct xfn_message {
	uint32_t type;
	uint32_t version;
	union {
		struct {
			char engine[16];
			uint32_t flags; /* of abi.h */
			uint32_t mtu;
			uint32_t rate;
			uint32_t iface;	   /* slot */
			uint32_t uid, gid; /* become these, if root */
			uint32_t spin;
			uint32_t sqpoll;
			uint32_t careful;   /* one call to a round for XFN_CAREFUL_S, and
					       page->after_slot */
			uint32_t busy_us;   /* engine afxdp: poll its queue in vain so long */
			uint32_t memory_mb; /* each thread may allocate while it serves, 0: no bound
					     */
			uint32_t threads;   /* 1 to XFN_THREADS; engine afxdp only: more than 1 */
			int32_t cpu[XFN_THREADS]; /* pin to, -1: do not */
		} hello;
		struct {
			uint32_t slot;
			char name[XFN_NAME_MAX + 1];
		} function;
		struct {
			uint32_t slot;
			uint32_t any; /* 1: every address */
			struct xfn_address addr;
		} bind;
		struct {
			uint64_t len;
			uint32_t frame_size, headroom, fill_size, comp_size, longest;
		} umem;
		struct {
			uint32_t slot;
			uint32_t on; /* 0: released */
		} quarantine;
		struct xfn_engine_socket socket; /* .fd is meaningless in the message */
		struct {
			char text[256];
		} failed;
		struct {
			uint32_t slot;
			uint32_t len;	 /* payload bytes in the memfd, which has XFN_INVOKE_MAX */
			uint32_t repeat; /* calls, each on the same payload; 0 is 1 */
		} invoke;
		struct {
			uint32_t replied; /* 1: `len` bytes of reply stand in the memfd */
			uint32_t len;
			uint32_t reason; /* enum xfn_reason of what was counted, 0 if none */
			uint32_t ns;	 /* mean per call */
		} invoked;
		struct xfn_engine_audit audited;
		struct {
			uint32_t threads; /* bit i: the dispatcher gives thread i requests */
		} active;
	};
};

/*
 * Flags of the calls by which messages move. A worker's sandbox lets no others by: MSG_CONFIRM,
 * which means nothing here, is what a function that writes to a wrong descriptor does not say.
 */
#define XFN_MESSAGE_SEND    (MSG_NOSIGNAL | MSG_CONFIRM)
#define XFN_MESSAGE_RECEIVE MSG_CMSG_CLOEXEC
#define XFN_MESSAGE_PEEK    (MSG_PEEK | MSG_DONTWAIT) /* recv(2): is there one? */

/* Send one message; fd -1: none. 0 or -errno. */
int xfn_message__send(int sock, const struct xfn_message *msg, int fd);
/*
 * Receive one; *fd is its descriptor, -1 if none came. NULL: none is taken, as from a worker. 1:
 * got one, 0: the other end is closed, or -errno. Descriptors beyond that one never stay open.
 */
int xfn_message__recv(int sock, struct xfn_message *msg, int *fd);

#endif
