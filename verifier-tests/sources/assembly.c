// expect: tier=afxdp rule=inline_asm line=10
/* Asks the CPU itself. */
#include "xfn.h"

XFN_FUNCTION(assembly, .port = 4000, .grow = 8)
{
#if defined(__x86_64__) || !defined(XFN_NATIVE)
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
#else
	uint32_t low = 0, high = 0;
#endif
	return low ^ high ? XFN_REPLY : XFN_DROP;
}
