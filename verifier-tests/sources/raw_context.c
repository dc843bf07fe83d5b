// expect: tier=afxdp rule=verifier_other line=8
/* Gives a helper what it does not take. */
#include "xfn.h"

XFN_FUNCTION(raw_context, .port = 4000)
{
#ifndef XFN_NATIVE
	if (bpf_xdp_adjust_tail((struct xdp_md *)(uintptr_t)xfn_len(req), 0))
		return XFN_DROP;
#endif
	return XFN_REPLY;
}
