// expect: tier=afxdp rule=compiler_other line=5 says=triple says=bar
/* A function in a section of its own. */
#include "xfn.h"

__attribute__((section("bar"), noinline)) static int triple(int x)
{
	return x * 3;
}

XFN_FUNCTION(section, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 1);

	if (!p)
		return XFN_DROP;
	*p = (uint8_t)triple(*p);
	return XFN_REPLY;
}
