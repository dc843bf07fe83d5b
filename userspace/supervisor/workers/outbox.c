// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Messages to a worker in their order, sent as it takes them. Must never wait. */
#include <errno.h>
#include <stdlib.h>
#include "outbox.h"

int xfn_outbox__put(struct xfn_outbox *box, const struct xfn_message *msg, int fd)
{
	if (box->count == box->room) {
		unsigned room = box->room ? 2 * box->room : 16;
		struct xfn_letter *all = reallocarray(box->letters, room, sizeof(*all));

		if (!all)
			return -ENOMEM;
		box->letters = all;
		box->room = room;
	}
	box->letters[box->count++] = (struct xfn_letter){ .msg = *msg, .fd = fd };
	return 0;
}

int xfn_outbox__send(struct xfn_outbox *box, int sock)
{
	while (box->sent < box->count) {
		const struct xfn_letter *next = &box->letters[box->sent];
		int ret = xfn_message__send(sock, &next->msg, next->fd);

		if (ret)
			return ret;
		box->sent++;
	}
	xfn_outbox__empty(box);
	return 0;
}

void xfn_outbox__empty(struct xfn_outbox *box)
{
	free(box->letters);
	*box = (struct xfn_outbox){};
}
