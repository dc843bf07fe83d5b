// expect: tier=xdp
/* Bit-fields in a local struct. */
#include "xfn.h"

struct flags {
	uint8_t opcode : 4, answer : 1, rest : 3;
};

XFN_FUNCTION(bits, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 1);
	struct flags f;

	if (!p)
		return XFN_DROP;
	memcpy(&f, p, 1);
	if (f.answer)
		return XFN_DROP;
	f.answer = 1;
	f.opcode ^= 3;
	memcpy(p, &f, 1);
	return XFN_REPLY;
}
