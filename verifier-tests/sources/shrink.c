// expect: tier=xdp
/* Answers with the first half. */
#include "xfn.h"

XFN_FUNCTION(shrink, .port = 4000)
{
	if (xfn_resize(req, xfn_len(req) / 2))
		return XFN_DROP;
	return XFN_REPLY;
}
