// expect: fail rule=bad_attributes
/* More counters than a worker's page has places for. */
#include "xfn.h"

XFN_COUNTER(a);
XFN_COUNTER(b);
XFN_COUNTER(c);
XFN_COUNTER(d);
XFN_COUNTER(e);
XFN_COUNTER(f);
XFN_COUNTER(g);
XFN_COUNTER(h);
XFN_COUNTER(i);

XFN_FUNCTION(counters, .port = 4000)
{
	xfn_count(a);
	xfn_count(i);
	return XFN_REPLY;
}
