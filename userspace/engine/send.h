/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whole frames out of an AF_PACKET socket that is bound to its interface, by sendmmsg(2): for
 * engine packet, and for AF_XDP sockets of a receive queue that has no transmit queue. The kernel
 * copies each frame and picks the transmit queue. Must never know of rings. packet(7).
 */
#ifndef XFN_ENGINE_SEND_H
#define XFN_ENGINE_SEND_H

#include <sys/socket.h>
#include "engine.h"

struct xfn_frame_sender {
	struct mmsghdr msgs[XFN_BATCH];
	struct iovec iovs[XFN_BATCH];
};

/*
 * Send those of `batch` that are to be sent, and count them as sent, or as send_failed where the
 * kernel refused. Never waits. No frame is needed any more when this returns.
 */
void xfn_frame_sender__send(struct xfn_frame_sender *sender, int fd,
			    const struct xfn_datagram *batch, unsigned count,
			    struct xfn_engine_stats *stats);

#endif
