// expect: tier=afxdp rule=recursion
/* Calls itself. */
#include "xfn.h"

static __attribute__((noinline)) uint32_t fibonacci(uint32_t n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

XFN_FUNCTION(fib, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 4);

	if (!p)
		return XFN_DROP;
	xfn_put_be32(p, fibonacci(p[0] & 15));
	return XFN_REPLY;
}
