// expect: tier=xdp
/* The compiler's own functions, as far as they become instructions. */
#include "xfn.h"

XFN_FUNCTION(builtins, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 8);
	uint64_t x;

	if (!p)
		return XFN_DROP;
	x = xfn_get_be64(p);
	p[0] = __builtin_popcountll(x);
	p[3] = __builtin_parityll(x);
	p[4] = __builtin_expect(x > 7, 1);
	return XFN_REPLY;
}
