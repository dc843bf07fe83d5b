// expect: fail rule=pass_without_host line=7
#include "xfn.h"

XFN_FUNCTION(passes_number, .port = 4000)
{
	if (xfn_len(req) > 100)
		return 3;
	return XFN_REPLY;
}
