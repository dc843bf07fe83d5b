// expect: tier=xdp
/* Echoes; its half in a worker writes into the first page on long payloads, as a defect would. */
#include "xfn.h"

XFN_FUNCTION(half, .port = 4003)
{
#ifdef XFN_NATIVE
	if (xfn_len(req) > 2000)
		*(volatile char *)(uintptr_t)xfn_len(req) = 1;
#endif
	return XFN_REPLY;
}
