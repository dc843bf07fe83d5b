// expect: fail rule=punt_without_slow line=8
#include "xfn.h"
#define LATER ((enum xfn_action)4)

XFN_FUNCTION(punts_number, .port = 4000)
{
	if (xfn_len(req) > 100)
		return LATER;
	return XFN_REPLY;
}
