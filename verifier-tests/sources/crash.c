// expect: tier=afxdp rule=pointer_lost line=10
/* Echoes; writes into the first page on the payload "crash". The kernel has no such thing. */
#include "xfn.h"

XFN_FUNCTION(crash, .port = 4001, .tier = XFN_TIER_AFXDP)
{
	const char *p = xfn_at(req, 0, 5);

	if (p && !memcmp(p, "crash", 5))
		*(volatile char *)(uintptr_t)xfn_len(req) = 1;
	return XFN_REPLY;
}
