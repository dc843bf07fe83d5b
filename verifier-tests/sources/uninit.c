// expect: fail rule=native_error line=12
/* Uses a variable that nobody set. */
#include "xfn.h"

XFN_FUNCTION(uninit, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 1);
	uint32_t sum;

	if (!p)
		return XFN_DROP;
	*p = sum + 1;
	return XFN_REPLY;
}
