// expect: tier=xdp
/* Has a licence of its own. */
#include "xfn.h"

XFN_FUNCTION(licensed, .port = 4000, .licence = "GPL")
{
	return XFN_REPLY;
}
