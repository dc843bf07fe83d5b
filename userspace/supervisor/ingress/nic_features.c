// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the interface's NIC and driver do for its AF_XDP workers: zero copy, flow rules, busy
 * polling. All is decided when serving begins, and taken back when it ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "../../nic/journal.h"
#include "../../host/log.h"
#include "../../nic/napi.h"
#include "../../nic/flow_rules.h"
#include "../../call/datagram.h"
#include "../../control/control.h"
#include "ingress_inside.h"
#include "nic_features.h"

#define RETRY_MS 2000

struct xfn_nic_features {
	struct xfn_journal *journal;
	struct xfn_steer *steer;
	struct xfn_steer_left left; /* of the last try */
	struct xfn_error why;	    /* of what could not be done in it */
	struct xfn_timer retry;	    /* of what memory was short for */
	bool zero_copy;		    /* to be tried */
	char reason[240];	    /* of that */
};

static const char *driver_of(const struct xfn_ingress *ing)
{
	return *ing->interface->iface.driver ? ing->interface->iface.driver : "(none)";
}

static const struct xfn_journal_kind kinds[] = { { "ntuple", xfn_steer__undo_ntuple },
						 { "rule", xfn_steer__undo },
						 { "napi", xfn_napi__undo },
						 {} };

int xfn_nic_features__undo(const char *ifname, struct xfn_error *err)
{
	struct xfn_journal *journal;
	int left = xfn_journal__count(ifname), ret;

	if (left < 0)
		xfn_error__set(err, "%s: its journal of changes cannot be read: %s", ifname,
			       strerror(-left));
	if (left <= 0)
		return left;
	if (xfn_control__is_served(ifname))
		return xfn_fail(err, -EADDRINUSE,
				"%s: an xfn serves it and undoes its changes itself; stop that one",
				ifname);
	ret = xfn_journal__open(ifname, kinds, &journal, err);
	if (ret)
		return ret;
	/* a change that could not be undone was logged, and stays in the journal */
	ret = left - xfn_journal__count(ifname);
	xfn_journal__close(journal);
	return ret;
}

unsigned xfn_nic_features__queue(const struct xfn_ingress *ing, unsigned i)
{
	const struct xfn_link_options *opts = &ing->opts->links;

	return opts->steer_count ? opts->steer[i] : i;
}

unsigned xfn_nic_features__queues(const struct xfn_ingress *ing)
{
	unsigned queues = ing->interface->iface.queues < XFN_QUEUES ? ing->interface->iface.queues :
								      XFN_QUEUES;

	return ing->opts->links.steer_count ?: queues;
}

bool xfn_nic_features__insists(const struct xfn_ingress *ing)
{
	const struct xfn_link_options *opts = &ing->opts->links;

	return opts->zero_copy == XFN_ZERO_COPY_ALWAYS || opts->steer_count || opts->busy_poll;
}

/*
 * Each function's requests to one of the queues in turn, at all addresses it is asked at. *out is
 * to be freed. Their number, or -ENOMEM.
 */
static int wanted_rules(const struct xfn_ingress *ing, struct xfn_steer_rule **out)
{
	const struct xfn_link_options *opts = &ing->opts->links;
	size_t max =
		(size_t)xfn_functions__count(ing->functions) * (ing->interface->local_count + 1);
	struct xfn_steer_rule *all = calloc(max ?: 1, sizeof(*all));
	int count = 0;

	*out = all;
	if (!all)
		return -ENOMEM;
	for (unsigned i = 0; i < xfn_functions__count(ing->functions); i++) {
		const struct xfn_deployed *fn = xfn_functions__at(ing->functions, i);
		struct xfn_steer_rule rule = { .to = fn->addr,
					       .queue = opts->steer[i % opts->steer_count] };

		if (fn->tier == XFN_TIER_SOCKET)
			continue;
		if (!fn->any)
			all[count++] = rule;
		for (unsigned s = 0; fn->any && s < ing->interface->local_count; s++) {
			memcpy(rule.to.ip, ing->interface->local[s].ip, sizeof(rule.to.ip));
			if (xfn_functions__owner(ing->functions, rule.to.ip, rule.to.port) ==
			    (int)i)
				all[count++] = rule;
		}
	}
	return count;
}

/*
 * Set the rules of now. Returns how many those are, or -ENOMEM: those of before stand. What could
 * not be done is logged where it is not what was left before, and tried again where that helps.
 */
static void on_retry(void *ctx);

static int set_rules(struct xfn_ingress *ing)
{
	struct xfn_nic_features *l = ing->nic;
	struct xfn_steer_left left = { .again = true };
	struct xfn_steer_rule *rules;
	int count = wanted_rules(ing, &rules);
	bool news;

	xfn_error__set(&l->why, "out of memory");
	if (count >= 0)
		left = xfn_steer__follow(l->steer, rules, (unsigned)count, &l->why);
	free(rules);
	news = left.missing != l->left.missing || left.stale != l->left.stale ||
	       (left.again && !l->left.again);
	if (news && count < 0)
		xfn_log__line(LOG_WARNING,
			      "%s: flow rules stay as they are: %s; retried every %u s",
			      ing->interface->iface.name, l->why.line, RETRY_MS / 1000);
	else if (news && left.missing + left.stale)
		xfn_log__line(
			LOG_WARNING,
			"%s: %u flow rules are missing, %u too many: %s%s; requests that come "
			"to other queues take the slow path",
			ing->interface->iface.name, left.missing, left.stale, l->why.line,
			left.again ? ", retried" : "");
	l->left = left;
	xfn_events__stop(&l->retry);
	if (left.again)
		xfn_events__after(ing->loop, &l->retry, RETRY_MS, on_retry, ing);
	return count;
}

void xfn_nic_features__follow(struct xfn_ingress *ing)
{
	if (ing->nic && ing->nic->steer)
		set_rules(ing);
}

static void on_retry(void *ctx)
{
	set_rules(ctx);
}

static int steer(struct xfn_ingress *ing, struct xfn_error *err)
{
	const struct xfn_link_options *opts = &ing->opts->links;
	struct xfn_nic_features *l = ing->nic;
	int count, ret;

	for (unsigned i = 0; i < opts->steer_count; i++)
		if (opts->steer[i] >= ing->interface->iface.queues)
			return xfn_fail(
				err, -EINVAL,
				"--steer: %s has no queue %u, only %u of them; `ethtool -L %s` "
				"changes their number",
				ing->interface->iface.name, opts->steer[i],
				ing->interface->iface.queues, ing->interface->iface.name);
	if (!ing->attachment->loader)
		return xfn_fail(err, -EOPNOTSUPP, "--steer wants XDP on %s (%s); leave --steer out",
				ing->interface->iface.name, ing->attachment->mode_reason.line);
	ret = xfn_steer__open(ing->interface->iface.name, ing->interface->iface.driver, l->journal,
			      &l->steer, err);
	if (ret)
		return ret;
	count = set_rules(ing);
	if (count >= 0 && (!count || l->left.missing < (unsigned)count || l->left.again))
		return 0;
	xfn_error__set(err, "--steer: %s: %s; leave --steer out", ing->interface->iface.name,
		       l->why.line);
	return count < 0 ? count : -EOPNOTSUPP;
}

int xfn_nic_features__begin(struct xfn_ingress *ing, struct xfn_error *err)
{
	const struct xfn_link_options *opts = &ing->opts->links;
	struct xfn_nic_features *l;
	bool xdp_tx = false;
	char why[240];
	int ret;

	if (!ing->interface->iface.name[0])
		return 0;
	l = ing->nic = calloc(1, sizeof(*l));
	if (!l)
		return xfn_fail(err, -ENOMEM, "out of memory");
	ret = xfn_journal__open(ing->interface->iface.name, kinds, &l->journal, err);
	if (ret)
		return ret;
	for (unsigned i = 0; i < xfn_functions__count(ing->functions); i++)
		xdp_tx |= xfn_functions__at(ing->functions, i)->in_kernel;
	l->zero_copy = xfn_zero_copy__wanted(opts->zero_copy, ing->interface->iface.driver,
					     ing->attachment->mode == XFN_MODE_NATIVE, xdp_tx,
					     l->reason, sizeof(l->reason));
	if (!l->zero_copy && opts->zero_copy == XFN_ZERO_COPY_ALWAYS)
		return xfn_fail(err, -EOPNOTSUPP,
				"--zero-copy always: %s: %s%s%s; take --zero-copy auto",
				ing->interface->iface.name, l->reason,
				ing->attachment->mode_reason.line[0] ? ", but: " : "",
				ing->attachment->mode_reason.line);
	if (opts->zero_copy == XFN_ZERO_COPY_ALWAYS && xdp_tx &&
	    !xfn_zero_copy__wanted(XFN_ZERO_COPY_AUTO, ing->interface->iface.driver, true, true,
				   why, sizeof(why)))
		xfn_log__line(
			LOG_WARNING,
			"--zero-copy always beside functions in the kernel, whose replies may "
			"be lost: %s",
			why);
	if (opts->steer_count)
		ret = steer(ing, err);
	if (!ret && opts->defer)
		ret = xfn_napi__defer(ing->interface->iface.name, opts->defer, l->journal, err);
	return ret;
}

void xfn_nic_features__end(struct xfn_ingress *ing)
{
	if (!ing->nic)
		return;
	xfn_events__stop(&ing->nic->retry);
	xfn_steer__close(ing->nic->steer);
	xfn_journal__close(ing->nic->journal);
	free(ing->nic);
	ing->nic = NULL;
}

/* Sockets that cannot be polled would be served by interrupts without anybody knowing. */
static int check_polled(const struct xfn_ingress *ing, const struct xfn_umem *umem,
			struct xfn_error *err)
{
	if (!xfn_napi__set_at_bind() || xfn_napi__id(umem->xsk[0]))
		return 0;
	return xfn_fail(
		err, -EOPNOTSUPP,
		"--busy-poll: driver %s does not tell the kernel what works queue %u of %s off, so "
		"nothing can be polled; leave --busy-poll out, --spin keeps workers awake too",
		driver_of(ing), umem->queue, ing->interface->iface.name);
}

int xfn_nic_features__bind(struct xfn_ingress *ing, struct xfn_umem *umem, struct xfn_error *err)
{
	const struct xfn_link_options *opts = &ing->opts->links;
	struct xfn_nic_features *l = ing->nic;
	int ret = 0;

	for (unsigned i = 0; !ret && opts->busy_poll && i < umem->threads; i++)
		ret = xfn_napi__busy_poll(umem->xsk[i], opts->busy_poll, XFN_BATCH);
	if (ret)
		return xfn_fail(err, ret, "--busy-poll: %s; leave it out",
				ret == -ENOPROTOOPT ? "this kernel has no busy polling of sockets" :
						      strerror(-ret));
	ret = xfn_umem__bind(umem, ing->interface->iface.name, ing->interface->iface.index,
			     l->zero_copy, err);
	if (ret && ret != -EBUSY && ret != -EPERM && l->zero_copy) {
		if (opts->zero_copy == XFN_ZERO_COPY_ALWAYS)
			return xfn_fail(
				err, ret,
				"--zero-copy always: driver %s refuses it on queue %u of %s (%s); "
				"take --zero-copy auto, `xfn check -i %s` tells what it can do",
				driver_of(ing), umem->queue, ing->interface->iface.name,
				strerror(-ret), ing->interface->iface.name);
		l->zero_copy = false;
		snprintf(l->reason, sizeof(l->reason), "the kernel refuses zero copy with %s (%s)",
			 driver_of(ing), strerror(-ret));
		ret = xfn_umem__bind(umem, ing->interface->iface.name, ing->interface->iface.index,
				     false, err);
	}
	if (!ret && opts->busy_poll)
		ret = check_polled(ing, umem, err);
	return ret;
}

const char *xfn_nic_features__zero_copy_reason(const struct xfn_ingress *ing)
{
	return ing->nic ? ing->nic->reason : "";
}

int xfn_nic_features__rules(const struct xfn_ingress *ing)
{
	return ing->nic && ing->nic->steer ? (int)xfn_steer__count(ing->nic->steer) : -1;
}

void xfn_nic_features__log_queues(const struct xfn_ingress *ing, unsigned apart)
{
	if (apart)
		xfn_log__line(LOG_NOTICE,
			      "%s: RX queues: %u, TX queues: %u; AF_XDP cannot send without a TX "
			      "queue, so workers of %u RX queues send by AF_PACKET; `ethtool -L "
			      "%s` may give them TX queues",
			      ing->interface->iface.name, ing->interface->iface.queues,
			      ing->interface->iface.tx_queues, apart, ing->interface->iface.name);
	if (ing->interface->iface.queues > XFN_QUEUES && !ing->opts->links.steer_count)
		xfn_log__line(LOG_NOTICE,
			      "%s: RX queues: %u; workers serve the first %u, requests on others "
			      "take the slow path (reason NO_WORKER)",
			      ing->interface->iface.name, ing->interface->iface.queues, XFN_QUEUES);
}
