/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a function's program costs per request in this kernel. Must never know of interfaces. */
#ifndef XFN_COST_H
#define XFN_COST_H

#include <stddef.h>
#include <stdint.h>
#include "error.h"

/* One request to time, and its result. */
struct xfn_cost {
	const uint8_t *frame; /* a whole Ethernet frame, the request */
	size_t len;	      /* at most 2048 */
	uint32_t ns;	      /* per request: the function's program, from parser to reply */
	uint32_t action;      /* enum xfn_action */
};

/*
 * Load (never attach) the BPF object bytes of a function and time it on each frame, each within
 * some 25 ms. 0, or -errno with one line in err where it cannot be timed here.
 */
int xfn_cost__measure(const void *obj, size_t len, struct xfn_cost *costs, unsigned count,
		      struct xfn_error *err);

#endif
