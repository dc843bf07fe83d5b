// expect: tier=xdp
/* Answers one word, and leaves all else to the host's own server on that port. */
#include "xfn.h"

XFN_FUNCTION(beside, .port = 53, .fallback = XFN_FALLBACK_HOST)
{
	const char *p = xfn_at(req, 0, 4);

	if (!p || memcmp(p, "ping", 4))
		return XFN_PASS;
	return XFN_REPLY;
}
