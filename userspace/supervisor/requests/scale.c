// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Verb `scale`: more workers or fewer, of a queue or of a function. workers/pools.c does it. */
#include "../workers/pools.h"
#include "requests_inside.h"
#include "verbs.h"

struct scale_request {
	const char *name; /* NULL: the workers that all functions share */
	int queue;	  /* -1: every one */
	int workers;
};

static const struct xfn_argument arguments[] = {
	{ "name", XFN_ARGUMENT_TEXT, offsetof(struct scale_request, name),
	  .what = "the name of a function", .next = "leave it out for the workers of a queue" },
	{ "queue", XFN_ARGUMENT_NUMBER, offsetof(struct scale_request, queue), .absent = -1,
	  .max = XFN_QUEUES - 1, .what = "a queue", .next = "leave it out for all of them" },
	{ "workers", XFN_ARGUMENT_NUMBER, offsetof(struct scale_request, workers), .required = true,
	  .max = XFN_THREADS, .what = "a number of workers",
	  .next = "`xfn stat` tells of those now" },
	{}
};

static int call(struct xfn_requests *requests, void *request, struct xfn_error *err)
{
	const struct scale_request *r = request;

	return xfn_pools__scale(requests->workers, r->name, r->queue, (unsigned)r->workers, err);
}

static json_t *encode(struct xfn_requests *requests, const void *request)
{
	const struct scale_request *r = request;

	(void)requests;
	return json_pack("{s:s?, s:o, s:i}", "name", r->name, "queue",
			 r->queue < 0 ? json_null() : json_integer(r->queue), "workers",
			 r->workers);
}

const struct xfn_verb_ops xfn_verb_ops_scale = { sizeof(struct scale_request), arguments, call,
						 encode };
