/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Passes everything: the client's end of a veth pair needs some XDP program to receive what the
 * other end sends by XDP_TX, jumbo frames too. Must never look at a packet.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char xfn_license[] SEC("license") = "Dual BSD/GPL";

SEC("xdp.frags") int xfn_pass(__attribute__((unused)) struct xdp_md *ctx)
{
	return XDP_PASS;
}
