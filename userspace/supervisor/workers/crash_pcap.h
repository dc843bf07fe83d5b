/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The request on which a worker died, as a file. For this room only. */
#ifndef XFN_CRASH_PCAP_H
#define XFN_CRASH_PCAP_H

#include <stddef.h>
#include "../../protocol/page.h"

#define XFN_CRASH_FILES 16 /* of a function; then the oldest goes first */

/*
 * Keep a noted request in the runtime folder; `path` is its file. ifname NULL: no interface is used.
 * 0 or -errno, -ENODATA: none was noted.
 */
int xfn_crash_pcap__keep(const char *ifname, const char *function, const struct xfn_crash *crash,
			 char *path, size_t len);

#endif
