/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A file of cases: what a function is asked, and what it is to answer. Lines of "FIELD: VALUE"; a
 * `case:` begins each case, options before the first one are every case's; a line that begins with
 * a blank goes on with the bytes of the one before; # begins a comment.
 *
 *	case: NAME
 *	request: BYTES			(case_bytes.h)
 *	reply: BYTES			the whole payload of the reply
 *	reply-prefix: BYTES		its first bytes
 *	reply-len: N | N-M
 *	action: reply | drop [REASON] | consume | pass | punt
 *	peer: ADDRESS[:PORT]		(192.0.2.2:40000)
 *	local: ADDRESS[:PORT]		(192.0.2.1 and the function's port)
 *	real: 2024-01-01T00:00:00Z	or seconds since 1970, with up to nine decimals
 *	mono: SECONDS			(1000)
 *	random: N			what xfn_random returns (7)
 *	mtu: N				(1500)
 *
 * Clocks, random and addresses never vary, so that a case that passes once passes always. Must
 * never know how a function is run.
 */
#ifndef XFN_CASES_H
#define XFN_CASES_H

#include "../../skel/error.h"
#include "../../functions/xfn.h"
#include "case_bytes.h"

#define XFN_CASES_MAX	  4096 /* of one file */
#define XFN_CASE_NAME_MAX 63

struct xfn_case {
	char name[XFN_CASE_NAME_MAX + 1];
	unsigned line; /* of its `case:` */
	bool requested;
	struct xfn_case_bytes request;
	int action;	    /* enum xfn_action that is expected; -1 until it is known */
	unsigned reason;    /* enum xfn_reason of a drop; 0: any */
	bool exact, prefix; /* which of the two `reply` is */
	struct xfn_case_bytes reply;
	bool sized; /* the reply has len_min to len_max bytes */
	uint32_t len_min, len_max;
	struct xfn_address peer, local; /* local.port 0: the function's */
	uint64_t real_ns, mono_ns;
	uint32_t random;
	uint32_t mtu;
};

struct xfn_cases {
	struct xfn_case *list;
	unsigned count;
};

/* Read the file. 0, or -errno with "FILE:LINE: what is wrong; the next step" in err. The caller
 * frees in both cases. */
int xfn_cases__read(const char *path, struct xfn_cases *out, struct xfn_error *err);
void xfn_cases__free(struct xfn_cases *cases);

/* "drop", "reply", "consume", "pass", "punt". */
const char *xfn_cases__action(int action);

#endif
