// expect: tier=afxdp rule=compiler_other line=6 says=bounce says=xdp
/* An XDP program of its own, which would be the one that is loaded: it swaps nothing and counts nothing. */
#include "xfn.h"

#ifndef XFN_NATIVE
__attribute__((section("xdp"), used)) int bounce(void *ctx)
{
	return ctx ? 3 : 0;
}
#endif

XFN_FUNCTION(own_program, .port = 4000)
{
	return XFN_REPLY;
}
