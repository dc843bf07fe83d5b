// expect: tier=afxdp rule=variable_stack line=8
/* alloca by its other name. */
#include "xfn.h"

XFN_FUNCTION(stack_alloc, .port = 4000)
{
	uint32_t len = xfn_len(req) & 63;
	uint8_t *copy = __builtin_alloca(len + 1);

	if (xfn_read(req, 0, copy, len, 64) || xfn_write(req, 0, copy, len, 64))
		return XFN_DROP;
	return XFN_REPLY;
}
