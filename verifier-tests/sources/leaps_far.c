// expect: fail rule=jumped_over line=21 says=answer
/* A goto whose labels are in a table leads past an array. The kernel has no such jumps. */
#include "xfn.h"

XFN_FUNCTION(leaps_far, .port = 4000, .tier = XFN_TIER_AFXDP)
{
#ifdef XFN_NATIVE
	static const void *const to[] = { &&fill, &&out };
	const uint8_t *p = xfn_at(req, 0, 16);
	uint8_t first[16];

	if (!p)
		return XFN_DROP;
	memcpy(first, p, 16);
	goto *to[first[0] & 1];
	{
		uint8_t answer[16];

	fill:
		memcpy(first, p, 16);
		answer[0] = 1;
		return XFN_DROP;
	out:
		return xfn_write(req, 0, answer, 16, 16) ? XFN_DROP : XFN_REPLY;
	}
#else
	return XFN_DROP;
#endif
}
