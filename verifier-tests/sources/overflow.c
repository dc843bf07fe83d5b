// expect: tier=xdp
/* Signed arithmetic that wraps: both targets are compiled to wrap. */
#include "xfn.h"

XFN_FUNCTION(overflow, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 4);
	int32_t x;

	if (!p)
		return XFN_DROP;
	x = (int32_t)xfn_get_be32(p);
	if (x + 1 < x)
		return XFN_DROP;
	xfn_put_be32(p, (uint32_t)(x * 3 + 1));
	return XFN_REPLY;
}
