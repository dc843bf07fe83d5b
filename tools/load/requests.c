// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Requests with their replies, and histograms of round trips. Sends nothing. */
#include <string.h>
#include "bench_load.h"

#define SUB_BITS 10 /* places kept of each doubling: 2^10, so an error below 0.1 % */
#define SUB	 (1u << SUB_BITS)

void bench_payload__set(struct bench_payload *p, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;
	uint32_t sum = 0;

	memset(p, 0, sizeof(*p));
	if (len)
		memcpy(p->words, bytes, len);
	p->len = (uint32_t)len;
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? b[i] : (uint32_t)b[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	p->sum = sum;
}

void bench_set__fill(struct bench_set *set, const uint16_t *lengths, unsigned length_count,
		     unsigned count, bool reverse, bool mirror)
{
	uint64_t state = 0x9e3779b97f4a7c15ull;
	uint8_t bytes[BENCH_PAYLOAD], turned[BENCH_PAYLOAD];

	memset(set, 0, sizeof(*set));
	set->count = count;
	for (unsigned i = 0; i < count; i++) {
		size_t len = lengths[i % length_count];

		for (size_t b = 0; b < len; b++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			bytes[b] = (uint8_t)(state >> 24);
		}
		for (size_t b = 0; mirror && b < len / 2; b++)
			bytes[len - 1 - b] = bytes[b];
		for (size_t b = 0; b < len; b++)
			turned[b] = bytes[len - 1 - b];
		bench_payload__set(&set->request[i], bytes, len);
		bench_payload__set(&set->reply[i], reverse ? turned : bytes, len);
	}
}

/* Values below 2^SUB_BITS have a place each; each doubling above has as many again. */
static unsigned place_of(uint64_t ns)
{
	unsigned top, shift;

	if (ns < SUB)
		return (unsigned)ns;
	top = 63 - (unsigned)__builtin_clzll(ns);
	shift = top - SUB_BITS;
	if (shift > 25)
		return sizeof(((struct bench_histogram *)0)->places) / sizeof(uint64_t) - 1;
	return (shift + 1) * SUB + (unsigned)((ns >> shift) - SUB);
}

static uint64_t upper_end(unsigned place)
{
	unsigned shift;

	if (place < SUB)
		return place;
	shift = place / SUB - 1;
	return (((uint64_t)(place % SUB) + SUB + 1) << shift) - 1;
}

void bench_histogram__add(struct bench_histogram *h, uint64_t ns)
{
	h->places[place_of(ns)]++;
	h->total++;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

uint64_t bench_histogram__at(const struct bench_histogram *h, double percent)
{
	uint64_t want = (uint64_t)(percent / 100 * (double)h->total + 0.5), seen = 0;

	if (!h->total)
		return 0;
	if (want < 1)
		want = 1;
	for (unsigned i = 0; i < sizeof(h->places) / sizeof(h->places[0]); i++) {
		seen += h->places[i];
		if (seen >= want)
			return upper_end(i) < h->max_ns ? upper_end(i) : h->max_ns;
	}
	return h->max_ns;
}
