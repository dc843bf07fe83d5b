// expect: tier=xdp
/* Structs, jumps and literals of which nothing goes out that was not set. */
#include "xfn.h"

struct padded {
	uint8_t kind;
	uint32_t value;
};

struct whole {
	uint32_t kind, value;
};

static struct padded make(uint32_t value)
{
	struct padded made = { .kind = 1, .value = value };

	return made;
}

XFN_FUNCTION(named, .port = 4000)
{
	const uint8_t *p = xfn_at(req, 0, 8);
	struct whole w;

	if (!p)
		goto refuse;
	w = (struct whole){ .kind = p[0], .value = (uint32_t){ p[1] } };
	switch (p[0]) {
	case 1: {
		struct padded one = make(p[2]);

		return xfn_write(req, 0, &one, sizeof(one), 8) ? XFN_DROP : XFN_REPLY;
	}
	case 2: {
		uint8_t two[8] = { p[1] };

		return xfn_write(req, 0, two, sizeof(two), 8) ? XFN_DROP : XFN_REPLY;
	}
	}
	return xfn_write(req, 0, &w, sizeof(w), 8) ? XFN_DROP : XFN_REPLY;
refuse:
	return XFN_DROP;
}
