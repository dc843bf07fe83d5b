// expect: fail rule=padded_literal line=14 says=struct
/* An array of literals whose type is another's. */
#include "xfn.h"

struct answer {
	uint8_t kind;
	uint32_t value;
};

XFN_FUNCTION(padded_array, .port = 4000, .grow = 16)
{
	uint32_t n = xfn_len(req);
	struct answer model = { n & 7, n };
	const struct answer *all = (typeof(model)[2]){ { n & 7, n }, { n & 7, n } };

	return xfn_resize(req, 16) || xfn_write(req, 0, all, 16, 16) ? XFN_DROP : XFN_REPLY;
}
