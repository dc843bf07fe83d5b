// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Requests on purpose that a worker answers. The worker may take its time, or never return: nobody
 * else waits for it. A worker answers in the order in which it was asked. Runs no function.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../../host/now.h"
#include "../workers/page_check.h"
#include "requests_inside.h"

#define WORKER_MS 4000 /* below XFN_CONTROL_SECONDS: who asks is told */

static const struct xfn_worker_process *worker_for(struct xfn_requests *requests, unsigned slot)
{
	bool socket = xfn_functions__at(requests->of.functions, slot)->tier == XFN_TIER_SOCKET;

	for (unsigned i = 0; i < xfn_workers__count(requests->workers); i++)
		if (xfn_workers__at(requests->workers, i)->state == XFN_WORKER_READY &&
		    !strcmp(xfn_workers__at(requests->workers, i)->engine, "afxdp") != socket)
			return xfn_workers__at(requests->workers, i);
	return NULL;
}

static void on_late(void *ctx)
{
	xfn_invoke__check(ctx);
}

int xfn_invoke__ask(struct xfn_requests *requests, unsigned slot, const uint8_t *payload,
		    uint32_t len, uint32_t repeat, struct xfn_error *err)
{
	const struct xfn_deployed *fn = xfn_functions__at(requests->of.functions, slot);
	const struct xfn_worker_process *worker = worker_for(requests, slot);
	struct xfn_message msg = { .type = XFN_MESSAGE_INVOKE,
				   .version = XFN_WORKER_PROTOCOL_VERSION };
	struct xfn_pending *p = &requests->pending[requests->pending_count];
	int memfd, ret = 0;

	if (!worker)
		return xfn_fail(err, -ECHILD, "%s: no worker serves it now; `xfn stat` lists them",
				fn->mod->attr.name);
	if (requests->pending_count == XFN_PENDING)
		return xfn_fail(err, -EBUSY, "%s: %d invocations are under way; try again later",
				fn->mod->attr.name, XFN_PENDING);
	memfd = memfd_create("xfn-invoke", MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, XFN_INVOKE_MAX) ||
	    pwrite(memfd, payload, len, 0) != (ssize_t)len)
		ret = -errno;
	msg.invoke.slot = slot;
	msg.invoke.len = len;
	msg.invoke.repeat = repeat;
	ret = ret ?: xfn_workers__ask(worker, &msg, memfd);
	if (ret) {
		xfn_error__set(err, "%s: its worker cannot be asked: %s; try again",
			       fn->mod->attr.name, strerror(-ret));
		if (memfd >= 0)
			close(memfd);
		return ret;
	}
	*p = (struct xfn_pending){ .ticket = xfn_control__later(requests->control),
				   .until_ms = xfn_now_ms() + WORKER_MS,
				   .worker = worker,
				   .pid = worker->pid,
				   .memfd = memfd,
				   .tier = fn->tier };
	memcpy(p->name, fn->mod->attr.name, sizeof(p->name));
	requests->pending_count++;
	xfn_page_check__invoked(worker, repeat ?: 1);
	xfn_events__after(requests->of.loop, &requests->pending_late, 0, on_late, requests);
	return 0;
}

/* Forget it: it is answered. */
static void drop(struct xfn_requests *requests, struct xfn_pending *p)
{
	size_t after = requests->pending_count - 1 - (size_t)(p - requests->pending);

	close(p->memfd);
	memmove(p, p + 1, after * sizeof(*p));
	requests->pending_count--;
}

void xfn_invoke__done(struct xfn_requests *requests, const struct xfn_worker_process *worker,
		      const struct xfn_message *msg)
{
	uint8_t *reply = malloc(XFN_INVOKE_MAX);
	struct xfn_pending *p = requests->pending;
	uint32_t len = msg->invoked.replied ? msg->invoked.len : 0;
	const char *action = msg->invoked.replied ? "reply" :
			     msg->invoked.reason  ? "drop" :
						    "consume";
	json_t *data = NULL;

	while (p < requests->pending + requests->pending_count &&
	       (p->worker != worker || p->pid != worker->pid))
		p++;
	if (p < requests->pending + requests->pending_count) {
		if (reply && len <= XFN_INVOKE_MAX &&
		    pread(p->memfd, reply, len, 0) == (ssize_t)len)
			data = xfn_invoke__data(p->tier, action, msg->invoked.reason, reply, len,
						msg->invoked.ns);
		xfn_control__answer(requests->control, p->ticket, data,
				    "the worker's reply cannot be read; try again");
		drop(requests, p);
	}
	free(reply);
}

void xfn_invoke__check(struct xfn_requests *requests)
{
	struct xfn_error err;
	uint64_t now = xfn_now_ms();
	int next = -1;

	for (unsigned i = 0; i < requests->pending_count; i++) {
		struct xfn_pending *p = &requests->pending[i];

		if (p->worker->state != XFN_WORKER_READY || p->worker->pid != p->pid) {
			xfn_error__set(
				&err,
				"%s: its worker ended before it answered; what `xfn run` printed "
				"says why",
				p->name);
			xfn_control__answer(requests->control, p->ticket, NULL, err.line);
			drop(requests, p);
			i--;
		} else if (p->ticket && now >= p->until_ms) {
			xfn_error__set(
				&err,
				"%s: its worker does not answer within %d s; does it return? see "
				"`xfn stat`",
				p->name, WORKER_MS / 1000);
			xfn_control__answer(requests->control, p->ticket, NULL, err.line);
			p->ticket = 0; /* the worker's answer is still to come */
		} else if (p->ticket && (next < 0 || (int)(p->until_ms - now) < next)) {
			next = (int)(p->until_ms - now);
		}
	}
	xfn_events__stop(&requests->pending_late);
	if (next >= 0)
		xfn_events__after(requests->of.loop, &requests->pending_late, (unsigned)next,
				  on_late, requests);
}

void xfn_invoke__close(struct xfn_requests *requests)
{
	xfn_events__stop(&requests->pending_late);
	while (requests->pending_count)
		drop(requests, requests->pending);
}
