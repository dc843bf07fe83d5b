/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hardware offload: one program on a network card itself, in XDP_FLAGS_HW_MODE, beside the program
 * that the host may have on the same interface. Must never know of the dispatcher or its maps.
 *
 * Functions return 0 or a negative errno value, with one line in err that gives the reason in the
 * kernel's or the driver's own words. They need CAP_BPF and CAP_NET_ADMIN. Not thread-safe.
 */
#ifndef XFN_OFFLOAD_H
#define XFN_OFFLOAD_H

#include <stddef.h>
#include <stdint.h>
#include "error.h"
#include "../xdp/abi.h"
#include "../xdp/reason.h"

struct xfn_offload; /* a program and its maps in a card's memory */

/*
 * Can this BPF object be read? libbpf crashes on some damaged objects, so it reads them in a
 * confined process. 0, or -EBADMSG or another -errno with one line in err. To be called for objects
 * that come from a user, before anything else here reads them.
 */
int xfn_offload__check(const void *obj, size_t len, struct xfn_error *err);
/*
 * Verify and load the one program of the object bytes for the card of interface `ifindex`; `source`
 * is the author's file, for line numbers ("" unknown). Attaches nothing. The caller closes.
 */
int xfn_offload__load(const void *obj, size_t len, const char *source, unsigned ifindex,
		      struct xfn_offload **out, struct xfn_error *err);
/*
 * Attach it by bpf_link, held and not pinned: however the process ends, the kernel takes the
 * program off the card. -EBUSY: the card has another one.
 */
int xfn_offload__attach(struct xfn_offload *off, struct xfn_error *err);
/*
 * Add the program's counts to *sum: those of function `name` in its map NAME_stat, and those of
 * reasons (xdp/reason.h) in the maps xfn_reasons_N, each from reason N on. A missing map adds
 * nothing.
 */
void xfn_offload__add_counters(const struct xfn_offload *off, const char *name,
			       struct xfn_slot_counters *sum);
void xfn_offload__add_reasons(const struct xfn_offload *off, uint64_t sum[XFN_REASON_SLOTS]);
/* Detach and free. Safe on NULL. */
void xfn_offload__close(struct xfn_offload *off);

/*
 * Does the driver of this interface accept programs for its card? The kernel is asked to load two
 * instructions, which are freed again. -EOPNOTSUPP: no; -EPERM: this process may not ask.
 */
int xfn_offload__possible(unsigned ifindex);

#endif
