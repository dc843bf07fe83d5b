// expect: tier=afxdp rule=unbounded_loop line=13
/* Collatz: nobody knows whether it ends. */
#include "xfn.h"

XFN_FUNCTION(unbounded, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 8);
	uint64_t n, steps = 0;

	if (!p)
		return XFN_DROP;
	n = xfn_get_be64(p);
	while (n > 1) {
		n = n & 1 ? 3 * n + 1 : n / 2;
		steps++;
	}
	xfn_put_be64(p, steps);
	return XFN_REPLY;
}
