// expect: fail rule=bad_action line=7 says=-12
#include "xfn.h"

static int answer(struct xfn_req *req)
{
	if (!xfn_at(req, 0, 4))
		return -ENOMEM;
	return XFN_REPLY;
}

XFN_FUNCTION(no_action, .port = 4000)
{
	return answer(req);
}
