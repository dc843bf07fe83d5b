// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Verb `release`: let a function run again that is in quarantine or set aside. workers/quarantine.c
 * does it. */
#include "../workers/quarantine.h"
#include "requests_inside.h"
#include "verbs.h"

struct release_request {
	const char *name;
};

static const struct xfn_argument arguments[] = {
	{ "name", XFN_ARGUMENT_TEXT, offsetof(struct release_request, name), .required = true,
	  .what = "the name of a function", .next = "`xfn ls` lists them" },
	{}
};

static int call(struct xfn_requests *requests, void *request, struct xfn_error *err)
{
	const struct release_request *r = request;

	int ret = xfn_quarantine__release(requests->workers, r->name,
					  requests->host.starting(requests->host.ctx), err);

	/* by new workers: how that went, the log and `xfn ls` tell */
	if (ret == 1 && requests->host.serving(requests->host.ctx))
		requests->host.renew_workers(requests->host.ctx);
	return ret < 0 ? ret : 0;
}

static json_t *encode(struct xfn_requests *requests, const void *request)
{
	const struct release_request *r = request;

	(void)requests;
	return json_pack("{s:s, s:b}", "name", r->name, "released", 1);
}

const struct xfn_verb_ops xfn_verb_ops_release = { sizeof(struct release_request), arguments, call,
						   encode };
