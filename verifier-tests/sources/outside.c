// expect: fail rule=out_of_bounds line=13
/* One past the end. */
#include "xfn.h"

XFN_FUNCTION(outside, .port = 4000)
{
	uint8_t buf[8] = { 1 };
	uint8_t *p = xfn_edit(req, 0, 1);

	if (!p)
		return XFN_DROP;
	buf[0] = *p;
	buf[8] = 2;
	*p = buf[0] + buf[7];
	return XFN_REPLY;
}
