// expect: tier=xdp
/* Divides by a payload byte, which it tests first. */
#include "xfn.h"

XFN_FUNCTION(divides, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 2);

	if (!p || !p[1])
		return XFN_DROP;
	p[0] = 200u / p[1];
	p[1] = 200u % p[1];
	return XFN_REPLY;
}
