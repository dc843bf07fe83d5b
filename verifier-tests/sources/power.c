// expect: tier=afxdp rule=floating_point line=14
/* What the C library has in libm. */
#include "xfn.h"

double pow(double x, double y);

XFN_FUNCTION(power, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 1);

	if (!p)
		return XFN_DROP;
	/* a worker has it; the kernel has not */
	*p = (uint8_t)pow(*p, 0.7);
	return XFN_REPLY;
}
