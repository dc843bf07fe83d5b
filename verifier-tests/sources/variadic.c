// expect: tier=afxdp rule=calling_convention line=5
/* A function of its own with a variable number of arguments. */
#include "xfn.h"

static __attribute__((noinline)) int sum(int count, ...)
{
	__builtin_va_list args;
	int total = 0;

	__builtin_va_start(args, count);
	for (int i = 0; i < count; i++)
		total += __builtin_va_arg(args, int);
	__builtin_va_end(args);
	return total;
}

XFN_FUNCTION(variadic, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 2);

	if (!p)
		return XFN_DROP;
	p[0] = sum(2, p[0], p[1]);
	return XFN_REPLY;
}
