/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The filter on UDP sockets of tier socket (xdp/slow.bpf.c), which stands without a dispatcher. It
 * refuses what was sent to several hosts, a UDP length that is not IP's, and, but for what comes by
 * lo, addresses of this host and broadcast ones as source; and counts each.
 */
#ifndef XFN_SOCKET_FILTER_H
#define XFN_SOCKET_FILTER_H

#include <stdint.h>
#include <linux/types.h>
#include "../xdp/abi.h"
#include "../xdp/reason.h"

struct xfn_socket_filter;

/* Load it. 0, or -errno: this process may not, or the kernel cannot. The caller closes. */
int xfn_socket_filter__open(struct xfn_socket_filter **out);
/* Addresses that send no requests, and no others. -ENOSPC: only the first XFN_OWN are refused. */
int xfn_socket_filter__own(struct xfn_socket_filter *filter, const uint8_t (*ips)[16],
			   unsigned count);
/* In place of any other filter; it stays attached when this is closed. 0 or -errno. */
int xfn_socket_filter__attach(const struct xfn_socket_filter *filter, int sock);
/* Add what it has counted. XFN_REASON_SLOW_REFUSED: all of it. */
void xfn_socket_filter__reasons(const struct xfn_socket_filter *filter,
				uint64_t sum[XFN_REASON_SLOTS]);
/* Safe on NULL. */
void xfn_socket_filter__close(struct xfn_socket_filter *filter);

#endif
