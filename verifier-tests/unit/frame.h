/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Request frames for the suites, built byte by byte: knows nothing of the code under test. */
#ifndef XFN_TEST_FRAME_H
#define XFN_TEST_FRAME_H

#include <stdint.h>
#include <string.h>
#include "../../functions/xfn.h"

static const uint8_t client4[4] = { 10, 78, 0, 2 }, server4[4] = { 10, 78, 0, 1 };

/* Build a v4 or v6 request with `tags` VLAN tags and right checksums; returns the frame length. */
static size_t frame_build(uint8_t *f, int version, int tags, size_t payload)
{
	uint32_t sum = 0;
	size_t n = 12;

	memset(f, 0, 128 + payload);
	memcpy(f, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02", 12);
	for (int i = 0; i < tags; i++) {
		xfn_put_be16(f + n, i || tags == 1 ? 0x8100 : 0x88a8);
		xfn_put_be16(f + n + 2, 0x2000 | (100 + i));
		n += 4;
	}
	xfn_put_be16(f + n, version == 4 ? 0x0800 : 0x86dd);
	n += 2;
	if (version == 4) {
		uint32_t head = 0;

		f[n] = 0x45;
		xfn_put_be16(f + n + 2, 28 + payload);
		f[n + 8] = 64;
		f[n + 9] = 17;
		memcpy(f + n + 12, client4, 4);
		memcpy(f + n + 16, server4, 4);
		for (int i = 0; i < 20; i += 2)
			head += xfn_get_be16(f + n + i);
		head = (head & 0xffff) + (head >> 16);
		xfn_put_be16(f + n + 10, ~(head + (head >> 16)));
		n += 20;
	} else {
		f[n] = 0x60;
		xfn_put_be16(f + n + 4, 8 + payload);
		f[n + 6] = 17;
		f[n + 7] = 64;
		f[n + 8] = f[n + 24] = 0xfd;
		f[n + 23] = 2;
		f[n + 39] = 1;
		n += 40;
	}
	xfn_put_be16(f + n, 40000);
	xfn_put_be16(f + n + 2, 1232);
	xfn_put_be16(f + n + 4, 8 + payload);
	for (size_t i = 0; i < payload; i++)
		f[n + 8 + i] = (uint8_t)(i * 7 + payload);
	for (size_t i = 0; i < 8 + payload; i++)
		sum += i & 1 ? f[n + i] : f[n + i] << 8;
	for (size_t i = version == 4 ? 8 : 32; i; i--)
		sum += i & 1 ? f[n - i] : f[n - i] << 8;
	sum += 17 + 8 + payload;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
	xfn_put_be16(f + n + 6, sum ? sum : 0xffff);
	return n + 8 + payload;
}

static inline uint32_t frame_words(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

static inline uint16_t frame_folded(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Right checksums for whatever addresses and ports the frame has by now. */
static inline void frame_repair(uint8_t *f, int version)
{
	uint8_t *ip = f + 14, *udp = ip + (version == 4 ? 20 : 40);
	size_t len = xfn_get_be16(udp + 4);
	uint32_t sum;

	if (version == 4) {
		xfn_put_be16(ip + 10, 0);
		xfn_put_be16(ip + 10, frame_folded(frame_words(ip, 20, 0)));
	}
	xfn_put_be16(udp + 6, 0);
	sum = frame_words(ip + (version == 4 ? 12 : 8), version == 4 ? 8 : 32, 17 + (uint32_t)len);
	xfn_put_be16(udp + 6, frame_folded(frame_words(udp, len, sum)));
}

#endif
