/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Answers with the payload's bytes in reverse order. Knows nothing but xfn.h. */
#include "xfn.h"

#define STEPS 256 /* 8-byte swaps: payloads up to 4096 bytes, more than a frame holds */

XFN_FUNCTION(reverse, .port = 1232, .summary = "payload bytes reversed")
{
	uint32_t len = xfn_len(req);
	uint32_t words = len / 16;
	uint32_t lo, hi;

	/* Eight bytes from both ends while they do not overlap. */
	for (uint32_t i = 0; i < STEPS && i < words; i++) {
		uint8_t *a = xfn_edit(req, i * 8, 8);
		uint8_t *b = xfn_edit(req, len - 8 - i * 8, 8);
		uint64_t head, tail;

		if (!a || !b)
			return XFN_DROP;
		/* Read big-endian, stored as it lies: that is the reversal. */
		head = xfn_get_be64(a);
		tail = xfn_get_be64(b);
		memcpy(a, &tail, 8);
		memcpy(b, &head, 8);
	}
	lo = words * 8;
	hi = len - lo;
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
