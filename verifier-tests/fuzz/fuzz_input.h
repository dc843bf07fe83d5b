/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inputs for the fuzzers: requests as they come, with a few fields changed and, half of the time,
 * the checksums made right again, so that what stands behind them is reached. Deterministic by its
 * seed.
 */
#ifndef XFN_FUZZ_INPUT_H
#define XFN_FUZZ_INPUT_H

#include <stdbool.h>
#include "../unit/frame.h"

#define FUZZ_MAX 2048

static uint64_t fuzz_state = 1;

/* Ends of a request: the usual two, and those that no answer may come from or go to. */
static __attribute__((unused)) const uint8_t fuzz_ips4[][4] = {
	{ 10, 78, 0, 1 }, { 10, 78, 0, 2 },   { 127, 0, 0, 1 }, { 0, 0, 0, 0 },
	{ 224, 0, 0, 1 }, { 239, 255, 1, 2 }, { 240, 0, 0, 1 }, { 255, 255, 255, 255 },
};
static __attribute__((unused)) const uint8_t fuzz_ips6[][16] = {
	{ 0xfd, [15] = 1 },
	{ 0xfd, [15] = 2 },
	{ [15] = 1 },
	{ 0 },
	{ 0xff, 2, [15] = 1 },
	{ [10] = 0xff, 0xff, 10, 78, 0, 1 },
	{ [10] = 0xff, 0xff, 10, 78, 0, 2 },
	{ [10] = 0xff, 0xff, 127, 0, 0, 1 },
};

static uint32_t fuzz_random(uint32_t below)
{
	fuzz_state ^= fuzz_state >> 12;
	fuzz_state ^= fuzz_state << 25;
	fuzz_state ^= fuzz_state >> 27;
	return (uint32_t)((fuzz_state * 0x2545f4914f6cdd1dull) >> 33) % below;
}

static uint32_t fuzz_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Checksums as the lengths and addresses now in the frame make them. */
static void fuzz_repair(uint8_t *f, size_t len, size_t l3, int version)
{
	size_t l4 = l3 + (version == 4 ? 20 : 40), udp_len;
	uint32_t sum;

	if (len < l4 + 8)
		return;
	if (version == 4) {
		xfn_put_be16(f + l3 + 10, 0);
		xfn_put_be16(f + l3 + 10, (uint16_t)~fuzz_sum(f + l3, 20, 0));
	}
	udp_len = xfn_get_be16(f + l4 + 4);
	sum = fuzz_sum(f + l3 + (version == 4 ? 12 : 8), version == 4 ? 8 : 32,
		       17 + (uint32_t)udp_len);
	if (udp_len > len - l4)
		udp_len = len - l4;
	xfn_put_be16(f + l4 + 6, 0);
	sum = (uint16_t)~fuzz_sum(f + l4, udp_len, sum);
	xfn_put_be16(f + l4 + 6, sum ? (uint16_t)sum : 0xffff);
}

/* The next input. Returns its length, 14 to FUZZ_MAX. */
static __attribute__((unused)) size_t fuzz_next(uint8_t f[FUZZ_MAX])
{
	static const uint16_t lengths[] = { 0,	1,  7,	  8,	9,	20,    28,
					    46, 64, 1472, 1500, 0x7fff, 0xffff };
	static const uint16_t types[] = { 0x0800, 0x86dd, 0x8100, 0x88a8 };
	static const uint8_t protocols[] = { 0, 1, 6, 43, 44, 51, 58, 60, 135 };
	int version = fuzz_random(2) ? 4 : 6, tags = fuzz_random(4) % 3;
	size_t payload = fuzz_random(4) ? fuzz_random(64) : fuzz_random(1473);
	size_t len = frame_build(f, version, tags, payload), l3 = 14 + 4 * (size_t)tags;
	size_t l4 = l3 + (version == 4 ? 20 : 40);

	for (size_t i = l4 + 8; i < len; i++)
		f[i] = (uint8_t)fuzz_random(256);
	for (unsigned changes = fuzz_random(4); changes; changes--) {
		switch (fuzz_random(10)) {
		case 0: /* any byte of the headers */
		case 1:
			f[fuzz_random((uint32_t)l4 + 8)] = (uint8_t)fuzz_random(256);
			break;
		case 2: /* one bit of them */
			f[fuzz_random((uint32_t)l4 + 8)] ^= (uint8_t)(1 << fuzz_random(8));
			break;
		case 3: /* IP length */
			xfn_put_be16(f + l3 + (version == 4 ? 2 : 4), lengths[fuzz_random(13)]);
			break;
		case 4: /* UDP length */
			xfn_put_be16(f + l4 + 4, lengths[fuzz_random(13)]);
			break;
		case 5: /* source port */
			xfn_put_be16(f + l4, fuzz_random(2) ? (uint16_t)fuzz_random(128) :
							      (uint16_t)fuzz_random(65536));
			break;
		case 6: /* cut, or padded */
			len = fuzz_random(3) ? 14 + fuzz_random((uint32_t)len - 13) :
					       len + fuzz_random(60);
			break;
		case 7: /* both lengths, alike */
			payload = fuzz_random(100);
			xfn_put_be16(f + l3 + (version == 4 ? 2 : 4),
				     (uint16_t)((version == 4 ? 28 : 8) + payload));
			xfn_put_be16(f + l4 + 4, (uint16_t)(8 + payload));
			break;
		case 8: /* an end's address */
			if (version == 4)
				memcpy(f + l3 + (fuzz_random(2) ? 12 : 16),
				       fuzz_ips4[fuzz_random(8)], 4);
			else
				memcpy(f + l3 + (fuzz_random(2) ? 8 : 24),
				       fuzz_ips6[fuzz_random(8)], 16);
			break;
		case 9: /* what follows the link's or the IP header */
			if (fuzz_random(2))
				xfn_put_be16(f + l3 - 2, types[fuzz_random(4)]);
			else
				f[l3 + (version == 4 ? 9 : 6)] = protocols[fuzz_random(9)];
			break;
		}
	}
	/* whoever is asked answers on this port only */
	xfn_put_be16(f + l4 + 2, fuzz_random(32) ? 1232 : (uint16_t)fuzz_random(65536));
	if (fuzz_random(2))
		fuzz_repair(f, len, l3, version);
	else if (!fuzz_random(8) &&
		 len >= l4 + 8) /* the pseudo-header's sum alone: a local sender's */
		xfn_put_be16(f + l4 + 6,
			     (uint16_t)fuzz_sum(f + l3 + (version == 4 ? 12 : 8),
						version == 4 ? 8 : 32,
						17 + (uint32_t)xfn_get_be16(f + l4 + 4)));
	if (!fuzz_random(32)) /* no checksum */
		xfn_put_be16(f + l4 + 6, 0);
	return len;
}

#endif
