// expect: tier=xdp
/* A bounded loop written with goto. */
#include "xfn.h"

XFN_FUNCTION(gotos, .port = 4000)
{
	uint32_t i = 0;
	uint8_t *p;

again:
	p = xfn_edit(req, i, 1);
	if (!p)
		return i ? XFN_REPLY : XFN_DROP;
	*p ^= 0x20;
	if (++i < 200)
		goto again;
	return XFN_REPLY;
}
