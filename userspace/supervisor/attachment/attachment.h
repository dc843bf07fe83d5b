/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The dispatcher on the interface, and in which mode; with --mode offload also what runs on the
 * card. Only the supervisor's loop has it changed (serving.c); all others hold it const, and may
 * call the loader's functions on .loader.
 */
#ifndef XFN_ATTACHMENT_H
#define XFN_ATTACHMENT_H

#include <stdbool.h>
#include <stdint.h>
#include "../../../skel/error.h"
#include "../../../skel/loader.h"
#include "../../../skel/offload.h"
#include "../functions/functions.h"
#include "../interface/interface_state.h"
#include "../options.h"

struct xfn_attachment {
	const struct xfn_run_options *opts;
	const struct xfn_interface_state *interface;
	struct xfn_functions *functions;
	struct xfn_loader *loader; /* NULL: no BPF now */
	struct xfn_loader *before; /* of the time before, detached: its counters go on; or NULL */
	enum xfn_mode mode;	   /* of the host's program */
	struct xfn_error mode_reason;
	struct xfn_offload *device; /* what the interface's card runs; NULL: nothing */
};

/* Nothing is attached yet. The three stay the caller's. NULL: out of memory. */
struct xfn_attachment *xfn_attachment__make(const struct xfn_run_options *opts,
					    const struct xfn_interface_state *interface,
					    struct xfn_functions *functions);
/* Close both loaders. Safe on NULL. */
void xfn_attachment__close(struct xfn_attachment *attachment);

/*
 * Attach the dispatcher: native, else generic, else not at all, each step down with its reason in
 * .mode_reason. A dispatcher without bound ports passes everything on. 0 or -errno with one line in
 * err: -EBUSY, another program holds the interface.
 */
int xfn_attachment__attach(struct xfn_attachment *attachment, struct xfn_error *err);
/* Warn where --reply-route fib looks no route up: the kernel does so for XDP only where it forwards. */
void xfn_attachment__log_forwarding(const struct xfn_attachment *attachment);
/* All is served by the loader of now: the one of the time before is closed. */
void xfn_attachment__part(struct xfn_attachment *attachment);
/* Take card and dispatcher off the interface: what still comes goes to the host's stack. */
void xfn_attachment__detach(struct xfn_attachment *attachment);
/* The detached loader becomes the one of the time before. */
void xfn_attachment__retire(struct xfn_attachment *attachment);
/* Whose counters count: the loader of now, or that of the time before; NULL: neither. */
struct xfn_loader *xfn_attachment__counted(const struct xfn_attachment *attachment);

/* dispatcher_facts.c: what the dispatcher has to know of this host. */
/* A served address came or went. */
void xfn_attachment__address_changed(const struct xfn_attachment *attachment,
				     const struct xfn_local_address *local, bool added);
/* The MACs or addresses of this host are others. */
void xfn_attachment__host_changed(const struct xfn_attachment *attachment);
/* Addresses and MACs into a dispatcher that came later than they did. */
void xfn_attachment__load_addresses(const struct xfn_attachment *attachment);
/* Clock and MTU of now; `multi_buffer`: AF_XDP takes frames in several buffers. */
void xfn_attachment__set_runtime(const struct xfn_attachment *attachment, bool multi_buffer);

/*
 * offload.c: --mode offload. Everything is served by the host as well: what the card passes on, and
 * what it does not take.
 */
/* Put the functions that are meant for it on the card. 0, also where that was not asked for; or
 * -errno with one line in err. */
int xfn_attachment__load_device(struct xfn_attachment *attachment, struct xfn_error *err);
/* What the card counted of a function, or by reason, added to the sum. */
void xfn_attachment__device_counters(const struct xfn_attachment *attachment, unsigned slot,
				     struct xfn_slot_counters *sum);
void xfn_attachment__device_reasons(const struct xfn_attachment *attachment,
				    uint64_t sum[XFN_REASON_SLOTS]);
/* "offload", or the mode of the host's program that serves `fn`. */
const char *xfn_attachment__mode_of(const struct xfn_attachment *attachment,
				    const struct xfn_deployed *fn);

#endif
