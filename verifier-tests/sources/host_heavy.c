// expect: fail rule=tier_pinned line=9
/* Leaves some requests to the host, and is too heavy for the only tier that can. */
#include "xfn.h"

XFN_FUNCTION(host_heavy, .port = 53, .fallback = XFN_FALLBACK_HOST)
{
	if (xfn_len(req) < 12)
		return XFN_PASS;
	return xfn_len(req) * 0.5 > 20 ? XFN_REPLY : XFN_DROP;
}
