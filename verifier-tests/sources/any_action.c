// expect: tier=xdp
#include "xfn.h"

/* What the request says may be none: that is known at run time only. */
XFN_FUNCTION(any_action, .port = 4000)
{
	const uint8_t *wish = xfn_at(req, 0, 1);
	int action = XFN_DROP;

	if (wish && *wish != XFN_REPLY)
		action = *wish;
	return action;
}
