/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests as frames on the wire of a lab, from its client to its server, for suites to change and
 * send. Knows the lab's addresses, and nothing of the code under test.
 */
#ifndef XFN_TEST_WIRE_H
#define XFN_TEST_WIRE_H

#include "../unit/frame.h"

static uint32_t add_words(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Right checksums for whatever addresses and ports the frame has by now. */
static void repair(uint8_t *f, int version)
{
	uint8_t *ip = f + 14, *udp = ip + (version == 4 ? 20 : 40);
	size_t len = xfn_get_be16(udp + 4);
	uint32_t sum;

	if (version == 4) {
		xfn_put_be16(ip + 10, 0);
		xfn_put_be16(ip + 10, folded(add_words(ip, 20, 0)));
	}
	xfn_put_be16(udp + 6, 0);
	sum = add_words(ip + (version == 4 ? 12 : 8), version == 4 ? 8 : 32, 17 + (uint32_t)len);
	xfn_put_be16(udp + 6, folded(add_words(udp, len, sum)));
}

/* A good request from the lab's client to its server. */
static size_t good(uint8_t *f, int version, size_t payload)
{
	size_t len = frame_build(f, version, 0, payload);

	memcpy(f, "\x02\x78\x66\x6e\x00\x01\x02\x78\x66\x6e\x00\x02", 12);
	if (version == 6)
		f[14 + 9] = f[14 + 25] = 0x78;
	repair(f, version);
	return len;
}

#endif
