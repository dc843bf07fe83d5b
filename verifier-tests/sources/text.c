// expect: tier=afxdp rule=calls_unknown line=14 says=strlen
/* String functions, which xfn.h's native side happens to bring. */
#include "xfn.h"

XFN_FUNCTION(text, .port = 4000)
{
	char line[32] = {};
	uint32_t len = xfn_len(req);

	if (len > 31)
		return XFN_DROP;
	if (xfn_read(req, 0, line, len, sizeof(line) - 1))
		return XFN_DROP;
	return strlen(line) == len ? XFN_REPLY : XFN_DROP;
}
