/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the generator and the bare server set up AF_XDP: alike, so that they are comparable. */
#ifndef XFN_AFXDP_CONFIG_H
#define XFN_AFXDP_CONFIG_H

#include <linux/if_link.h>
#include <xdp/xsk.h>

#define BENCH_UMEM_CONFIG(ring, size)                                                              \
	{                                                                                          \
		.fill_size = (ring), .comp_size = (ring), .frame_size = (size)                     \
	}
#define BENCH_SOCKET_CONFIG(ring)                                                                  \
	{                                                                                          \
		.rx_size = (ring), .tx_size = (ring),                                              \
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,                               \
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP                                       \
	}

#endif
