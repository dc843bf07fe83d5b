// expect: fail rule=padded_literal line=8 says=struct
/* A literal whose struct has no name of its own either, and whose padding is within a member. */
#include "xfn.h"

XFN_FUNCTION(padded_bare, .port = 4000, .grow = 16)
{
	uint32_t n = xfn_len(req);
	const void *all = &(struct { struct inner { uint8_t kind; uint32_t value; } a, b; }){ { n & 7, n }, { n & 7, n } };

	return xfn_resize(req, 16) || xfn_write(req, 0, all, 16, 16) ? XFN_DROP : XFN_REPLY;
}
