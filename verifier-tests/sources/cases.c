// expect: tier=xdp
/* A switch that the compiler makes a table of, and strings. */
#include "xfn.h"

XFN_FUNCTION(cases, .port = 4000)
{
	static const char text[] = "no such answer";
	uint8_t *p = xfn_edit(req, 0, 16);
	uint32_t value;

	if (!p)
		return XFN_DROP;
	switch (p[0]) {
	case 0:
		value = 17;
		break;
	case 1:
		value = 4711;
		break;
	case 2:
		value = 23;
		break;
	case 3:
		value = 99;
		break;
	case 4:
		value = 1;
		break;
	case 5:
		value = 12345;
		break;
	default:
		memcpy(p, text, sizeof(text));
		return XFN_REPLY;
	}
	xfn_put_be32(p, value);
	return XFN_REPLY;
}
