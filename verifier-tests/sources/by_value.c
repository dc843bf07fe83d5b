// expect: tier=afxdp rule=calling_convention
/* A struct by value, larger than two registers. */
#include "xfn.h"

struct point {
	uint64_t x, y, z;
};

static __attribute__((noinline)) uint64_t length(struct point p)
{
	return p.x * p.x + p.y * p.y + p.z * p.z;
}

XFN_FUNCTION(by_value, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 24);
	struct point at;

	if (!p)
		return XFN_DROP;
	at.x = xfn_get_be64(p);
	at.y = xfn_get_be64(p + 8);
	at.z = xfn_get_be64(p + 16);
	xfn_put_be64(p, length(at));
	return XFN_REPLY;
}
