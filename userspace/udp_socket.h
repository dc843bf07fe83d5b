/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* UDP sockets that functions are served on: made and held by the supervisor, used by workers. */
#ifndef XFN_UDP_SOCKET_H
#define XFN_UDP_SOCKET_H

#include <stddef.h>
#include "../functions/xfn.h"

/*
 * A bound UDP socket for `addr` (IPv4-mapped: an IPv4 socket; else IPv6, V6ONLY), with
 * SO_REUSEPORT and packet info. `ifindex` is the interface whose address it is, 0: not known; such
 * an address may still be tentative (RFC 4862). `device` is the only one to receive from, NULL:
 * any. Returns the descriptor (close-on-exec) or -errno with one line in err; -EACCES: the port
 * wants a privilege.
 */
int xfn_udp_socket__open(const struct xfn_address *addr, unsigned ifindex, const char *device,
			 char *err, size_t errlen);

/* "10.0.0.1:53", "[fd00::1]:53"; returns text. */
const char *xfn_udp_socket__text(const struct xfn_address *addr, char *text, size_t len);

/* Parse "10.0.0.1", "fd00::1" or "[fd00::1]" to 16 bytes. 0 or -EINVAL. */
int xfn_udp_socket__parse(const char *text, uint8_t ip[16]);

#endif
