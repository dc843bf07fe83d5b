// expect: tier=xdp
/* A pointer that runs over 32 bytes. */
#include "xfn.h"

XFN_FUNCTION(pointer_loop, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 32);

	if (!p)
		return XFN_DROP;
	for (uint8_t *end = p + 32; p < end; p++)
		*p = (uint8_t)(*p << 1);
	return XFN_REPLY;
}
