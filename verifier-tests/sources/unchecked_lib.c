// expect: fail rule=unchecked_pointer line=11
/* Too much for the kernel, and wrong as well. */
#include "xfn.h"
#include <stdlib.h>

XFN_FUNCTION(unchecked_lib, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 4);

	if (abs(xfn_len(req)) > 3)
		p[0] = 1;
	*(p + 3) = rand();
	return XFN_REPLY;
}
