// expect: tier=afxdp rule=stack_limit
/* Two functions whose local arrays fit the stack one by one. */
#include "xfn.h"

static __attribute__((noinline)) uint32_t mix(const uint64_t *from, uint32_t n)
{
	volatile uint64_t seen[48];

	for (uint32_t i = 0; i < 48; i++)
		seen[i] = from[i & 7] ^ n;
	return (uint32_t)seen[n & 31];
}

XFN_FUNCTION(deep_stack, .port = 4000)
{
	uint64_t words[8] = {};

	if (xfn_read(req, 0, words, 64, 64))
		return XFN_DROP;
	return mix(words, xfn_len(req)) & 1 ? XFN_REPLY : XFN_DROP;
}
