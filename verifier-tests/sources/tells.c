// expect: tier=afxdp rule=calls_unknown line=14 says=time
/* Asks the C library for the time. */
#include "xfn.h"
#ifdef XFN_NATIVE
#include <time.h>
#endif

XFN_FUNCTION(tells, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 4);

	if (!p)
		return XFN_DROP;
	xfn_put_be32(p, (uint32_t)time(NULL));
	return XFN_REPLY;
}
