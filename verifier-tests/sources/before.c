// expect: fail rule=out_of_bounds line=11
/* Writes before its payload, where the headers are. */
#include "xfn.h"

XFN_FUNCTION(before, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 4);

	if (!p)
		return XFN_DROP;
	p[-1] = 1;
	return XFN_REPLY;
}
