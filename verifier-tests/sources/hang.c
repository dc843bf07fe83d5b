// expect: tier=afxdp rule=unbounded_loop line=10
/* Echoes; does not return on the payload "hang". In a worker, for the kernel has no such thing. */
#include "xfn.h"

XFN_FUNCTION(hang, .port = 4002, .tier = XFN_TIER_AFXDP)
{
	const char *p = xfn_at(req, 0, 4);
	volatile bool forever = p && !memcmp(p, "hang", 4);

	while (forever)
		;
	return XFN_REPLY;
}
