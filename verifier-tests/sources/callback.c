// expect: tier=afxdp rule=function_pointer
/* A function by pointer, chosen by a condition. */
#include "xfn.h"

static __attribute__((noinline)) int low(int x)
{
	return x + 1;
}

static __attribute__((noinline)) int high(int x)
{
	return x * 3;
}

XFN_FUNCTION(callback, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 2);
	int (*step)(int);

	if (!p)
		return XFN_DROP;
	step = p[0] & 1 ? low : high;
	__asm__ volatile("" : "+r"(step));
	p[1] = step(p[1]);
	return XFN_REPLY;
}
