// expect: tier=afxdp rule=function_pointer|pointer_table line=15
/* Functions by pointer, chosen by the payload. */
#include "xfn.h"

static __attribute__((noinline)) int low(int x)
{
	return x + 1;
}

static __attribute__((noinline)) int high(int x)
{
	return x * 3;
}

static int (*const steps[2])(int) = { low, high };

XFN_FUNCTION(callbacks, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 2);

	if (!p)
		return XFN_DROP;
	p[1] = steps[p[0] & 1](p[1]);
	return XFN_REPLY;
}
