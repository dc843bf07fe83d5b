/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When a NIC's queues are worked off: by interrupt, or by whoever wants their packets (busy
 * polling). Documentation/networking/napi.rst, af_xdp.rst.
 */
#ifndef XFN_NAPI_H
#define XFN_NAPI_H

#include "../../skel/error.h"
#include "journal.h"

/*
 * Let system calls on an AF_XDP socket work its queue off (SO_PREFER_BUSY_POLL), for at most
 * `usecs` without a packet, `packets` at a time. Wants CAP_NET_ADMIN; before or after bind. 0 or -errno: -ENOPROTOOPT,
 * this kernel has no busy polling (CONFIG_NET_RX_BUSY_POLL), or is older than 5.11.
 */
int xfn_napi__busy_poll(int fd, unsigned usecs, unsigned packets);

/*
 * The kernel's number of what works the queue of a bound socket off, 0: it knows none, so that busy
 * polling has no effect. Kernels before 6.13 learn it from the first packet, later ones at bind,
 * and only where the driver tells (netif_queue_set_napi).
 */
unsigned xfn_napi__id(int fd);
/* Does this kernel know it at bind? */
int xfn_napi__set_at_bind(void);

/* Open what the two below use, while CAP_SYS_ADMIN is there; they say what could not be had. */
void xfn_napi__open(void);

/*
 * Hold the interface's interrupts back for `usecs` after its queues were worked off, as long as
 * that is done often enough (gro_flush_timeout, napi_defer_hard_irqs). Noted in the journal first.
 * Wants CAP_SYS_ADMIN to see the interface's settings. 0 or -errno with one line in err.
 */
int xfn_napi__defer(const char *ifname, unsigned usecs, struct xfn_journal *journal,
		    struct xfn_error *err);

/* Journal kind "napi": "SETTING BEFORE NOW". */
int xfn_napi__undo(const char *ifname, const char *text);

#endif
