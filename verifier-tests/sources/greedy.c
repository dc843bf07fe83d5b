// expect: fail rule=bad_attributes
/* Unlimited amplification, all but in name. */
#include "xfn.h"

XFN_FUNCTION(greedy, .port = 4000, .grow = 8, .amplify = 1001)
{
	return XFN_REPLY;
}
