// expect: tier=xdp
/* Shortens its payload and lets it grow again: what it then has more is zero, whatever was there. */
#include "xfn.h"

XFN_FUNCTION(grown, .port = 4122, .grow = 64)
{
	uint32_t len = xfn_len(req);

	if (len > 64)
		return XFN_REPLY;
	if (xfn_resize(req, 2) || xfn_resize(req, len + 32))
		return XFN_DROP;
	return XFN_REPLY;
}
