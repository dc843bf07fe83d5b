/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The loader: one interface's dispatcher and functions, attached, bound, set and counted. Must
 * never know of workers or of the control socket.
 *
 * Functions return 0 or a negative errno value and, where they take one, write one line to err that
 * names the thing and the next step. Not thread-safe.
 */
#ifndef XFN_LOADER_H
#define XFN_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "error.h"
#include "../xdp/abi.h"
#include "../xdp/reason.h"
#include "module.h"
#include "refusal.h"

enum xfn_mode {
	XFN_MODE_NONE,
	XFN_MODE_GENERIC,
	XFN_MODE_NATIVE,
	XFN_MODE_AUTO,
	XFN_MODE_OFFLOAD /* on the card (offload.h), and in the host's best mode beside it */
};
const char *xfn_mode_name(enum xfn_mode mode);

struct xfn_loader; /* one interface's programs and maps */

struct xfn_loader_options {
	const char *ifname;
	unsigned ifindex; /* 0: maps and programs only, never attached (tests, invoke) */
	uint32_t flags;	  /* XFN_TRUST_CHECKSUM, ... of abi.h */
	uint32_t mtu;	  /* 0: XFN_MTU_DEFAULT */
	uint32_t rate;	  /* requests per second and source prefix, 0: no bound */
	/*
	 * An earlier loader of the same functions in the same slots, or NULL. Its counters, and the
	 * functions' own maps, go on in the new one. The caller closes it once all functions are
	 * put and xfn_loader__part was called.
	 */
	struct xfn_loader *before;
};

/* Open and load dispatcher and maps; attaches nothing. The caller closes. */
int xfn_loader__open(const struct xfn_loader_options *opts, struct xfn_loader **out,
		     struct xfn_error *err);
/* Take nothing over from the loader before any more, which may then be closed. */
void xfn_loader__part(struct xfn_loader *ld);
/* Detach and free. Safe on NULL. */
void xfn_loader__close(struct xfn_loader *ld);

/*
 * Attach the dispatcher by bpf_link (held, not pinned). XFN_MODE_AUTO tries native, then generic.
 * On success *got is the mode, and `why` says in a few words why there is no better one ("" where
 * there is none). -EBUSY: another XDP program holds the interface; err names it.
 */
int xfn_loader__attach(struct xfn_loader *ld, enum xfn_mode want, enum xfn_mode *got,
		       struct xfn_error *why, struct xfn_error *err);
void xfn_loader__detach(struct xfn_loader *ld);

/*
 * Open, load and attach in one through libxdp, which loads what it attaches: beside the programs of
 * others that libxdp attached. `mode` is XFN_MODE_NATIVE or XFN_MODE_GENERIC; `why` says what does
 * not work this way here ("" where all does). -EBUSY: a program that does not share holds the
 * interface. A process of our own, the keeper, detaches when this process ends, killed or not.
 * Where the keeper is killed too, libxdp's pins stay (`xdp-loader unload`).
 */
int xfn_loader__open_shared(const struct xfn_loader_options *opts, enum xfn_mode mode,
			    struct xfn_loader **out, struct xfn_error *why, struct xfn_error *err);

/* The XDP program on an interface, whoever attached it: id and name ("?": unknown). False: none. */
#define XFN_PROGRAM_NAME 16
bool xfn_loader__holder(unsigned ifindex, uint32_t *id, char name[XFN_PROGRAM_NAME]);
/* The WORD of `ip link set dev IFACE WORD off` that takes that program away: "xdp", or
 * "xdpoffload". */
const char *xfn_loader__off_word(unsigned ifindex);

/*
 * Load the kernel half of `mod` into `slot`, in place of what was there. A verifier's refusal is
 * -EACCES with *refusal filled: the caller demotes.
 */
int xfn_loader__put(struct xfn_loader *ld, unsigned slot, const struct xfn_module *mod,
		    struct xfn_refusal *refusal, struct xfn_error *err);

/*
 * Send `port` (host order) to `slot` in `tier`, at every served address (ip NULL), at one address
 * (16 bytes), or with :: or 0.0.0.0 at those of one IP version. On a shared port the less exact
 * bindings must be made first. Tier socket: the datagrams go to the host's stack.
 */
int xfn_loader__bind(struct xfn_loader *ld, const uint8_t *ip, uint16_t port, unsigned slot,
		     int tier, struct xfn_error *err);

/* Served destinations: ip mapped, VLAN ids outermost first (0: none). Adding twice is no error. */
int xfn_loader__address_add(struct xfn_loader *ld, const uint8_t ip[16],
			    const uint16_t tag[XFN_TAGS]);
int xfn_loader__address_del(struct xfn_loader *ld, const uint8_t ip[16],
			    const uint16_t tag[XFN_TAGS]);

/*
 * The unicast MACs of this host, of which the first XFN_MACS are used: a frame to another MAC is
 * left to the stack. At first there are none, and every MAC is accepted.
 */
int xfn_loader__macs(struct xfn_loader *ld, const uint8_t (*macs)[6], unsigned count);
/*
 * The addresses that send no requests, in place of those before: this host's own, and broadcast
 * ones. -ENOSPC: only the first XFN_OWN are refused.
 */
int xfn_loader__own(struct xfn_loader *ld, const uint8_t (*ips)[16], unsigned count);

/*
 * Let a UDP socket receive only what was sent to a served address on a known device. The filter
 * stays attached to the socket. 0 or -errno with one line in err.
 */
int xfn_loader__filter(struct xfn_loader *ld, int sock, struct xfn_error *err);
/* Make device `ifindex` known, with the tags of its frames on the wire. At first no device is
 * known. */
int xfn_loader__device(struct xfn_loader *ld, unsigned ifindex, const uint16_t tag[XFN_TAGS]);

/* Give (queue, thread) the bound AF_XDP socket `fd`; -1 takes it away. The caller keeps fd. */
int xfn_loader__socket(struct xfn_loader *ld, unsigned queue, unsigned thread, int fd);

/* Spread the flows of `pool` (below XFN_POOLS) on `queue` evenly over `count` threads from `first`
 * on. */
int xfn_loader__indirection(struct xfn_loader *ld, unsigned queue, unsigned pool, unsigned first,
			    unsigned count);
/* Set the pool of the function in `slot`. At first it is 0, the pool that functions share. */
int xfn_loader__pool(struct xfn_loader *ld, unsigned slot, unsigned pool);

/* Clock, random and MTU of the running programs. */
int xfn_loader__set_runtime(struct xfn_loader *ld, const struct xfn_runtime *runtime);

/* Sums over all CPUs. */
int xfn_loader__slot_counters(struct xfn_loader *ld, unsigned slot, struct xfn_slot_counters *out);
int xfn_loader__reasons(struct xfn_loader *ld, uint64_t out[XFN_REASON_SLOTS]);
/* The i-th XFN_COUNTER of the function in `slot`: -ENOENT past the last. */
int xfn_loader__author_counter(struct xfn_loader *ld, unsigned slot, unsigned i, char *name,
			       size_t namelen, uint64_t *value);

/*
 * Run the loaded dispatcher (BPF_PROG_TEST_RUN) on a frame, `repeat` times. out[outcap] takes the
 * frame after the last run; *action is the XDP_* code, *ns the mean per run.
 */
int xfn_loader__test_run(struct xfn_loader *ld, const void *frame, size_t len, void *out,
			 size_t *outlen, unsigned repeat, unsigned *action, unsigned *ns);

#endif
