// expect: tier=afxdp rule=too_many_insns line=13
/* A bounded loop, far too long for the verifier. */
#include "xfn.h"

XFN_FUNCTION(rounds, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 8);
	uint64_t x;

	if (!p)
		return XFN_DROP;
	x = xfn_get_be64(p);
	for (uint32_t i = 0; i < 400000; i++)
		x = (x ^ x >> 7) * 31 + i;
	xfn_put_be64(p, x);
	return XFN_REPLY;
}
