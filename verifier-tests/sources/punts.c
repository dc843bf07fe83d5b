// expect: fail rule=punt_without_slow line=6
#include "xfn.h"
/* no XFN_PUNT here */
XFN_FUNCTION(punts, .port = 4000, .summary = "has no slow half")
{
	return xfn_len(req) > 100 ? XFN_PUNT : XFN_REPLY;
}
