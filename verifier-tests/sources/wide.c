// expect: tier=afxdp rule=wide_integer line=11
/* Multiplies to 128 bits. */
#include "xfn.h"

XFN_FUNCTION(wide, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 16);

	if (!p)
		return XFN_DROP;
	unsigned __int128 product = (unsigned __int128)xfn_get_be64(p) * xfn_get_be64(p + 8);

	xfn_put_be64(p, (uint64_t)(product >> 64));
	xfn_put_be64(p + 8, (uint64_t)product);
	return XFN_REPLY;
}
