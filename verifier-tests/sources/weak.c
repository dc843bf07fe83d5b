// expect: tier=afxdp rule=calls_unknown line=9 says=perhaps
/* What may be there and is not: natively that is a NULL. */
#include "xfn.h"

__attribute__((weak)) int perhaps(void);

XFN_FUNCTION(weak, .port = 4000)
{
	return perhaps && perhaps() ? XFN_DROP : XFN_REPLY;
}
