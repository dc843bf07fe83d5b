/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SipHash-1-3 (Aumasson and Bernstein, 2012) of one word of 8 bytes: whoever does not know the key
 * cannot choose words that meet in one place of a table. Must never be given a key that a reply
 * tells of.
 */
#ifndef XFN_KEYED_HASH_H
#define XFN_KEYED_HASH_H

#include <stdint.h>

static inline uint64_t xfn_keyed_rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static inline void xfn_keyed_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = xfn_keyed_rotate(v[1], 13) ^ v[0];
	v[3] = xfn_keyed_rotate(v[3], 16) ^ v[2];
	v[0] = xfn_keyed_rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = xfn_keyed_rotate(v[1], 17) ^ v[2];
	v[3] = xfn_keyed_rotate(v[3], 21) ^ v[0];
	v[2] = xfn_keyed_rotate(v[2], 32);
}

static inline uint64_t xfn_keyed_hash(const uint64_t key[2], uint64_t word)
{
	const uint64_t length = 8ull << 56; /* the last block: how many bytes there were */
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull,
			  key[0] ^ 0x6c7967656e657261ull, key[1] ^ 0x7465646279746573ull };

	v[3] ^= word;
	xfn_keyed_round(v);
	v[0] ^= word;
	v[3] ^= length;
	xfn_keyed_round(v);
	v[0] ^= length;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		xfn_keyed_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif
