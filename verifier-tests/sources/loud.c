// expect: tier=xdp
/* Answers with 600 bytes whatever it is asked. */
#include "xfn.h"

XFN_FUNCTION(loud, .port = 4000, .grow = 600, .amplify = 23)
{
	if (xfn_resize(req, 600))
		return XFN_DROP;
	return XFN_REPLY;
}
