/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The filter on UDP sockets of tier socket (xdp/slow.bpf.c), which needs no dispatcher. It refuses
 * datagrams that were sent to several hosts, that have a UDP length which is not IP's, or, except on
 * lo, that have an address of this host or a broadcast one as source. It counts each.
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
/* Set the addresses that send no requests. -ENOSPC: only the first XFN_OWN are refused. */
int xfn_socket_filter__own(struct xfn_socket_filter *filter, const uint8_t (*ips)[16],
			   unsigned count);
/* Attach it in place of any other filter; it stays attached after close. 0 or -errno. */
int xfn_socket_filter__attach(const struct xfn_socket_filter *filter, int sock);
/* Add its counts to sum[]. XFN_REASON_SLOW_REFUSED: the sum of all. */
void xfn_socket_filter__reasons(const struct xfn_socket_filter *filter,
				uint64_t sum[XFN_REASON_SLOTS]);
/* Safe on NULL. */
void xfn_socket_filter__close(struct xfn_socket_filter *filter);

#endif
