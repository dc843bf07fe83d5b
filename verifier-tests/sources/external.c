// expect: tier=afxdp rule=calls_unknown line=9
/* Declares a C library's function by itself. */
#include "xfn.h"

int rand(void);

XFN_FUNCTION(external, .port = 4000)
{
	return rand() ? XFN_REPLY : XFN_DROP;
}
