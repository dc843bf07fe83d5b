// expect: tier=xdp
/* A constant table, indexed by payload bytes. */
#include "xfn.h"

static const uint8_t digits[16] = "0123456789abcdef";

XFN_FUNCTION(table, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 8);

	if (!p)
		return XFN_DROP;
	for (int i = 0; i < 8; i++)
		p[i] = digits[p[i] & 15];
	return XFN_REPLY;
}
