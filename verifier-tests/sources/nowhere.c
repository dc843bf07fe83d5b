// expect: fail rule=native_error line=11 says=half_of
/* Calls what is nowhere: no worker could load it. */
#include "xfn.h"

int half_of(int x);

XFN_FUNCTION(nowhere, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 1);

	return p && half_of(*p) ? XFN_REPLY : XFN_DROP;
}
