// expect: fail rule=out_of_bounds line=11
/* Reads behind what it asked for. */
#include "xfn.h"

XFN_FUNCTION(beyond, .port = 4000)
{
	const uint8_t *p = xfn_at(req, 0, 4);

	if (!p)
		return XFN_DROP;
	return p[8] == 'x' ? XFN_REPLY : XFN_DROP;
}
