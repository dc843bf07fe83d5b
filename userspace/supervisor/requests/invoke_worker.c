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
#include "../../../skel/error.h"
#include "../../host/now.h"
#include "../supervisor_inside.h"

#define WORKER_MS 4000 /* below XFN_CONTROL_SECONDS: who asks is told */

static struct xfn_worker_process *worker_for(struct xfn_supervisor *sup, unsigned slot)
{
	bool socket = sup->functions[slot].tier == XFN_TIER_SOCKET;

	for (unsigned i = 0; i < sup->worker_count; i++)
		if (sup->workers[i].state == XFN_WORKER_READY &&
		    !strcmp(sup->workers[i].engine, "afxdp") != socket)
			return &sup->workers[i];
	return NULL;
}

int xfn_invoke__ask(struct xfn_supervisor *sup, unsigned slot, const uint8_t *payload, uint32_t len,
		    uint32_t repeat, struct xfn_error *err)
{
	const struct xfn_deployed *fn = &sup->functions[slot];
	struct xfn_worker_process *worker = worker_for(sup, slot);
	struct xfn_message msg = { .type = XFN_MESSAGE_INVOKE,
				   .version = XFN_WORKER_PROTOCOL_VERSION };
	struct xfn_pending *p = &sup->pending[sup->pending_count];
	int memfd, ret = 0;

	if (!worker)
		return xfn_fail(err, -ECHILD, "%s: no worker serves it now; `xfn stat` lists them",
				fn->mod->attr.name);
	if (sup->pending_count == XFN_PENDING)
		return xfn_fail(err, -EBUSY, "%s: %d invocations are under way; try again later",
				fn->mod->attr.name, XFN_PENDING);
	memfd = memfd_create("xfn-invoke", MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, XFN_INVOKE_MAX) ||
	    pwrite(memfd, payload, len, 0) != (ssize_t)len)
		ret = -errno;
	msg.invoke.slot = slot;
	msg.invoke.len = len;
	msg.invoke.repeat = repeat;
	ret = ret ?: xfn_message__send(worker->sock, &msg, memfd);
	if (ret) {
		xfn_error__set(err, "%s: its worker cannot be asked: %s; try again",
			       fn->mod->attr.name, strerror(-ret));
		if (memfd >= 0)
			close(memfd);
		return ret;
	}
	*p = (struct xfn_pending){ .ticket = xfn_control__later(sup->control),
				   .until_ms = xfn_now_ms() + WORKER_MS,
				   .worker = worker,
				   .pid = worker->pid,
				   .memfd = memfd,
				   .tier = fn->tier };
	memcpy(p->name, fn->mod->attr.name, sizeof(p->name));
	sup->pending_count++;
	worker->asked++;
	xfn_page_check__invoked(worker, repeat ?: 1);
	return 0;
}

/* Forget it: it is answered. */
static void drop(struct xfn_supervisor *sup, struct xfn_pending *p)
{
	size_t after = sup->pending_count - 1 - (size_t)(p - sup->pending);

	close(p->memfd);
	memmove(p, p + 1, after * sizeof(*p));
	sup->pending_count--;
}

void xfn_invoke__done(struct xfn_supervisor *sup, const struct xfn_worker_process *worker,
		      const struct xfn_message *msg)
{
	uint8_t *reply = malloc(XFN_INVOKE_MAX);
	struct xfn_pending *p = sup->pending;
	uint32_t len = msg->invoked.replied ? msg->invoked.len : 0;
	const char *action = msg->invoked.replied ? "reply" :
			     msg->invoked.reason  ? "drop" :
						    "consume";
	json_t *data = NULL;

	while (p < sup->pending + sup->pending_count &&
	       (p->worker != worker || p->pid != worker->pid))
		p++;
	if (p < sup->pending + sup->pending_count) {
		if (reply && len <= XFN_INVOKE_MAX &&
		    pread(p->memfd, reply, len, 0) == (ssize_t)len)
			data = xfn_invoke__data(p->tier, action, msg->invoked.reason, reply, len,
						msg->invoked.ns);
		xfn_control__answer(sup->control, p->ticket, data,
				    "the worker's reply cannot be read; try again");
		drop(sup, p);
	}
	free(reply);
}

int xfn_invoke__watch(struct xfn_supervisor *sup)
{
	struct xfn_error err;
	uint64_t now = xfn_now_ms();
	int next = -1;

	for (unsigned i = 0; i < sup->pending_count; i++) {
		struct xfn_pending *p = &sup->pending[i];

		if (p->worker->state != XFN_WORKER_READY || p->worker->pid != p->pid) {
			xfn_error__set(
				&err,
				"%s: its worker ended before it answered; what `xfn run` printed "
				"says why",
				p->name);
			xfn_control__answer(sup->control, p->ticket, NULL, err.line);
			drop(sup, p);
			i--;
		} else if (p->ticket && now >= p->until_ms) {
			xfn_error__set(
				&err,
				"%s: its worker does not answer within %d s; does it return? see "
				"`xfn stat`",
				p->name, WORKER_MS / 1000);
			xfn_control__answer(sup->control, p->ticket, NULL, err.line);
			p->ticket = 0; /* the worker's answer is still to come */
		} else if (p->ticket && (next < 0 || (int)(p->until_ms - now) < next)) {
			next = (int)(p->until_ms - now);
		}
	}
	return next;
}
