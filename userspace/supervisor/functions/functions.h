/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The functions of this run: what is deployed, where it is asked for, and in which tier it runs. A
 * function's index is its slot, for as long as the run lasts. Other rooms read; they change a
 * function through the setters below only.
 */
#ifndef XFN_FUNCTIONS_H
#define XFN_FUNCTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>
#include "../../../skel/error.h"
#include "../../../skel/module.h"
#include "../../../skel/refusal.h"
#include "../../../xdp/abi.h"
#include "../options.h"

struct xfn_deployed {
	/* identity: settled when the run starts */
	const struct xfn_module *mod; /* the options' */
	struct xfn_address addr;      /* .port is never 0; behind UDP sockets it may be shifted */
	bool any;		      /* at every served address, or at every one of .version */
	unsigned version;	      /* with .any: 4 or 6; 0: both */
	uint16_t port;		      /* asked for */
	/* verdict: settled whenever serving begins */
	int tier;			  /* XFN_TIER_ of xfn.h */
	bool in_kernel;			  /* its program is in its slot */
	bool on_device;			  /* the interface's card runs it too */
	const struct xfn_rule_text *rule; /* of tier and reason; NULL: none stands in the way */
	char reason[512];		  /* why it has this tier */
};

struct xfn_functions;

/*
 * Settle the addresses and ports of the modules, and refuse two functions on one. The modules stay
 * the caller's. 0 or -errno with one line in err; then *out is NULL. The caller closes.
 */
int xfn_functions__open(const struct xfn_run_options *opts, struct xfn_functions **out,
			struct xfn_error *err);
void xfn_functions__close(struct xfn_functions *functions); /* safe on NULL */

unsigned xfn_functions__count(const struct xfn_functions *functions);
/* The function in `slot`, which is below the count. Valid until the run ends. */
const struct xfn_deployed *xfn_functions__at(const struct xfn_functions *functions, unsigned slot);
/*
 * The first slot from `from` on whose function has that name, the count where there is none: one
 * module may stand on several addresses or ports.
 */
unsigned xfn_functions__find(const struct xfn_functions *functions, const char *name,
			     unsigned from);
static inline const char *xfn_deployed__name(const struct xfn_deployed *fn)
{
	return fn->mod->attr.name;
}

/* How exactly a function names where it is asked: 2 an address, 1 an IP version, 0 neither. */
int xfn_deployed__exactness(const struct xfn_deployed *fn);
/* May the function be asked at this address? ip has 16 bytes, IPv4 mapped. */
bool xfn_deployed__covers(const struct xfn_deployed *fn, const uint8_t ip[16]);
/* The slot that answers at this address and port, the most exact one of those that cover it; -1:
 * none does. */
int xfn_functions__owner(const struct xfn_functions *functions, const uint8_t ip[16],
			 uint16_t port);

/* Is an AF_XDP worker of use to any function? */
bool xfn_functions__wants_frames(const struct xfn_functions *functions);
/* Does any function have tier socket? */
bool xfn_functions__wants_sockets(const struct xfn_functions *functions);
/* The function wants slow sockets, for requests that the fast path leaves to the host's stack. */
bool xfn_deployed__is_slow(const struct xfn_deployed *fn);
bool xfn_functions__wants_slow(const struct xfn_functions *functions); /* any of them does */

/* Answer on another port than the one asked for (ingress: ports below 1024 are shifted). */
void xfn_functions__set_port(struct xfn_functions *functions, unsigned slot, uint16_t port);
/* Give a function its tier, with the rule (NULL: none) and the sentence that say why. */
void xfn_functions__set_tier(struct xfn_functions *functions, unsigned slot, int tier,
			     const struct xfn_rule_text *rule, const char *reason);
void xfn_functions__set_in_kernel(struct xfn_functions *functions, unsigned slot, bool on);
/* The interface's card runs it, or does not, as `reason` says from now on. */
void xfn_functions__set_on_device(struct xfn_functions *functions, unsigned slot, bool on,
				  const char *reason);

/* All are served: from now on no failure ends the run, it is tried again. */
void xfn_functions__set_served(struct xfn_functions *functions);
bool xfn_functions__served_once(const struct xfn_functions *functions);

#endif
