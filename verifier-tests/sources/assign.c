// expect: tier=afxdp rule=large_copy line=13
/* A large struct, assigned whole. */
#include "xfn.h"

struct record {
	char text[1200];
};

XFN_FUNCTION(assign, .port = 4000)
{
	struct record *to = xfn_edit(req, 0, sizeof(*to)), *from = xfn_edit(req, sizeof(*to), sizeof(*to));
	if (to && from)
		*to = *from;
	return XFN_REPLY;
}
