// expect: unjudged clang=14
/* Counts leading zeros, over which clang 14 ends by a signal when it compiles for BPF. */
#include "xfn.h"

XFN_FUNCTION(leading, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 8);

	if (!p)
		return XFN_DROP;
	p[0] = __builtin_clzll(xfn_get_be64(p) | 1);
	return XFN_REPLY;
}
