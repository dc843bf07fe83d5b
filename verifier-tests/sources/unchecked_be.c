// expect: fail rule=unchecked_pointer line=7
/* Reads through xfn.h without asking. */
#include "xfn.h"

XFN_FUNCTION(unchecked_be, .port = 4000)
{
	return xfn_get_be32(xfn_at(req, 0, 4)) ? XFN_REPLY : XFN_DROP;
}
