// expect: fail rule=stale_pointer line=12
/* Keeps a pointer over xfn_resize. */
#include "xfn.h"

XFN_FUNCTION(stale, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 4);

	if (!p || xfn_resize(req, 4))
		return XFN_DROP;
	/* the frame may have moved */
	p[0] = 1;
	return XFN_REPLY;
}
