// expect: tier=afxdp rule=calling_convention line=16
/* Six arguments are one more than BPF passes. */
#include "xfn.h"

static __attribute__((noinline)) int add(int a, int b, int c, int d, int e, int f)
{
	return a + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f;
}

XFN_FUNCTION(six, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 6);

	if (!p)
		return XFN_DROP;
	p[0] = add(p[0], p[1], p[2], p[3], p[4], p[5]);
	return XFN_REPLY;
}
