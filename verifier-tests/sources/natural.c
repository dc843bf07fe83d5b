// expect: tier=xdp
/* The loop without a constant bound: a frame has one. XFN_PASS stands in this comment only. */
#include "xfn.h"

XFN_FUNCTION(natural, .port = 4000)
{
	for (uint32_t i = 0; i < xfn_len(req); i++) {
		uint8_t *p = xfn_edit(req, i, 1);

		if (!p)
			return XFN_DROP;
		*p = ~*p;
	}
	return XFN_REPLY;
}
