// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The sockets of an engine that reads them by system calls: which may have something, and whose
 * turn it is. Must never know how datagrams move. poll(2). */
#include <stdlib.h>
#include "../../skel/error.h"
#include "udp.h"

#define BATCHES_PER_LOOK                                                                           \
	4 /* of what is known to be there, until the others are looked at again                    \
	   */

int xfn_udp_turns__open(struct xfn_udp_turns *t, const struct xfn_engine_config *cfg,
			struct xfn_error *err)
{
	int ret = 0;

	t->count = cfg->socket_count;
	t->sockets = calloc(t->count, sizeof(*t->sockets));
	t->polls = calloc(t->count, sizeof(*t->polls));
	if (!t->sockets || !t->polls)
		return xfn_fail(err, -ENOMEM, "no memory for %u sockets; serve fewer", t->count);
	for (unsigned i = 0; !ret && i < t->count; i++) {
		t->sockets[i] = cfg->sockets[i];
		t->polls[i] = (struct pollfd){ .fd = cfg->sockets[i].fd, .events = POLLIN };
		ret = xfn_udp_prepare(t->polls[i].fd, err);
	}
	return ret;
}

void xfn_udp_turns__close(struct xfn_udp_turns *t)
{
	free(t->sockets);
	free(t->polls);
}

int xfn_udp_turns__wait(struct xfn_udp_turns *t, int timeout_ms)
{
	int n = poll(t->polls, t->count, timeout_ms);

	t->waits++;
	t->since = 0;
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	t->ready = (unsigned)n;
	for (unsigned i = 0; n && i < t->count; i++)
		if (t->polls[i].revents & POLLNVAL)
			t->lost = -EBADF;
	return t->lost;
}

int xfn_udp_turns__begin(struct xfn_udp_turns *t)
{
	/* one that always has something must not hide the others */
	if (t->ready && (t->count == 1 || t->since < BATCHES_PER_LOOK * XFN_BATCH))
		return t->lost;
	return xfn_udp_turns__wait(t, 0);
}

unsigned xfn_udp_turns__next(struct xfn_udp_turns *t)
{
	do
		t->next = t->next + 1 < t->count ? t->next + 1 : 0;
	while (!t->polls[t->next].revents);
	return t->next;
}

void xfn_udp_turns__took(struct xfn_udp_turns *t, unsigned socket, int got, int wanted)
{
	t->since += got > 0 ? (unsigned)got : 1;
	if (got < 0 && xfn_udp_lost(errno))
		t->lost = -errno;
	/* an ICMP error took the place of datagrams that may wait behind it: look again */
	if (t->polls[socket].revents && got < wanted && (got >= 0 || errno == EAGAIN || t->lost)) {
		t->polls[socket].revents = 0;
		t->ready--;
	}
}
