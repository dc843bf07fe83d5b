// expect: fail rule=division_by_zero line=11
/* Divides by what is zero on one way. */
#include "xfn.h"

XFN_FUNCTION(divides_zero, .port = 4000)
{
	uint32_t parts = 0, *none = NULL;

	(void)none;
	if (xfn_len(req) > 100)
		return xfn_len(req) / parts ? XFN_REPLY : XFN_DROP;
	return XFN_REPLY;
}
