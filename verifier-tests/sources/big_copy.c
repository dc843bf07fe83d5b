// expect: tier=afxdp rule=large_copy line=11
/* Copies more than a kilobyte at once. */
#include "xfn.h"

XFN_FUNCTION(big_copy, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 1400);

	if (!p)
		return XFN_DROP;
	memcpy(p, p + 3, 1300);
	return XFN_REPLY;
}
