// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The frame that a neighbour's request would come in. */
#include <stdbool.h>
#include <string.h>
#include <linux/types.h>
#include "request_frame.h"
#include "../xdp/checksum.h"
#include "../xdp/packet.h"

size_t xfn_request_frame(uint8_t *frame, const uint8_t ip[16], uint16_t port, const void *payload,
			 size_t len)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	uint32_t version = memcmp(ip, mapped, 12) ? 6 : 4;
	uint32_t head = version == 4 ? XFN_IPV4_LEN : XFN_IPV6_LEN;
	uint32_t udp_len = XFN_UDP_LEN + (uint32_t)len;
	uint8_t *l3 = frame + XFN_ETH_LEN, *udp = l3 + head;
	uint16_t sum;

	memset(frame, 0, XFN_ETH_LEN + head + XFN_UDP_LEN);
	frame[0] = frame[6] = 2; /* locally administered */
	frame[11] = 1;
	XFN_STORE(__u16, frame + 12, __builtin_bswap16(version == 4 ? 0x0800 : 0x86dd));
	if (version == 4) {
		l3[0] = 0x45;
		l3[8] = 64;
		l3[9] = XFN_PROTO_UDP;
		XFN_STORE(__u16, l3 + 2, __builtin_bswap16(head + udp_len));
		memcpy(l3 + 16, ip + 12, 4);
		memcpy(l3 + 12, ip + 12, 4);
		l3[15] ^= l3[15] == 1 ? 2 : 1; /* a neighbour */
		sum = (uint16_t)~xfn_fold(xfn_sum_payload(l3, head));
		XFN_STORE(__u16, l3 + 10, sum);
	} else {
		l3[0] = 0x60;
		XFN_STORE(__u16, l3 + 4, __builtin_bswap16(udp_len));
		l3[6] = XFN_PROTO_UDP;
		l3[7] = 64;
		memcpy(l3 + 24, ip, 16);
		memcpy(l3 + 8, ip, 16);
		l3[23] ^= l3[23] == 1 ? 2 : 1;
	}
	XFN_STORE(__u16, udp, __builtin_bswap16(XFN_REQUEST_PORT));
	XFN_STORE(__u16, udp + 2, __builtin_bswap16(port));
	XFN_STORE(__u16, udp + 4, __builtin_bswap16(udp_len));
	memcpy(udp + XFN_UDP_LEN, payload, len);
	sum = xfn_sum_field(xfn_sum_pseudo(l3, version, udp_len), XFN_LOAD(__u32, udp), udp_len,
			    xfn_sum_payload(udp + XFN_UDP_LEN, len));
	XFN_STORE(__u16, udp + 6, sum);
	return XFN_ETH_LEN + head + udp_len;
}
