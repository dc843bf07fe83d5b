// expect: tier=afxdp rule=variable_access line=12
/* Writes before its payload by a distance that only the request tells. */
#include "xfn.h"

XFN_FUNCTION(steps_back, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 40);

	if (!p)
		return XFN_DROP;
	p -= p[0] & 15;
	p[0] = 1;
	return XFN_REPLY;
}
