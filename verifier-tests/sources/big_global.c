// expect: fail rule=writable_global line=5
/* A large global array that is written. */
#include "xfn.h"

static uint8_t seen[65536];

XFN_FUNCTION(big_global, .port = 4000)
{
	const uint8_t *p = xfn_at(req, 0, 2);

	if (!p)
		return XFN_DROP;
	return seen[xfn_get_be16(p)]++ ? XFN_DROP : XFN_REPLY;
}
