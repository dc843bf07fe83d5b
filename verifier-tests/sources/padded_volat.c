// expect: fail rule=padded_literal line=13 says=struct
/* Words that qualify a type change nothing about its padding. */
#include "xfn.h"

struct answer {
	uint8_t kind;
	uint32_t value;
};

XFN_FUNCTION(padded_volat, .port = 4000)
{
	uint32_t n = xfn_len(req);
	const void *all = (const void *)&(const volatile struct answer){ n & 7, n };

	return xfn_write(req, 0, all, 8, 8) ? XFN_DROP : XFN_REPLY;
}
