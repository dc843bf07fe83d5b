// expect: fail rule=out_of_bounds line=11
/* Four bytes of a field where two were asked for. */
#include "xfn.h"

XFN_FUNCTION(beyond_be, .port = 4000)
{
	const uint8_t *p = xfn_at(req, 2, 2);

	if (!p)
		return XFN_DROP;
	return xfn_get_be32(p) ? XFN_REPLY : XFN_DROP;
}
