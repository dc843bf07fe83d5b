// expect: fail rule=padded_literal says=grammar.y:110
/* What a generator wrote is the author's, whatever file #line names. */
#include "xfn.h"
#line 100 "/nowhere/grammar.y"
struct answer {
	uint8_t kind;
	uint32_t value;
};

XFN_FUNCTION(padded_line, .port = 4000)
{
	uint32_t n = xfn_len(req);
	const struct answer *all =

		&(struct answer){ n & 7, n };

	return xfn_write(req, 0, all, 8, 8) ? XFN_DROP : XFN_REPLY;
}
