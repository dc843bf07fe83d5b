// expect: tier=afxdp rule=floating_point line=14
/* A square root. */
#include "xfn.h"
#ifdef XFN_NATIVE
#include <math.h>
#endif

XFN_FUNCTION(root, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 4);

	if (!p)
		return XFN_DROP;
	xfn_put_be32(p, (uint32_t)__builtin_sqrt(xfn_get_be32(p)));
	return XFN_REPLY;
}
