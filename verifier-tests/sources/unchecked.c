// expect: fail rule=unchecked_pointer line=9
/* Writes without asking. */
#include "xfn.h"

XFN_FUNCTION(unchecked, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 4);

	p[0] = 1;
	return XFN_REPLY;
}
