// expect: tier=xdp
/* A per-byte loop over a payload of any length. */
#include "xfn.h"

XFN_FUNCTION(xor, .port = 4000)
{
	uint32_t len = xfn_len(req);

	for (uint32_t i = 0; i < 1472 && i < len; i++) {
		uint8_t *p = xfn_edit(req, i, 1);

		if (!p)
			return XFN_DROP;
		*p ^= 0x5a;
	}
	return XFN_REPLY;
}
