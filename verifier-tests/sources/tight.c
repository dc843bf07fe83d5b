// expect: tier=xdp
/* Wants to answer with more than it was asked with, and is not allowed to. */
#include "xfn.h"

XFN_FUNCTION(tight, .port = 4001, .grow = 8, .amplify = 1)
{
	return xfn_resize(req, xfn_len(req) + 8) ? XFN_DROP : XFN_REPLY;
}
