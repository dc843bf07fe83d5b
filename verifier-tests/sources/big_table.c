// expect: tier=xdp
/* A large constant table. */
#include "xfn.h"

static const uint16_t squares[1024] = { [0] = 7, [1] = 1, [1000] = 1000, [1023] = 1023 };

XFN_FUNCTION(big_table, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 4);

	if (!p)
		return XFN_DROP;
	xfn_put_be16(p + 2, squares[xfn_get_be16(p) & 1023]);
	return XFN_REPLY;
}
