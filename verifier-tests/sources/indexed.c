// expect: tier=afxdp rule=variable_access line=13
/* A payload byte says which other one is meant; nobody tests it. */
#include "xfn.h"

XFN_FUNCTION(indexed, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 64);
	uint32_t at;

	if (!p)
		return XFN_DROP;
	at = xfn_get_be32(p);
	p[0] = p[at];
	return XFN_REPLY;
}
