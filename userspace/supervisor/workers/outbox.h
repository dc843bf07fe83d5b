/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Messages to a worker in their order, sent as it takes them: its socket's buffer is full while it
 * loads modules. Must never wait, and must never know what the messages mean.
 */
#ifndef XFN_OUTBOX_H
#define XFN_OUTBOX_H

#include <stdbool.h>
#include "../../protocol/worker_protocol.h"

struct xfn_letter {
	struct xfn_message msg;
	int fd; /* the caller's, open until the message is sent; -1: none */
};

struct xfn_outbox {
	struct xfn_letter *letters;
	unsigned count, room, sent;
};

/* Add a message at the end. 0 or -ENOMEM. */
int xfn_outbox__put(struct xfn_outbox *box, const struct xfn_message *msg, int fd);
/* Send what the socket takes. 0: all is sent; -EAGAIN: the rest when it polls writable; -errno. */
int xfn_outbox__send(struct xfn_outbox *box, int sock);
void xfn_outbox__empty(struct xfn_outbox *box); /* forget what was not sent */

static inline bool xfn_outbox__waits(const struct xfn_outbox *box)
{
	return box->sent < box->count;
}

#endif
