// expect: tier=afxdp rule=calls_unknown line=13
/* Calls what only the native half knows. */
#include "xfn.h"
#ifdef XFN_NATIVE
#include <ctype.h>
#endif

XFN_FUNCTION(strings, .port = 4000)
{
	char *p = xfn_edit(req, 0, 1);
	if (!p)
		return XFN_DROP;
	*p = toupper(*p);
	return XFN_REPLY;
}
