// expect: tier=xdp
/* Puts a trailer of 8 bytes behind the payload. */
#include "xfn.h"

XFN_FUNCTION(grow, .port = 4000, .grow = 8)
{
	uint32_t len = xfn_len(req);
	uint8_t *p;

	if (xfn_resize(req, len + 8))
		return XFN_DROP;
	p = xfn_edit(req, len, 8);
	if (!p)
		return XFN_DROP;
	xfn_put_be64(p, xfn_mono_ns());
	return XFN_REPLY;
}
