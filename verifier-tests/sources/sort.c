// expect: tier=xdp
/* Sorts the first 48 bytes in place. */
#include "xfn.h"

XFN_FUNCTION(sort, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 48);

	if (!p)
		return XFN_DROP;
	for (int i = 0; i < 47; i++) {
		for (int j = 0; j < 47 - i; j++) {
			uint8_t a = p[j], b = p[j + 1];

			p[j] = a < b ? a : b;
			p[j + 1] = a < b ? b : a;
		}
	}
	return XFN_REPLY;
}
