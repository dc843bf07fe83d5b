// expect: tier=afxdp rule=floating_point line=4 says=own/half.h:3
/* A header of the author's own, not of the host's C library. */
#include "xfn.h"
#include "own/half.h"

XFN_FUNCTION(header, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 1);

	if (!p)
		return XFN_DROP;
	*p = (uint8_t)half(*p);
	return XFN_REPLY;
}
