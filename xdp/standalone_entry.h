/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The program of a standalone object of several functions: finds whose a datagram is and calls
 * that function's subprogram, which parses again. A translation unit of its own (XFN_LEADER), that
 * the functions' are linked with, so that what is static in each stays its own.
 */
#include "standalone_bpf.h"

#define XFN_DECLARE(slot) XFN_SUBPROGRAM int xfn_member_##slot(struct xdp_md *ctx);
XFN_MEMBERS(XFN_DECLARE)
#undef XFN_DECLARE

XFN_RUN_CONFIG(xfn_standalone)
SEC("xdp") int xfn_standalone(struct xdp_md *ctx)
{
	struct xfn_packet pkt = {};
	enum xfn_reason reason;
	__u32 slot = 0;

	reason = xfn_packet_parse(XFN_DATA(ctx), XFN_DATA_END(ctx), &pkt);
	if (reason)
		return xfn_why(reason, XDP_PASS);
	reason = xfn_pick(ctx, &pkt, &slot);
	if (reason)
		return xfn_why(reason, XFN_TURNED_AWAY(reason));
	switch (slot) {
#define XFN_CALL_MEMBER(slot)                                                                      \
	case slot:                                                                                 \
		return xfn_member_##slot(ctx);
		XFN_MEMBERS(XFN_CALL_MEMBER)
#undef XFN_CALL_MEMBER
	}
	return xfn_why(XFN_REASON_NO_PROGRAM, XDP_DROP);
}
