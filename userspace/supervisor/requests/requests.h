/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is asked over the control socket. struct xfn_requests is this room's own: requests that wait
 * for a worker's answer. It reads all other owners, and calls them for verbs that change something.
 */
#ifndef XFN_REQUESTS_H
#define XFN_REQUESTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "../owners.h"
#include "../../../skel/error.h"
#include "../../host/events.h"
#include "../attachment/attachment.h"
#include "../functions/functions.h"
#include "../ingress/ingress.h"
#include "../interface/interface_state.h"
#include "../options.h"
#include "../workers/workers.h"

struct xfn_requests;

/* What only the supervisor above can tell or do; all must be there. */
struct xfn_requests_host {
	void *ctx;
	/* "serving", "starting", "down", "gone" or "failed", and a sentence; "" while all is well. */
	const char *(*state)(void *ctx, char *text, size_t len);
	bool (*serving)(void *ctx);
	bool (*starting)(void *ctx); /* workers are being made */
	void (*renew_workers)(void *ctx);
};

/* What requests ask; all stay the caller's. */
struct xfn_requests_parts {
	struct xfn_owners of;
	struct xfn_workers *workers;
	struct xfn_requests_host host;
};

/* Listen on the control socket of the interface. 0, or -errno with one line in err: -EADDRINUSE, an
 * xfn serves this interface already. The caller closes. */
int xfn_requests__open(const struct xfn_requests_parts *parts, struct xfn_requests **out,
		       struct xfn_error *err);
/* Those that wait are not answered any more; removes the socket. Safe on NULL. */
void xfn_requests__close(struct xfn_requests *requests);

/* The message INVOKED or AUDITED of `worker`. */
void xfn_requests__message(struct xfn_requests *requests, const struct xfn_worker_process *worker,
			   const struct xfn_message *msg);
/* Workers have changed: answer what waited for those that ended. */
void xfn_requests__check(struct xfn_requests *requests);
/* What `ls` answers: also the ready message. A new reference. */
json_t *xfn_requests__served(const struct xfn_requests *requests);

#endif
