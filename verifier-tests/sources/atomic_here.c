// expect: tier=afxdp rule=atomic_payload line=11
/* An atomic addition on the payload. */
#include "xfn.h"

XFN_FUNCTION(atomic_here, .port = 4000)
{
	uint8_t *p = xfn_edit(req, 0, 8);

	if (!p)
		return XFN_DROP;
	__sync_fetch_and_add((uint64_t *)p, 1);
	return XFN_REPLY;
}
