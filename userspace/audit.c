// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where the frames of the workers are, asked of each. Changes nothing. */
#include <poll.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "log.h"
#include "supervisor_inside.h"

#define WORKER_MS 1000 /* an idle one looks at its messages ten times a second */

static bool owns_frames(const struct xfn_child *child)
{
	return child->state == XFN_CHILD_READY && xfn_engine_find(child->engine)->audit;
}

static json_t *answer(const struct xfn_child *child)
{
	struct pollfd wait = { .fd = child->sock, .events = POLLIN };
	const struct xfn_engine_audit *a;
	struct xfn_handover msg;
	int fd, ret;

	if (poll(&wait, 1, WORKER_MS) != 1)
		return NULL;
	ret = xfn_handover__recv(child->sock, &msg, &fd);
	if (fd >= 0)
		close(fd);
	if (ret == 1 && msg.type == XFN_HO_FAILED)
		xfn_log__line(LOG_ERR, "worker of engine %s, queue %u: %.*s", child->engine,
			      child->queue, (int)sizeof(msg.failed.text), msg.failed.text);
	if (ret != 1 || msg.type != XFN_HO_AUDITED)
		return NULL;
	a = &msg.audited;
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "pid", (int)child->pid,
			 "queue", (int)child->queue, "frames_total", (int)a->total, "frames_free",
			 (int)a->free, "frames_filling", (int)a->filling, "frames_lent",
			 (int)a->lent, "frames_sending", (int)a->sending, "frames_held",
			 (int)a->held, "frames_lost", (int)a->lost);
}

json_t *xfn_audit(struct xfn_supervisor *sup)
{
	const struct xfn_handover ask = { .type = XFN_HO_AUDIT, .version = XFN_HANDOVER_VERSION };
	json_t *list = json_array();
	bool asked[XFN_CHILDREN];

	/* all are asked before any is waited for */
	for (unsigned i = 0; i < sup->child_count; i++)
		asked[i] = owns_frames(&sup->children[i]) &&
			   !xfn_handover__send(sup->children[i].sock, &ask, -1);
	for (unsigned i = 0; i < sup->child_count; i++)
		if (asked[i])
			json_array_append_new(list, answer(&sup->children[i]) ?: json_null());
	return list;
}
