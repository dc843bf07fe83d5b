// expect: tier=afxdp rule=calls_unknown line=9
/* Calls what the kernel offers to other kinds of programs. */
#include "xfn.h"

XFN_FUNCTION(raw_call, .port = 4000)
{
#ifndef XFN_NATIVE
	uint32_t word = 0;
	if (bpf_skb_load_bytes(req->ctx, 0, &word, 4))
		return XFN_DROP;
#endif
	return XFN_REPLY;
}
