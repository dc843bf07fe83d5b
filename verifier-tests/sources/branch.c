// expect: tier=xdp
/* A command in the first byte. */
#include "xfn.h"

XFN_COUNTER(pings);

XFN_FUNCTION(branch, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 4);

	if (!p)
		return XFN_DROP;
	switch (p[0]) {
	case 'p':
		xfn_count(pings);
		p[0] = 'P';
		return XFN_REPLY;
	case 'z':
		memset(p, 0, 4);
		return XFN_REPLY;
	case 's':
		return XFN_CONSUME;
	}
	return XFN_DROP;
}
