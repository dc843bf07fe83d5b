// expect: tier=afxdp rule=floating_point line=13
/* A mean, in floating point. */
#include "xfn.h"

XFN_FUNCTION(doubles, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 8);
	double mean = 0;

	if (!p)
		return XFN_DROP;
	for (int i = 0; i < 8; i++)
		mean += p[i] / 8.0;
	p[0] = (uint8_t)mean;
	return XFN_REPLY;
}
