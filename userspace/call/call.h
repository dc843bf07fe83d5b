/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One datagram -> parser, guards, function, reply: shared by every engine, by `xfn test` and by the
 * tests. Works in place on the engine's buffer; no allocation, lock or syscall. Must never know
 * which engine the datagram came from. Only xdp/ headers, functions/xfn.h, skel/module.h and
 * protocol/page.h.
 */
#ifndef XFN_CALL_H
#define XFN_CALL_H

#include <stdint.h>
#include <linux/types.h>
#include "../../skel/error.h"
#include "../../xdp/abi.h"
#include "../../xdp/reason.h"
#include "../protocol/page.h"
#include "datagram.h"
#include "request.h"

/* A loaded native module. Owned by the table. */
struct xfn_native {
	void *handle; /* dlopen's */
	const struct xfn_native_module *module;
};

/*
 * Load native code from an open module file (through /proc/self/fd) and check its versions. Runs
 * its constructors, not yet its XFN_INIT. 0 or -errno with one line in err.
 */
int xfn_native__load(int fd, const char *name, struct xfn_native *out, struct xfn_error *err);
void xfn_native__unload(struct xfn_native *nat);
/* A copy in memory of an open module file, which any user can load. Its descriptor, or -errno. */
int xfn_native__copy(int fd);

struct xfn_function {
	const struct xfn_native_module *module; /* NULL: empty slot */
	bool quarantined;			/* not called: its requests are dropped */
	uint32_t cost_ns; /* of a call, smoothed; measured while the calls are watched */
};

/* Everything calls need; one per worker thread. Zeroed, then filled through the functions below. */
struct xfn_call {
	uint32_t flags; /* XFN_TRUST_CHECKSUM, XFN_LOCAL_PEER, XFN_ANY_ADDRESS */
	uint32_t mtu;
	uint64_t canary;	/* stands before and behind what a function may write to */
	uint32_t rate;		/* requests per second and source prefix, 0: no bound */
	struct xfn_rate *rates; /* XFN_RATES of them where rate is set; owned */
	uint64_t rate_key[2];	/* secret: where in them a prefix stands */
	uint16_t iface;
	struct xfn_page *page;		    /* shared, or the caller's own memory */
	const struct xfn_datagram *running; /* while page->running_slot: what it is called for */
	enum xfn_datagram_kind kind;	    /* of it */
	bool careful;			    /* page->after_slot follows the calls */
	bool watched;			    /* calls are timed, and requests of slow functions that
					       may wait are left waiting */
	struct xfn_thread thread;
	struct xfn_function slots[XFN_SLOTS];
	uint32_t *ports; /* 65536 entries: 0, slot + 1, or XFN_PORT_SHARED; owned */
	struct xfn_call_binding *bindings; /* of shared ports; owned */
	unsigned binding_count;
};

/* A source prefix and when its next request is due. */
struct xfn_rate {
	uint64_t prefix;
	uint64_t due_ns;
};

int xfn_call__init(struct xfn_call *c, struct xfn_page *page);
/* Bound requests to `rate` per second and source prefix. 0 or -ENOMEM. */
int xfn_call__bound(struct xfn_call *c, uint32_t rate);
void xfn_call__free(struct xfn_call *c);
/* Put a module into a slot; registers its counters in the page. */
int xfn_call__put(struct xfn_call *c, unsigned slot, const struct xfn_native_module *mod);
/* ip NULL: any address; 0.0.0.0 or ::: any of that version. The most exact binding counts. Port in
 * host order. */
int xfn_call__bind(struct xfn_call *c, const uint8_t *ip, uint16_t port, unsigned slot);
/* Drop the slot's requests from now on, or no longer. An empty or impossible slot is ignored. */
void xfn_call__quarantine(struct xfn_call *c, unsigned slot, bool on);

#define XFN_SLOW_NS 100000 /* a function whose calls take longer is slow */

/*
 * Answer up to XFN_BATCH datagrams: for each, .send and .len say what to do. Counts requests,
 * replies and reasons in the page. Where calls are watched, .waits of those that may wait tells
 * which were left for later. The calling thread must have run xfn_call__enter.
 */
void xfn_call__batch(struct xfn_call *c, enum xfn_datagram_kind kind, struct xfn_datagram *batch,
		     unsigned count);
/* The calling thread's clock and random source are c's from now on. */
void xfn_call__enter(struct xfn_call *c);

#endif
