// expect: tier=xdp
/* Answers only what begins with a known word. */
#include "xfn.h"

XFN_FUNCTION(prefix, .port = 4000)
{
	const char *p = xfn_at(req, 0, 5);

	if (!p || memcmp(p, "hello", 5))
		return XFN_DROP;
	return XFN_REPLY;
}
