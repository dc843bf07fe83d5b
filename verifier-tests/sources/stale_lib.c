// expect: fail rule=stale_pointer line=11
/* The same, in a function that runs in a worker anyway. */
#include "xfn.h"
#include <stdlib.h>

XFN_FUNCTION(stale_lib, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 4);
	if (!p || xfn_resize(req, 4))
		return XFN_DROP;
	p[0] = rand();
	return XFN_REPLY;
}
