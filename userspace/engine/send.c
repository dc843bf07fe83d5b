// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Frames out of an AF_PACKET socket (send.h). */
#include "send.h"

#include <errno.h>

void xfn_frame_sender__send(struct xfn_frame_sender *sender, int fd,
			    const struct xfn_datagram *batch, unsigned count,
			    struct xfn_engine_stats *stats)
{
	unsigned n = 0, done = 0;

	for (unsigned i = 0; i < count; i++) {
		if (!batch[i].send)
			continue;
		sender->iovs[n] = (struct iovec){ batch[i].data, batch[i].len };
		sender->msgs[n].msg_hdr =
			(struct msghdr){ .msg_iov = &sender->iovs[n], .msg_iovlen = 1 };
		n++;
	}
	/* Never waits: what the kernel refuses is lost, as on a full link. */
	while (done < n) {
		int sent = sendmmsg(fd, sender->msgs + done, n - done, MSG_DONTWAIT);

		if (sent > 0) {
			stats->sent += (unsigned)sent;
			done += (unsigned)sent;
		} else if (errno == EAGAIN || errno == ENETDOWN) {
			stats->send_failed += n - done;
			stats->stalls++;
			return;
		} else if (errno != EINTR) {
			stats->send_failed++; /* this one only: its size, or no room in a queue */
			done++;
		}
	}
}
