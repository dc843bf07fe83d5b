/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The request that timing.bpf.c puts back. Only __uNN types; must never include anything. */
#ifndef XFN_TIMING_H
#define XFN_TIMING_H

#define XFN_TIMING_MAX 2048

struct xfn_timing_frame {
	__u64 len; /* 1 to XFN_TIMING_MAX */
	__u8 frame[XFN_TIMING_MAX];
};

#endif
