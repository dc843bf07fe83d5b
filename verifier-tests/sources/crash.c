// expect: tier=afxdp
/* Echoes; writes to nowhere on the payload "crash". In a worker, for the kernel has no such thing. */
#include "xfn.h"

XFN_FUNCTION(crash, .port = 4001, .tier = XFN_TIER_AFXDP)
{
	const char *p = xfn_at(req, 0, 5);
	volatile uintptr_t nowhere = 0;

	if (p && !memcmp(p, "crash", 5))
		*(volatile char *)nowhere = 1;
	return XFN_REPLY;
}
