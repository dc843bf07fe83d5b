/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The frame that a neighbour's request would come in. Must never know of interfaces. */
#ifndef XFN_REQUEST_FRAME_H
#define XFN_REQUEST_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define XFN_REQUEST_PORT 40000 /* it comes from */
#define XFN_REQUEST_HEAD 62    /* bytes before the payload, at most */

/*
 * Ethernet, IPv4 (where `ip` is mapped) or IPv6 and UDP around `len` bytes at `payload`, to `ip`
 * (16 bytes) and `port` (host order), with right checksums. `frame` has room for XFN_REQUEST_HEAD +
 * len bytes. Returns its length.
 */
size_t xfn_request_frame(uint8_t *frame, const uint8_t ip[16], uint16_t port, const void *payload,
			 size_t len);

#endif
