// expect: tier=afxdp rule=pointer_table line=6
/* Two constant tables, of which the second holds pointers. */
#include "xfn.h"

static const uint8_t other[4] = { 3, 2, 1, 0 };
static const char *const names[] = { "north", "east", "south", "west" };

XFN_FUNCTION(names, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 1);

	if (!p)
		return XFN_DROP;
	*p = (uint8_t)names[other[*p & 3]][*p >> 7];
	return XFN_REPLY;
}
