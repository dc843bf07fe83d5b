/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Answers with the payload's bytes in reverse order. Knows nothing but xfn.h. */
#include "xfn.h"

#define BLOCK  32   /* bytes taken from each end at a time: one check for four words */
#define BLOCKS 1024 /* payloads up to 65536 bytes, more than a datagram holds */

/* Eight bytes change places with eight others: read big-endian, stored as they lie. */
static inline void swap(uint8_t *a, uint8_t *b)
{
	uint64_t head = xfn_get_be64(a), tail = xfn_get_be64(b);

	memcpy(a, &tail, 8);
	memcpy(b, &head, 8);
}

XFN_FUNCTION(reverse, .port = 1232, .responders = { XFN_RESPONDERS, 1232 },
	     .summary = "payload bytes reversed")
{
	uint32_t len = xfn_len(req);
	uint32_t blocks = len / (2 * BLOCK);
	uint32_t lo, hi;

	/* From both ends while they do not overlap. */
	for (uint32_t i = 0; i < BLOCKS && i < blocks; i++) {
		uint8_t *a = xfn_edit(req, i * BLOCK, BLOCK);
		uint8_t *b = xfn_edit(req, len - BLOCK - i * BLOCK, BLOCK);

		if (!a || !b)
			return XFN_DROP;
		swap(a, b + 24);
		swap(a + 8, b + 16);
		swap(a + 16, b + 8);
		swap(a + 24, b);
	}
	lo = blocks * BLOCK;
	hi = len - lo;
	/* At most 63 bytes in the middle. */
	for (int i = 0; i < 3 && hi - lo >= 16; i++) {
		uint8_t *a = xfn_edit(req, lo, 8);
		uint8_t *b = xfn_edit(req, hi - 8, 8);

		if (!a || !b)
			return XFN_DROP;
		swap(a, b);
		lo += 8;
		hi -= 8;
	}
	/* At most 15 bytes in the middle. */
	for (int i = 0; i < 8 && hi - lo >= 2; i++) {
		uint8_t *a = xfn_edit(req, lo, 1);
		uint8_t *b = xfn_edit(req, hi - 1, 1);
		uint8_t byte;

		if (!a || !b)
			return XFN_DROP;
		byte = *a;
		*a = *b;
		*b = byte;
		lo++;
		hi--;
	}
	return XFN_REPLY;
}
