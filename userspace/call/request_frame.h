/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A UDP request as it would come from a neighbour: headers made of two addresses, for requests on
 * purpose (`xfn invoke`, `xfn test`) and those that are kept (crash_pcap.c). Must never know who
 * answers.
 */
#ifndef XFN_REQUEST_FRAME_H
#define XFN_REQUEST_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include "../../functions/xfn.h"
#include "../../xdp/packet.h"

#define XFN_REQUEST_HEADERS_MAX (XFN_IPV6_LEN + XFN_UDP_LEN)
#define XFN_REQUEST_FRAME_HEAD	(XFN_ETH_LEN + XFN_REQUEST_HEADERS_MAX) /* before the payload */

/*
 * Write IP and UDP headers of a datagram from `peer` to `local` (of one version) whose payload is
 * `len` bytes at `payload`, with right lengths and checksums (RFC 791, 8200, 768). Returns their
 * length.
 */
size_t xfn_request_frame__headers(uint8_t headers[XFN_REQUEST_HEADERS_MAX],
				  const struct xfn_address *peer, const struct xfn_address *local,
				  const void *payload, uint32_t len);

/*
 * Write the whole untagged Ethernet frame: at most XFN_REQUEST_FRAME_HEAD + len bytes at `frame`.
 * The payload may be in any other place. Returns the frame's length.
 */
size_t xfn_request_frame__build(uint8_t *frame, const struct xfn_address *peer,
				const struct xfn_address *local, const void *payload, uint32_t len);

#endif
