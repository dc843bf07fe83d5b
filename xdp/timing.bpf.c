/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Times a function's program by BPF_PROG_TEST_RUN. A repetition works on the frame that the last
 * one left, which is a reply: so this program puts the request back before it calls the function. A
 * run with an empty slot is shorter by what the function takes. Must never be attached to an
 * interface.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "timing.h"

char xfn_license[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} xfn_timed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xfn_timing_frame);
} xfn_request SEC(".maps");

SEC("xdp") int xfn_timing(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct xfn_timing_frame *request = bpf_map_lookup_elem(&xfn_request, &zero);
	long have = (long)ctx->data_end - (long)ctx->data;
	__u64 len;

	if (!request)
		return XDP_ABORTED;
	len = request->len;
	if (bpf_xdp_adjust_tail(ctx, (int)((long)len - have)))
		return XDP_ABORTED;
	/* 1 to XFN_TIMING_MAX, in one asm: the verifier may forget a bound in between */
	asm volatile("%0 += -1\n\t%0 &= %1\n\t%0 += 1" : "+r"(len) : "i"(XFN_TIMING_MAX - 1));
	if (bpf_xdp_store_bytes(ctx, 0, request->frame, len))
		return XDP_ABORTED;
	bpf_tail_call_static(ctx, &xfn_timed, 0);
	return XDP_TX;
}
