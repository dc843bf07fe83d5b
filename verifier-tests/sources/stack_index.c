// expect: tier=afxdp rule=variable_access line=14
/* The same with a local array. */
#include "xfn.h"

XFN_FUNCTION(stack_index, .port = 4000)
{
	uint8_t buf[32] = {}, *p = xfn_edit(req, 0, 32);
	uint32_t at;

	if (!p)
		return XFN_DROP;
	memcpy(buf, p, 32);
	at = p[0];
	p[1] = buf[at];
	return XFN_REPLY;
}
