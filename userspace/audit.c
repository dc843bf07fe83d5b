// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where the frames of the workers are, asked of each. Changes nothing. */
#include <poll.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "log.h"
#include "now.h"
#include "supervisor_inside.h"

/* For all together. An idle worker looks ten times a second, one under a flood of costly requests
 * not every second; who asked us waits five. */
#define WORKERS_MS 3000

static bool owns_frames(const struct xfn_child *child)
{
	return child->state == XFN_CHILD_READY && xfn_engine_find(child->engine)->audit;
}

/* False: it did not answer in time, or ended. */
static bool answer(struct xfn_supervisor *sup, const struct xfn_child *child, int64_t until,
		   struct xfn_handover *msg)
{
	struct pollfd wait = { .fd = child->sock, .events = POLLIN };
	int fd, ret;

	do {
		int64_t left = until - (int64_t)xfn_now_ms();

		if (poll(&wait, 1, left > 0 ? (int)left : 0) != 1)
			return false;
		ret = xfn_handover__recv(child->sock, msg, &fd);
		if (fd >= 0)
			close(fd);
		/* asked before, by somebody else */
		if (ret == 1 && msg->type == XFN_HO_INVOKED)
			xfn_invoke__done(sup, child, msg);
	} while (ret == 1 && msg->type == XFN_HO_INVOKED);
	if (ret == 1 && msg->type == XFN_HO_FAILED)
		xfn_log__line(LOG_ERR, "worker of engine %s, queue %u: %.*s", child->engine,
			      child->queue, (int)sizeof(msg->failed.text), msg->failed.text);
	return ret == 1 && msg->type == XFN_HO_AUDITED;
}

static json_t *frames_of(const struct xfn_child *child, const struct xfn_engine_audit *a)
{
	json_t *row = json_pack("{s:i, s:i}", "pid", (int)child->pid, "queue", (int)child->queue);
	const struct {
		const char *name;
		int64_t value;
	} figures[] = {
		{ "frames_total", a->total },	  { "frames_free", a->free },
		{ "frames_filling", a->filling }, { "frames_lent", a->lent },
		{ "frames_sending", a->sending }, { "frames_held", a->held },
		{ "frames_lost", a->lost },
	};

	for (unsigned i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		json_object_set_new(row, figures[i].name, json_integer(figures[i].value));
	return row;
}

json_t *xfn_audit(struct xfn_supervisor *sup)
{
	const struct xfn_handover ask = { .type = XFN_HO_AUDIT, .version = XFN_HANDOVER_VERSION };
	json_t *list = json_array();
	int64_t until = (int64_t)xfn_now_ms() + WORKERS_MS;
	bool asked[XFN_CHILDREN];
	struct xfn_handover msg;

	/* all are asked before any is waited for */
	for (unsigned i = 0; i < sup->child_count; i++)
		asked[i] = owns_frames(&sup->children[i]) &&
			   !xfn_handover__send(sup->children[i].sock, &ask, -1);
	for (unsigned i = 0; i < sup->child_count; i++) {
		const struct xfn_child *child = &sup->children[i];

		if (!asked[i])
			continue;
		json_array_append_new(list,
				      answer(sup, child, until, &msg) ?
					      frames_of(child, &msg.audited) :
					      json_pack("{s:i, s:i, s:n}", "pid", (int)child->pid,
							"queue", (int)child->queue, "frames_lost"));
	}
	return list;
}
