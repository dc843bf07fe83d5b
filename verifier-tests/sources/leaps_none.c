// expect: tier=xdp
/* Jumps past declarations of what is not used behind them, or is set there; and one that leads past nothing. */
#include "xfn.h"

XFN_FUNCTION(leaps_none, .port = 4000)
{
	const uint8_t *p = xfn_at(req, 0, 8);
	uint8_t kind;

	if (!p)
		goto out;
	kind = *p;
	uint64_t word;

	if (xfn_read(req, 0, &word, 8, 8))
		goto out;
	switch (kind) {
		int shift;
	case 1:
		shift = 1;
		word <<= shift;
		break;
	case 2: {
		uint32_t low = word;

		word = low;
		if (xfn_write(req, 4, &low, 4, 4))
			goto out;
		break;
	}
	default:
		goto out;
	}
	return xfn_write(req, 0, &word, 8, 8) ? XFN_DROP : XFN_REPLY;
out:
	return XFN_DROP;
}
