// expect: tier=xdp
/*
 * Sends what it did not set: the rest of a struct and its padding, of an array that was read into,
 * of a union, and a field of a struct that a call was to fill. All of it is zero.
 */
#include "xfn.h"

struct answer {
	uint8_t kind;
	uint8_t name[9];
	uint64_t value;
};

union number {
	uint8_t small;
	uint64_t large;
};

static void fill(struct answer *a, uint32_t how)
{
	if (how & 1)
		a->value = 2;
}

XFN_FUNCTION(unset, .port = 4121)
{
	struct answer a, second = { .kind = xfn_len(req) };
	union number n = { .small = xfn_len(req) };
	const uint8_t *p = xfn_at(req, 0, 64);
	uint8_t name[16];
	uint8_t *q;

	if (!p || xfn_read(req, 1, name, p[0] & 7, 8) || xfn_read(req, 1, a.name, p[0] & 7, 8))
		return XFN_DROP;
	a.kind = 1;
	fill(&a, p[0]);
	q = xfn_edit(req, 0, 64);
	if (!q)
		return XFN_DROP;
	memcpy(q, &a, sizeof(a));
	memcpy(q + 24, &second, sizeof(second));
	memcpy(q + 48, name, 8);
	memcpy(q + 56, &n, sizeof(n));
	return XFN_REPLY;
}
