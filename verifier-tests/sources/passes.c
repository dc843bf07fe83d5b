// expect: fail rule=pass_without_host line=10
/* Leaves requests to a server that nobody named. */
#include "xfn.h"

XFN_FUNCTION(passes, .port = 4000)
{
	const uint8_t *p = xfn_at(req, 0, 1);

	if (!p || *p != 'x')
		return XFN_PASS;
	return XFN_REPLY;
}
