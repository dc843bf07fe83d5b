// expect: tier=afxdp rule=signed_division line=12
/* Divides numbers with a sign. */
#include "xfn.h"

XFN_FUNCTION(signed_div, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 8);
	int32_t a, b;

	if (!p || !(b = (int32_t)xfn_get_be32(p + 4)))
		return XFN_DROP;
	a = (int32_t)xfn_get_be32(p) / b;
	xfn_put_be32(p, (uint32_t)a);
	return XFN_REPLY;
}
