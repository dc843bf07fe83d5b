// expect: tier=afxdp rule=stack_limit
/* A local array of 1000 bytes. */
#include "xfn.h"

XFN_FUNCTION(bigstack, .port = 4000)
{
	uint8_t seen[1000] = {};
	uint8_t *p;

	for (uint32_t i = 0; i < 100; i++) {
		p = xfn_edit(req, i, 1);
		if (!p)
			break;
		seen[*p * 3]++;
		*p = seen[*p];
	}
	return XFN_REPLY;
}
