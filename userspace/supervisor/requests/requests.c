// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The owner of requests that wait, and the control socket by which they come. */
#include <errno.h>
#include <stdlib.h>
#include "requests_inside.h"
#include "verbs.h"

int xfn_requests__open(const struct xfn_requests_parts *parts, struct xfn_requests **out,
		       struct xfn_error *err)
{
	struct xfn_requests *requests = calloc(1, sizeof(*requests));
	const char *name = parts->of.opts->ifname ? parts->of.interface->iface.name : NULL;
	int ret;

	*out = NULL;
	if (!requests)
		return xfn_fail(err, -ENOMEM, "out of memory");
	requests->of = parts->of;
	requests->workers = parts->workers;
	requests->host = parts->host;
	ret = xfn_control__listen(parts->of.loop, name, xfn_verbs__answer, requests,
				  &requests->control, err);
	if (ret)
		free(requests);
	else
		*out = requests;
	return ret;
}

void xfn_requests__close(struct xfn_requests *requests)
{
	if (!requests)
		return;
	xfn_audit__close(requests);
	xfn_invoke__close(requests);
	xfn_control__close(requests->control);
	free(requests);
}

void xfn_requests__message(struct xfn_requests *requests, const struct xfn_worker_process *worker,
			   const struct xfn_message *msg)
{
	if (msg->type == XFN_MESSAGE_INVOKED)
		xfn_invoke__done(requests, worker, msg);
	else
		xfn_audit__done(requests, worker, msg);
}

void xfn_requests__check(struct xfn_requests *requests)
{
	xfn_invoke__check(requests);
	xfn_audit__check(requests);
}

json_t *xfn_requests__served(const struct xfn_requests *requests)
{
	return xfn_stats__functions(requests);
}
