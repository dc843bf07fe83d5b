// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is said of workers: their names, and why one does not serve. Changes nothing. */
#include <stdio.h>
#include "../../../skel/error.h"
#include "../../host/now.h"
#include "../supervisor_inside.h"

const char *xfn_child__who(const struct xfn_child *child, char who[XFN_WHO])
{
	snprintf(who, XFN_WHO, "worker of engine %s, queue %u", child->engine, child->queue);
	return who;
}

const char *xfn_child__state(const struct xfn_child *child, char *text, size_t len)
{
	uint64_t now = xfn_now_ns(), due = child->restart_at_ns;
	unsigned wait_ms = due > now ? (unsigned)((due - now) / 1000000) : 0;

	text[0] = '\0';
	switch (child->state) {
	case XFN_CHILD_READY:
		return "serving";
	case XFN_CHILD_LEAVING:
		snprintf(text, len, "is being ended%s%s", child->error.line[0] ? ": " : "",
			 child->error.line);
		return "ending";
	case XFN_CHILD_DEAD:
		snprintf(text, len, "%s%s; tried again in %u ms",
			 child->error.line[0] ? "cannot start: " : "has ended", child->error.line,
			 wait_ms);
		return "waiting";
	default:
		snprintf(text, len, "starts%s%s%s", child->error.line[0] ? " (" : "",
			 child->error.line, child->error.line[0] ? ")" : "");
		return "starting";
	}
}

const char *xfn_children__state(const struct xfn_supervisor *sup, const struct xfn_deployed *fn,
				char *text, size_t len)
{
	char who[XFN_WHO], why[300];
	const char *state;

	text[0] = '\0';
	for (unsigned i = 0; i < sup->child_count; i++) {
		const struct xfn_child *child = &sup->children[i];

		/* the kernel goes on answering, whatever its slow path does */
		if (fn->tier == XFN_TIER_XDP ||
		    (fn->tier == XFN_TIER_AFXDP) != xfn_child_by_afxdp(child))
			continue;
		state = xfn_child__state(child, why, sizeof(why));
		if (child->state == XFN_CHILD_READY)
			continue;
		snprintf(text, len, "%s %s", xfn_child__who(child, who), why);
		return state;
	}
	return "serving";
}
