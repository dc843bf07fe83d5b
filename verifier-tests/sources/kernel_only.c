// expect: fail rule=padded_literal line=17 says=struct
/* What stands for the kernel half alone is looked at as well: there the stack is the kernel's. */
#include "xfn.h"

struct answer {
	uint8_t kind;
	uint64_t value;
};

XFN_FUNCTION(kernel_only, .port = 4000)
{
	uint8_t kind = xfn_len(req) & 7;
#ifdef XFN_NATIVE
	struct answer a = { kind, 2 };
	const struct answer *answer = &a;
#else
	const struct answer *answer = &(struct answer){ kind, 2 };
#endif
	return xfn_write(req, 0, answer, sizeof(*answer), sizeof(*answer)) ? XFN_DROP : XFN_REPLY;
}
