// expect: tier=afxdp rule=variable_stack line=9
/* An array of a length that varies. */
#include "xfn.h"

XFN_FUNCTION(vla, .port = 4000)
{
	uint32_t len = xfn_len(req) & 63;
	int bad;
	uint8_t copy[len + 1];

	bad = xfn_read(req, 0, copy, len, 64);
	return bad || xfn_write(req, 0, copy, len, 64) ? XFN_DROP : XFN_REPLY;
}
