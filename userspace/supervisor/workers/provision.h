/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a worker is made with and given. For this room only. */
#ifndef XFN_PROVISION_H
#define XFN_PROVISION_H

#include "workers.h"

/* resources.c */
/* Pages, rings and CPUs for a worker that is to start. 0 or -errno; err may tell. */
int xfn_provision__make(struct xfn_workers *workers, struct xfn_worker_process *worker,
			struct xfn_error *err);
/* Bind its sockets to their queue: frames come from then on. -EBUSY: not yet. Else as above. */
int xfn_provision__bind(struct xfn_workers *workers, struct xfn_worker_process *worker,
			struct xfn_error *err);
/* Close its rings. */
void xfn_provision__drop(struct xfn_workers *workers, struct xfn_worker_process *worker);
/* Warn about any thread that could not be pinned; .cpu has its real CPU from now on. */
void xfn_provision__check_pinned(struct xfn_worker_process *worker);

/* provision.c */
/* Write down all that a worker needs, to be sent as it takes it. 0 or -errno. */
int xfn_provision__send(const struct xfn_workers *workers, struct xfn_worker_process *worker);
/*
 * A message that a worker must not miss. 0 or -errno; one that has not read those before, and has
 * no room for another, is ended: the next begins with things as they are.
 */
int xfn_workers__command(struct xfn_worker_process *worker, const struct xfn_message *msg);
/* Tell it which of its threads serve. 0 or -errno. */
int xfn_workers__send_active(struct xfn_worker_process *worker);

#endif
