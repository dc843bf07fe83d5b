// expect: fail rule=native_error line=10 says=second
/* Two functions in one source. */
#include "xfn.h"

XFN_FUNCTION(twice, .port = 4000)
{
	return XFN_REPLY;
}

XFN_FUNCTION(twice, .port = 4001)
{
	return XFN_REPLY;
}
