// expect: tier=afxdp
/* Could be in the kernel; its author wants a worker. */
#include "xfn.h"

XFN_FUNCTION(worker, .port = 4000, .tier = XFN_TIER_AFXDP)
{
	return XFN_REPLY;
}
