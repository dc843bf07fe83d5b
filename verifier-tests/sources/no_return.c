// expect: fail rule=native_error
/* Forgets what to do. */
#include "xfn.h"

XFN_FUNCTION(no_return, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 1);

	if (!p)
		return XFN_DROP;
	*p = 1;
}
