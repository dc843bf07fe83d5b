/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * `xfn build --standalone` and `--offload`: functions -> one BPF object with one XDP program and no
 * tail call, for loaders that know nothing of xfn. Loads it into the verifier, never attaches.
 */
#ifndef XFN_STANDALONE_H
#define XFN_STANDALONE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include "../../skel/error.h"
#include "../../functions/xfn.h"

#define XFN_OBJECT_LISTED 64 /* values an option may be repeated with */

enum xfn_flavour {
	XFN_FLAVOUR_MODULE, /* no object of its own is wanted */
	XFN_FLAVOUR_STANDALONE,
	XFN_FLAVOUR_OFFLOAD,
};

#define XFN_OBJECT_MTU_MIN 68 /* RFC 791 */

struct xfn_object_options {
	enum xfn_flavour flavour;
	const char *mac; /* NULL: any unicast one */
	unsigned port;	 /* 0: each function's own */
	unsigned mtu;
	unsigned rate; /* requests per second and source prefix, 0: no bound */
	int tai;       /* CLOCK_TAI less UTC in seconds; -1: this host's now */
	const char *address[XFN_OBJECT_LISTED]; /* without brackets */
	unsigned addresses;
	const char *allowed[XFN_OBJECT_LISTED]; /* by --allow-amplify */
	unsigned alloweds;
	bool trust_checksum;
	bool local_peer;
	uint32_t budget_ns; /* as xfn_classify__within has it */
};

/* What is wrong with .mac, and what to give. NULL: nothing. */
const char *xfn_object__not_mac(const char *text);

enum xfn_object_result {
	XFN_OBJECT_MADE,
	XFN_OBJECT_ASKED_WRONG, /* the options and sources do not go together */
	XFN_OBJECT_REFUSED,	/* of these functions there can be none, or not there */
	XFN_OBJECT_HOST_FAILED, /* nothing could be judged */
};

struct xfn_object_port {
	char name[XFN_NAME_MAX + 1]; /* of its function */
	uint16_t port;
	char bound[64]; /* address and port, "": any address */
};

struct xfn_object_made {
	char out[PATH_MAX];
	char program[64];
	struct xfn_object_port port[XFN_OBJECT_LISTED];
	unsigned ports;
	uint32_t insns, verified_insns; /* where it is verified */
	bool verified;
	bool resizes; /* packets */
	char *log; /* the compiler's and the verifier's own words, NULL: none; the caller frees */
};

/*
 * Build from `count` specs "F.c[@ADDR:PORT | @PORT]" (cut in place) the object `out`; NULL: NAME.o
 * here, for one function. Where it is not made, with one line in err; .log is set in any case.
 */
enum xfn_object_result xfn_object__build(const struct xfn_object_options *how, char **specs,
					 int count, const char *out, struct xfn_object_made *made,
					 struct xfn_error *err);

#endif
