// expect: tier=xdp
/* A loop that its author has the compiler write out a thousand times. */
#include "xfn.h"

XFN_FUNCTION(unrolled, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 8);
	uint64_t x;

	if (!p)
		return XFN_DROP;
	x = xfn_get_be64(p);
#pragma clang loop unroll(full)
	for (uint32_t i = 0; i < 1000; i++)
		x = (x ^ x >> (i & 31)) * 31 + i;
	xfn_put_be64(p, x);
	return XFN_REPLY;
}
