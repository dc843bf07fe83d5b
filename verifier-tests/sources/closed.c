// expect: tier=xdp
/* Has a licence that GPL-only parts of the kernel are not open to. */
#include "xfn.h"

XFN_FUNCTION(closed, .port = 4002, .licence = "Proprietary")
{
	return XFN_REPLY;
}
