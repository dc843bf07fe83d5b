// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Verb `stat`: what was counted; with an audit, where the frames of the workers are. */
#include <errno.h>
#include "requests_inside.h"
#include "verbs.h"

struct stat_request {
	bool audit;
	json_t *data; /* with an audit that nobody needs to be waited for */
};

static const struct xfn_argument arguments[] = {
	{ "audit", XFN_ARGUMENT_FLAG, offsetof(struct stat_request, audit),
	  .what = "audit to be true or false", .next = "`xfn stat -v` asks for one" },
	{}
};

static int call(struct xfn_requests *requests, void *request, struct xfn_error *err)
{
	struct stat_request *r = request;

	if (!r->audit)
		return 0;
	r->data = xfn_audit(requests, xfn_stats__counters(requests), err);
	if (r->data)
		return 0;
	return err->line[0] ? -EBUSY : XFN_VERB_LATER;
}

static json_t *encode(struct xfn_requests *requests, const void *request)
{
	const struct stat_request *r = request;

	return r->data ?: xfn_stats__counters(requests);
}

const struct xfn_verb_ops xfn_verb_ops_stat = { sizeof(struct stat_request), arguments, call,
						encode };
