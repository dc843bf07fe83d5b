/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options of a run on what a NIC and its driver do for AF_XDP workers. */
#ifndef XFN_LINKS_H
#define XFN_LINKS_H

#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include "../../../xdp/abi.h"
#include "../../nic/zero_copy.h"

struct xfn_link_options {
	enum xfn_zero_copy zero_copy;
	uint16_t
		steer[XFN_QUEUES]; /* queues that requests are steered to; workers are there only */
	unsigned steer_count;	   /* 0: wherever the NIC spreads them */
	unsigned busy_poll; /* us that a worker polls its queue in vain before it sleeps, 0: none */
	unsigned defer;	    /* us that interrupts are held back, 0: as they are */
};

/*
 * Undo what a killed run changed on `ifname`. Returns the number of changes undone, or -errno with
 * one line in err: -EADDRINUSE, an xfn serves it, and they are that one's.
 */
int xfn_links__undo(const char *ifname, char *err, size_t errlen);

#endif
