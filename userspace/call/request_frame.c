// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A UDP request as it would come from a neighbour. Must never know who answers. */
#include <string.h>
#include "request_frame.h"
#include "../host/ip.h"
#include "../../xdp/checksum.h"

size_t xfn_request_frame__headers(uint8_t headers[XFN_REQUEST_HEADERS_MAX],
				  const struct xfn_address *peer, const struct xfn_address *local,
				  const void *payload, uint32_t len)
{
	bool four = xfn_ip__is_v4(peer->ip);
	uint32_t ip_len = four ? XFN_IPV4_LEN : XFN_IPV6_LEN;
	uint32_t udp_len = len + XFN_UDP_LEN;
	uint8_t *h = headers, *udp = h + ip_len;
	uint16_t sum;

	memset(h, 0, ip_len + XFN_UDP_LEN);
	if (four) {
		h[0] = 0x45;
		xfn_put_be16(h + 2, (uint16_t)(ip_len + udp_len));
		h[8] = 64;
		h[9] = XFN_PROTO_UDP;
		memcpy(h + 12, peer->ip + 12, 4);
		memcpy(h + 16, local->ip + 12, 4);
		sum = (uint16_t)~xfn_fold(xfn_sum_payload(h, ip_len));
		memcpy(h + 10, &sum, 2);
	} else {
		h[0] = 0x60;
		xfn_put_be16(h + 4, (uint16_t)udp_len);
		h[6] = XFN_PROTO_UDP;
		h[7] = 64;
		memcpy(h + 8, peer->ip, 16);
		memcpy(h + 24, local->ip, 16);
	}
	xfn_put_be16(udp, peer->port);
	xfn_put_be16(udp + 2, local->port);
	xfn_put_be16(udp + 4, (uint16_t)udp_len);
	sum = xfn_sum_field(xfn_sum_pseudo(h, four ? 4 : 6, udp_len), XFN_LOAD(__u32, udp), udp_len,
			    xfn_sum_payload(payload, len));
	memcpy(udp + 6, &sum, 2);
	return ip_len + XFN_UDP_LEN;
}

size_t xfn_request_frame__build(uint8_t *frame, const struct xfn_address *peer,
				const struct xfn_address *local, const void *payload, uint32_t len)
{
	/* locally administered */
	static const uint8_t macs[12] = { 2, [6] = 2, [11] = 1 };
	size_t head = XFN_ETH_LEN;

	memcpy(frame, macs, sizeof(macs));
	xfn_put_be16(frame + 12, xfn_ip__is_v4(peer->ip) ? 0x0800 : 0x86dd);
	head += xfn_request_frame__headers(frame + XFN_ETH_LEN, peer, local, payload, len);
	if (len) /* of an empty one there may be no place */
		memcpy(frame + head, payload, len);
	return head + len;
}
