// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Verb `ls`: what is served, in which tier and why. */
#include "requests_inside.h"
#include "verbs.h"

static json_t *encode(struct xfn_requests *requests, const void *request)
{
	(void)request;
	return xfn_stats__functions(requests);
}

const struct xfn_verb_ops xfn_verb_ops_ls = { .encode = encode };
