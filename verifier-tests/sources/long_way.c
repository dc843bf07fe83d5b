// expect: tier=afxdp rule=too_many_insns|unbounded_loop line=11
/* Every pair of bytes of a long payload. */
#include "xfn.h"

XFN_FUNCTION(long_way, .port = 4000)
{
	uint32_t len = xfn_len(req), sum = 0;
	uint8_t *out;

	for (uint32_t i = 0; i < 1400 && i < len; i++) {
		for (uint32_t j = 0; j < 1400 && j < len; j++) {
			const uint8_t *a = xfn_at(req, i, 1), *b = xfn_at(req, j, 1);

			if (!a || !b)
				return XFN_DROP;
			sum += *a * *b;
		}
	}
	out = xfn_edit(req, 0, 4);
	if (!out)
		return XFN_DROP;
	xfn_put_be32(out, sum);
	return XFN_REPLY;
}
