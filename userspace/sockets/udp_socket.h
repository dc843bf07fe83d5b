/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* UDP sockets that functions are served on: made and held by the supervisor, used by workers. */
#ifndef XFN_UDP_SOCKET_H
#define XFN_UDP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include "../../skel/error.h"
#include "../../functions/xfn.h"

/*
 * A bound UDP socket for `addr` (IPv4-mapped: an IPv4 socket; else IPv6, V6ONLY), with packet info.
 * No other socket shares its port, SO_REUSEPORT or not: requests would be split between them.
 * `scope` is the interface whose address it is, 0: not known; such an address may still be
 * tentative (RFC 4862). `device` is the only interface to receive from, 0: any. `beside`: a socket
 * of ours is bound to every address of that port, or this one is and ours are bound to single ones;
 * they let it (xfn_udp_socket__let_beside). Returns the descriptor (close-on-exec) or -errno with
 * one line in err; -EACCES: the port wants a privilege.
 */
int xfn_udp_socket__open(const struct xfn_address *addr, unsigned scope, unsigned device,
			 bool beside, struct xfn_error *err);
/* From now on other sockets may be bound beside this one, or (false) none. */
void xfn_udp_socket__let_beside(int fd, bool on);

/* Datagrams that the kernel dropped at this socket. */
uint64_t xfn_udp_socket__dropped(int fd);

/* "10.0.0.1:53", "[fd00::1]:53"; returns text. */
const char *xfn_udp_socket__text(const struct xfn_address *addr, char *text, size_t len);

/* 4 or 6: what an address is of. */
int xfn_udp_socket__version(const uint8_t ip[16]);
/* 0.0.0.0 or ::, every address of its version. */
bool xfn_udp_socket__is_every(const uint8_t ip[16]);
/* Why no host is asked at this address: "is a multicast address", "is a broadcast address" (also of
 * a subnet of this host); NULL: it may be. */
const char *xfn_udp_socket__unfit(const uint8_t ip[16]);

#endif
