// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where the frames of the workers are, asked of each. A worker may take its time, or not answer:
 * nobody else waits for it. Changes nothing.
 */
#include <stdio.h>
#include <string.h>
#include "../../host/now.h"
#include "../../engine/engine.h"
#include "requests_inside.h"

/* For all together. An idle worker looks ten times a second, one under a flood of costly requests
 * not every second; who asked us waits five. */
#define WORKERS_MS 3000

static bool owns_frames(const struct xfn_worker_process *worker)
{
	return worker->state == XFN_WORKER_READY && xfn_engine_find(worker->engine)->audit;
}

/* Nothing is known yet of a row whose frames_lost is null. */
static bool waits_for(json_t *row, const struct xfn_worker_process *worker)
{
	return worker->state == XFN_WORKER_READY &&
	       json_integer_value(json_object_get(row, "pid")) == worker->pid &&
	       json_is_null(json_object_get(row, "frames_lost"));
}

/* More frames than it was given a worker cannot have, nor fewer. */
static bool can_be(const struct xfn_worker_process *worker, const struct xfn_engine_audit *a)
{
#define FIGURE(type, name, sentence) a->name,
	const int64_t parts[] = { XFN_ENGINE_FRAMES(FIGURE) };
#undef FIGURE
	int64_t total =
		worker->has_umem ? (int64_t)(worker->umem.len / worker->umem.frame_size) : 0;

	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i] > total || parts[i] < -total)
			return false;
	return a->total == total;
}

static void fill(json_t *row, const struct xfn_engine_audit *a)
{
	json_object_del(row, "frames_lost");
#define SET(type, name, sentence) json_object_set_new(row, "frames_" #name, json_integer(a->name));
	XFN_ENGINE_FRAMES(SET)
#undef SET
}

static void on_late(void *ctx)
{
	xfn_audit__check(ctx);
}

json_t *xfn_audit(struct xfn_requests *requests, json_t *data, struct xfn_error *err)
{
	const struct xfn_message ask = { .type = XFN_MESSAGE_AUDIT,
					 .version = XFN_WORKER_PROTOCOL_VERSION };
	json_t *rows = json_array();
	bool asked = false;

	if (requests->audit_count == XFN_AUDITS) {
		xfn_error__set(err, "%d audits are under way; try again later", XFN_AUDITS);
		json_decref(rows);
		json_decref(data);
		return NULL;
	}
	for (unsigned i = 0; i < xfn_workers__count(requests->workers); i++) {
		const struct xfn_worker_process *worker = xfn_workers__at(requests->workers, i);

		if (!owns_frames(worker))
			continue;
		asked |= !xfn_workers__ask(worker, &ask, -1);
		json_array_append_new(rows, json_pack("{s:i, s:i, s:n}", "pid", (int)worker->pid,
						      "queue", (int)worker->queue, "frames_lost"));
	}
	json_object_set_new(data, "frames", rows);
	if (!asked)
		return data;
	requests->audits[requests->audit_count++] =
		(struct xfn_audit){ .ticket = xfn_control__later(requests->control),
				    .until_ms = xfn_now_ms() + WORKERS_MS,
				    .data = data };
	xfn_events__after(requests->loop, &requests->audit_late, 0, on_late, requests);
	return NULL;
}

/* Is there a worker whose answer may still come? */
static bool waits(const struct xfn_requests *requests, const struct xfn_audit *audit)
{
	json_t *rows = json_object_get(audit->data, "frames"), *row;
	size_t i;

	json_array_foreach(rows, i, row)
		for (unsigned c = 0; c < xfn_workers__count(requests->workers); c++)
			if (waits_for(row, xfn_workers__at(requests->workers, c)))
				return true;
	return false;
}

/* Whoever asked meanwhile is told the same: workers do not say to whom they answer. */
void xfn_audit__done(struct xfn_requests *requests, const struct xfn_worker_process *worker,
		     const struct xfn_message *msg)
{
	json_t *row;
	size_t i;

	if (!can_be(worker, &msg->audited))
		return;
	for (unsigned a = 0; a < requests->audit_count; a++)
		json_array_foreach(json_object_get(requests->audits[a].data, "frames"), i, row)
			if (waits_for(row, worker))
				fill(row, &msg->audited);
}

void xfn_audit__check(struct xfn_requests *requests)
{
	uint64_t now = xfn_now_ms();
	int next = -1;

	for (unsigned i = 0; i < requests->audit_count; i++) {
		struct xfn_audit audit = requests->audits[i];

		if (now < audit.until_ms && waits(requests, &audit)) {
			if (next < 0 || (int)(audit.until_ms - now) < next)
				next = (int)(audit.until_ms - now);
			continue;
		}
		requests->audits[i--] = requests->audits[--requests->audit_count];
		xfn_control__answer(requests->control, audit.ticket, audit.data, NULL);
	}
	xfn_events__stop(&requests->audit_late);
	if (next >= 0)
		xfn_events__after(requests->loop, &requests->audit_late, (unsigned)next, on_late,
				  requests);
}

void xfn_audit__close(struct xfn_requests *requests)
{
	xfn_events__stop(&requests->audit_late);
	while (requests->audit_count)
		json_decref(requests->audits[--requests->audit_count].data);
}
