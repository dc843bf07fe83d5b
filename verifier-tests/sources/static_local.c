// expect: fail rule=writable_global line=7 says=turn
/* A static variable inside the function. */
#include "xfn.h"

XFN_FUNCTION(static_local, .port = 4000)
{
	static uint32_t turn;

	return ++turn & 1 ? XFN_REPLY : XFN_DROP;
}
