/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside requests/: what its files share. No other room includes this. */
#ifndef XFN_REQUESTS_INSIDE_H
#define XFN_REQUESTS_INSIDE_H

#include "../../control/control.h"
#include "requests.h"

#define XFN_PENDING 32 /* invocations under way */
#define XFN_AUDITS  XFN_CONTROL_CLIENTS

/* An invocation that a worker has under way. */
struct xfn_pending {
	uint64_t ticket; /* of the control socket; 0: it was told that this takes too long */
	uint64_t until_ms;
	const struct xfn_worker_process *worker;
	pid_t pid; /* of that worker: another one knows nothing of it */
	int memfd;
	int tier;
	char name[XFN_NAME_MAX + 1];
};

/* A request that waits for workers to tell of their frames. */
struct xfn_audit {
	uint64_t ticket; /* of the control socket */
	uint64_t until_ms;
	json_t *data; /* owned */
};

struct xfn_requests {
	struct xfn_owners of;
	struct xfn_workers *workers;
	struct xfn_requests_host host;

	struct xfn_control_server *control;

	/* invoke_worker.c */
	struct xfn_pending pending[XFN_PENDING]; /* in the order of asking */
	unsigned pending_count;
	struct xfn_timer pending_late;

	/* audit.c */
	struct xfn_audit audits[XFN_AUDITS];
	unsigned audit_count;
	struct xfn_timer audit_late;
};

/* stats.c */
json_t *xfn_stats__functions(const struct xfn_requests *requests); /* data of `ls` */
json_t *xfn_stats__counters(const struct xfn_requests *requests);  /* data of `stat` */

/*
 * audit.c: where the frames of each worker are; frames_lost is null where one does not answer.
 */
/* Ask them, for the request that is being handled: adds that to its `data`, which is taken. A new
 * reference, or NULL with err filled; "": it is answered later. */
json_t *xfn_audit(struct xfn_requests *requests, json_t *data, struct xfn_error *err);
/* The message AUDITED of `worker`. */
void xfn_audit__done(struct xfn_requests *requests, const struct xfn_worker_process *worker,
		     const struct xfn_message *msg);
/* Workers have changed: answer what is complete. Who waits too long is answered by itself. */
void xfn_audit__check(struct xfn_requests *requests);
void xfn_audit__close(struct xfn_requests *requests);

/* invoke_data.c: what is answered. A new reference, NULL: out of memory. */
json_t *xfn_invoke__data(int tier, const char *action, unsigned reason, const uint8_t *reply,
			 uint32_t len, uint32_t ns);

/* invoke_worker.c */
/* Ask the worker of `slot`, for the request that is being handled. 0, or -errno with err. */
int xfn_invoke__ask(struct xfn_requests *requests, unsigned slot, const uint8_t *payload,
		    uint32_t len, uint32_t repeat, struct xfn_error *err);
/* The message INVOKED of `worker`. */
void xfn_invoke__done(struct xfn_requests *requests, const struct xfn_worker_process *worker,
		      const struct xfn_message *msg);
/* Workers have changed: answer for those that ended. Who waits too long is answered by itself. */
void xfn_invoke__check(struct xfn_requests *requests);
void xfn_invoke__close(struct xfn_requests *requests);

#endif
