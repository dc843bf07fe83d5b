// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* When a request leaves, which flow takes it, and what a reply means (loop.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../../skel/error.h"
#include "../../xdp/units.h"
#include "../../userspace/host/now.h"
#include "loop.h"

#define BATCH	    64
#define LOOKS	    64 /* flows looked at for being late, each time round */
#define PROGRESS_NS (100 * XFN_NSEC_PER_MSEC)
#define SETTLE_NS   200000000ull /* for what is under way at the end of a flood */

struct flow {
	uint64_t intended; /* of the request under way; 0: none */
	uint64_t deadline;
};

struct bench_loop {
	const struct bench_carrier *ops;
	void *carrier;
	const struct bench_plan *plan;
	struct bench_figures *out;
	struct flow *flows;
	uint32_t *idle; /* stack of free flows */
	uint32_t idle_count;
	uint32_t oldest; /* where to look for the next late one */
	bool flood;
	uint64_t begin, told;
};

static const struct bench_payload *request_of(const struct bench_loop *l, uint32_t flow)
{
	return &l->plan->set->request[flow & (l->plan->set->count - 1)];
}

static bool right(const struct bench_loop *l, uint32_t flow, const void *bytes, size_t len)
{
	const struct bench_payload *want = &l->plan->set->reply[flow & (l->plan->set->count - 1)];

	return l->plan->set->any_reply || !l->plan->check ||
	       (len == want->len && !memcmp(bytes, want->words, len));
}

void bench_loop__take(struct bench_loop *l, uint32_t flow, const void *bytes, size_t len)
{
	struct flow *f = &l->flows[flow];

	if (!l->flood && !f->intended) {
		l->out->late++;
		return;
	}
	if (!l->flood && l->out->rtt)
		bench_histogram__add(l->out->rtt, xfn_now_ns() - f->intended);
	if (right(l, flow, bytes, len)) {
		l->out->replies++;
	} else {
		l->out->wrong++;
		if (!l->out->first_wrong)
			l->out->first_wrong = flow + 1;
	}
	if (l->flood)
		return;
	f->intended = 0;
	l->idle[l->idle_count++] = flow;
}

/* A request by a free flow. What is not taken is missed like a lost one: its absence tells. */
static void ask(struct bench_loop *l, uint64_t intended, uint64_t now)
{
	uint32_t flow = l->idle[--l->idle_count];

	l->flows[flow].intended = intended;
	l->flows[flow].deadline = now + l->plan->timeout_ms * XFN_NSEC_PER_MSEC;
	l->out->sent++;
	l->ops->send(l->carrier, flow, request_of(l, flow), 1);
}

/* Flows whose reply is overdue are lost and begin anew. */
static int give_up(struct bench_loop *l, uint64_t now, bool all)
{
	int ret = 0;

	for (uint32_t looks = all ? l->plan->flows : LOOKS; looks && !ret; looks--) {
		struct flow *f = &l->flows[l->oldest];

		if (f->intended && (all || now > f->deadline)) {
			l->out->lost++;
			f->intended = 0;
			ret = l->ops->renew(l->carrier, l->oldest);
			l->idle[l->idle_count++] = l->oldest;
		}
		l->oldest = (l->oldest + 1) % l->plan->flows;
	}
	return ret;
}

static bool go_on(struct bench_loop *l, uint64_t now, uint64_t asked)
{
	const struct bench_plan *plan = l->plan;

	if (plan->requests ? asked >= plan->requests :
			     now - l->begin >= (uint64_t)(plan->seconds * 1e9))
		return false;
	if (!plan->progress || now - l->told < PROGRESS_NS)
		return true;
	l->told = now;
	l->out->seconds = (double)(now - l->begin) / 1e9;
	return plan->progress(l->out, plan->arg);
}

static int paced(struct bench_loop *l)
{
	const struct bench_plan *plan = l->plan;
	uint32_t limit = plan->outstanding ?: plan->flows;
	uint64_t now = l->begin, asked = 0;
	int ret = 0;

	while (!ret && go_on(l, now, asked)) {
		while (l->idle_count && plan->flows - l->idle_count < limit &&
		       !(plan->requests && asked == plan->requests)) {
			uint64_t due = now;

			if (!plan->outstanding) {
				due = l->begin + (uint64_t)((double)asked * 1e9 / plan->rate);
				if (due > now)
					break;
			}
			ask(l, due, now);
			asked++;
		}
		/* two requests of a rate may be less than a millisecond apart: no sleep */
		l->ops->receive(l->carrier, l, plan->outstanding ? 1 : 0);
		now = xfn_now_ns();
		ret = give_up(l, now, false);
	}
	l->out->seconds = (double)(now - l->begin) / 1e9;
	/* the last ones get their time too */
	while (!ret && l->idle_count < plan->flows &&
	       xfn_now_ns() - now < plan->timeout_ms * XFN_NSEC_PER_MSEC)
		l->ops->receive(l->carrier, l, 1);
	return ret ?: give_up(l, 0, true);
}

static void flood(struct bench_loop *l)
{
	const struct bench_plan *plan = l->plan;
	uint64_t now = l->begin;
	uint32_t flow = 0;

	while (go_on(l, now, l->out->sent)) {
		unsigned want = BATCH;

		if (plan->requests && want > plan->requests - l->out->sent)
			want = (unsigned)(plan->requests - l->out->sent);
		l->out->sent += l->ops->send(l->carrier, flow, request_of(l, flow), want);
		flow = (flow + 1) % plan->flows;
		l->ops->receive(l->carrier, l, 0);
		now = xfn_now_ns();
	}
	l->out->seconds = (double)(now - l->begin) / 1e9;
	for (uint64_t end = now + SETTLE_NS; xfn_now_ns() < end;)
		l->ops->receive(l->carrier, l, 10);
	if (l->out->sent > l->out->replies + l->out->wrong)
		l->out->lost = l->out->sent - l->out->replies - l->out->wrong;
}

int bench_loop__run(const struct bench_carrier *ops, void *carrier, const struct bench_plan *plan,
		    struct bench_figures *out, struct xfn_error *err)
{
	struct bench_loop l = { .ops = ops,
				.carrier = carrier,
				.plan = plan,
				.out = out,
				.flood = !plan->outstanding && plan->rate <= 0 };
	int ret = 0;

	l.flows = calloc(plan->flows, sizeof(*l.flows));
	l.idle = calloc(plan->flows, sizeof(*l.idle));
	if (!l.flows || !l.idle)
		ret = -ENOMEM;
	for (; !ret && l.idle_count < plan->flows; l.idle_count++)
		l.idle[l.idle_count] = l.idle_count;
	l.begin = l.told = xfn_now_ns();
	if (!ret && l.flood)
		flood(&l);
	else if (!ret)
		ret = paced(&l);
	if (ret)
		xfn_error__set(err, "a flow cannot be made anew: %s", strerror(-ret));
	free(l.flows);
	free(l.idle);
	return ret;
}
