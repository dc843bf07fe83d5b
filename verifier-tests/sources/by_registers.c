// expect: fail rule=padded_value line=10 says=answer
/* Returns a padded struct in registers: 7 bytes of the caller's copy are the stack's. */
#include "xfn.h"

struct answer {
	uint8_t kind;
	uint64_t value;
};

static __attribute__((noinline)) struct answer make(uint32_t len)
{
	struct answer a = { .kind = 1, .value = len };

	return a;
}

XFN_FUNCTION(by_registers, .port = 4000)
{
	struct answer a;

	a = make(xfn_len(req));
	return xfn_write(req, 0, &a, sizeof(a), sizeof(a)) ? XFN_DROP : XFN_REPLY;
}
