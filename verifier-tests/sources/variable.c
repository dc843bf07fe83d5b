// expect: tier=afxdp rule=variable_access line=11
/* Copies a length that varies. */
#include "xfn.h"

XFN_FUNCTION(variable, .port = 4000)
{
	uint32_t half = xfn_len(req) / 2;
	uint8_t *a = xfn_edit(req, 0, half), *b = xfn_edit(req, half, half);
	if (!a || !b)
		return XFN_DROP;
	memcpy(a, b, half);
	return XFN_REPLY;
}
