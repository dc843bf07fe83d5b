/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a run changed on a NIC, and how to undo it. */
#ifndef XFN_LINKS_H
#define XFN_LINKS_H

#include <stddef.h>
#include "../../../skel/error.h"

/*
 * Undo what a killed run changed on `ifname`. Returns the number of changes undone, or -errno with
 * one line in err: -EADDRINUSE, an xfn serves it, and they are that one's.
 */
int xfn_nic_features__undo(const char *ifname, struct xfn_error *err);

#endif
