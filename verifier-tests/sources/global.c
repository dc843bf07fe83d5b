// expect: fail rule=writable_global line=5
/* Counts in a global. */
#include "xfn.h"

static uint64_t seen;

XFN_FUNCTION(global, .port = 4000)
{
	return seen++ & 1 ? XFN_REPLY : XFN_DROP;
}
