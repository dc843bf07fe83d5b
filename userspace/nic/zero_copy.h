/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Is AF_XDP's zero copy wanted with a driver? There a NIC writes requests into a worker's frames
 * and sends replies out of them; in copy mode the kernel copies both.
 * Documentation/networking/af_xdp.rst. Asks nobody: what drivers do is in one table.
 */
#ifndef XFN_ZERO_COPY_H
#define XFN_ZERO_COPY_H

#include <stdbool.h>
#include <stddef.h>

enum xfn_zero_copy {
	XFN_ZERO_COPY_AUTO, /* with drivers of the table, else copies */
	XFN_ZERO_COPY_NEVER,
	XFN_ZERO_COPY_ALWAYS, /* or no worker of AF_XDP */
};

/*
 * Is it to be tried on an interface of this `driver` (ethtool's name)? `native`: the dispatcher is
 * in the driver. `xdp_tx`: functions in the kernel send by XDP_TX on the same queues. `why` is the
 * reason where not, and what speaks for it where it is.
 */
bool xfn_zero_copy__wanted(enum xfn_zero_copy policy, const char *driver, bool native, bool xdp_tx,
			   char *why, size_t len);

#endif
