// expect: fail rule=tier_pinned line=7
/* Must be in the kernel, and cannot. */
#include "xfn.h"

XFN_FUNCTION(pinned, .port = 4000, .tier = XFN_TIER_XDP)
{
	volatile double x = xfn_len(req);

	return x > 1.5 ? XFN_REPLY : XFN_DROP;
}
