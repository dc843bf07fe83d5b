// expect: tier=afxdp rule=compiler_other line=6 says=extra says=.maps
/* A variable where libbpf looks for maps. */
#include "xfn.h"

#ifndef XFN_NATIVE
__attribute__((section(".maps"), used)) static int extra = 3;
#endif

XFN_FUNCTION(own_section, .port = 4000)
{
	return XFN_REPLY;
}
