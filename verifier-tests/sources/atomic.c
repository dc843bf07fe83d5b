// expect: fail rule=writable_global line=5
/* Counts atomically, in a global all the same. */
#include "xfn.h"

static uint64_t total;

XFN_FUNCTION(atomic, .port = 4000)
{
	__sync_fetch_and_add(&total, 1);
	return XFN_REPLY;
}
