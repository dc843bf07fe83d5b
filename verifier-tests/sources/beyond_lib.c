// expect: fail rule=out_of_bounds line=12
/* The same where only a worker can run it. */
#include "xfn.h"
#include <stdlib.h>

XFN_FUNCTION(beyond_lib, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 4);

	if (!p)
		return XFN_DROP;
	p[4] = rand();
	return XFN_REPLY;
}
