// expect: fail rule=bad_attributes line=5
/* Amplifies without bound. */
#include "xfn.h"

XFN_FUNCTION(flood, .port = 4000, .grow = 1400, .amplify = 100000)
{
	return XFN_REPLY;
}
