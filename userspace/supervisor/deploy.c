// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which function runs where: modules, ports, tiers with their reasons, bindings. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "../host/ip.h"
#include "../host/log.h"
#include "supervisor_inside.h"

static const char *name_of(const struct xfn_deployed *fn)
{
	return fn->mod->attr.name;
}

static bool may_amplify(const struct xfn_run_options *opts, const char *name)
{
	for (unsigned i = 0; i < opts->allow_amplify_count; i++)
		if (!strcmp(opts->allow_amplify[i], name))
			return true;
	return false;
}

static int settle_one(const struct xfn_run_options *opts, const struct xfn_run_module *want,
		      struct xfn_deployed *fn, struct xfn_error *err)
{
	fn->mod = want->mod;
	fn->any = !want->addr || !want->addr[0];
	if (!fn->any && xfn_ip__parse(want->addr, fn->addr.ip))
		return xfn_fail(err, -EINVAL,
				"%s: %s is no IP address; write MODULE@10.0.0.1:53 or "
				"MODULE@[fd00::1]:53",
				want->path, want->addr);
	if (!fn->any && xfn_udp_socket__unfit(fn->addr.ip))
		return xfn_fail(err, -EINVAL, "%s: %s %s, and no host's own; name one of this host",
				name_of(fn), want->addr, xfn_udp_socket__unfit(fn->addr.ip));
	if (!fn->any && xfn_udp_socket__is_every(fn->addr.ip)) {
		fn->any = true;
		fn->version = (unsigned)xfn_udp_socket__version(fn->addr.ip);
	}
	if (fn->mod->attr.amplify > XFN_AMPLIFY_FREE && !may_amplify(opts, name_of(fn)))
		return xfn_fail(err, -EPERM,
				"%s: may answer with %u times its request, of use to attackers; "
				"`--allow-amplify %s` runs it",
				name_of(fn), fn->mod->attr.amplify, name_of(fn));
	fn->addr.port = fn->port = want->port ?: fn->mod->attr.port;
	if (!fn->addr.port)
		return xfn_fail(err, -EINVAL, "%s: has no default port; give one: %s@PORT",
				name_of(fn), want->path);
	return 0;
}

int xfn_deploy__open(struct xfn_supervisor *sup, struct xfn_error *err)
{
	const struct xfn_run_options *opts = sup->opts;
	int ret;

	if (opts->module_count > XFN_SLOTS)
		return xfn_fail(err, -E2BIG, "%u functions are more than the %u of one interface",
				opts->module_count, XFN_SLOTS);
	sup->functions = calloc(opts->module_count, sizeof(*sup->functions));
	if (!sup->functions)
		return xfn_fail(err, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < opts->module_count; i++) {
		struct xfn_deployed *fn = &sup->functions[i];

		sup->function_count++;
		ret = settle_one(opts, &opts->modules[i], fn, err);
		if (ret)
			return ret;
		for (unsigned j = 0; j < i; j++) {
			const struct xfn_deployed *other = &sup->functions[j];

			if (other->addr.port != fn->addr.port || other->any != fn->any ||
			    other->version != fn->version ||
			    memcmp(other->addr.ip, fn->addr.ip, 16))
				continue;
			return xfn_fail(
				err, -EEXIST,
				"%s and %s are both for port %u%s; give one another port: %s@PORT",
				name_of(other), name_of(fn), fn->addr.port,
				!fn->any	 ? " of one address" :
				fn->version == 4 ? " of every IPv4 address" :
				fn->version == 6 ? " of every IPv6 address" :
						   "",
				name_of(fn));
		}
	}
	return 0;
}

bool xfn_deploy__wants_ring(const struct xfn_supervisor *sup)
{
	return sup->opts->engine && !strcmp(sup->opts->engine, "packet");
}

static void why(struct xfn_deployed *fn, int tier, const struct xfn_rule_text *rule,
		const char *reason)
{
	fn->tier = tier;
	fn->rule = rule;
	snprintf(fn->reason, sizeof(fn->reason), "%s", reason);
}

static const struct xfn_rule_text *rule_of(enum xfn_rule rule)
{
	return xfn_refusal__rule(rule);
}

/* Put the kernel half into its slot; a refusal leaves fn with tier afxdp and its reason. */
static int put(struct xfn_supervisor *sup, struct xfn_deployed *fn, struct xfn_error *err)
{
	struct xfn_refusal refusal = {};
	int ret = xfn_loader__put(sup->loader, fn - sup->functions, fn->mod, &refusal, err);

	if (!ret) {
		fn->in_kernel = true;
		why(fn, XFN_TIER_XDP, NULL, "accepted by this kernel's verifier");
		return 0;
	}
	if (!refusal.rule[0])
		return ret;
	why(fn, XFN_TIER_AFXDP, xfn_refusal__by_id(refusal.rule), refusal.reason);
	/* of the interface, and said when it was attached */
	if (!strcmp(refusal.rule, "shared_interface"))
		return 0;
	xfn_log__line(LOG_WARNING,
		      "%s: this kernel's verifier refuses it (%s); it runs in a worker",
		      name_of(fn), refusal.reason);
	return 0;
}

static int decide(struct xfn_supervisor *sup, struct xfn_deployed *fn, struct xfn_error *err)
{
	const struct xfn_module_meta *meta = &fn->mod->meta;
	int forced = sup->opts->tier ?: fn->mod->attr.tier;
	const char *by = xfn_deploy__wants_ring(sup) ? "engine packet serves tier socket" :
			 sup->opts->tier	     ? "forced by --tier" :
						       "its .tier asks for it";
	int ret;

	if (!sup->loader) {
		if (forced == XFN_TIER_XDP || forced == XFN_TIER_AFXDP)
			return xfn_fail(err, -EOPNOTSUPP, "%s: tier %s cannot be had: %s",
					name_of(fn), xfn_tier_name(forced), sup->mode_reason.line);
		if (forced == XFN_TIER_SOCKET)
			why(fn, XFN_TIER_SOCKET, rule_of(XFN_RULE_forced), by);
		else
			why(fn, XFN_TIER_SOCKET, rule_of(XFN_RULE_no_xdp), sup->mode_reason.line);
		return 0;
	}
	if (forced == XFN_TIER_SOCKET || forced == XFN_TIER_AFXDP) {
		why(fn, forced, rule_of(XFN_RULE_forced), by);
		return 0;
	}
	if (!fn->mod->bpf || meta->tier != XFN_TIER_XDP) {
		why(fn, XFN_TIER_AFXDP, xfn_refusal__by_id(meta->rule), meta->reason);
	} else {
		ret = put(sup, fn, err);
		if (ret)
			return ret;
	}
	if (forced == XFN_TIER_XDP && fn->tier != XFN_TIER_XDP)
		return xfn_fail(err, -EOPNOTSUPP,
				"%s: cannot run in tier xdp: %s; leave --tier out", name_of(fn),
				fn->reason);
	return 0;
}

int xfn_deploy__tiers(struct xfn_supervisor *sup, struct xfn_error *err)
{
	for (unsigned i = 0; i < sup->function_count; i++) {
		struct xfn_deployed *fn = &sup->functions[i];
		int ret;

		fn->in_kernel = false;
		ret = decide(sup, fn, err);

		if (!ret && fn->mod->attr.fallback == XFN_FALLBACK_HOST &&
		    fn->tier != XFN_TIER_XDP) {
			xfn_error__set(
				err,
				"%s: leaves requests to the host's server, as only tier xdp can, but %.300s; "
				"run it on an interface with XDP",
				name_of(fn), fn->reason);
			ret = -EOPNOTSUPP;
		}
		if (ret)
			return ret;
	}
	return 0;
}

bool xfn_deploy__wants_frames(const struct xfn_supervisor *sup)
{
	/* One that grows may find no room in a frame: then its worker answers that request. */
	for (unsigned i = 0; i < sup->function_count; i++)
		if (sup->functions[i].tier == XFN_TIER_AFXDP ||
		    (sup->functions[i].tier == XFN_TIER_XDP && sup->functions[i].mod->attr.grow))
			return true;
	return false;
}

bool xfn_deploy__wants_sockets(const struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->function_count; i++)
		if (sup->functions[i].tier == XFN_TIER_SOCKET)
			return true;
	return false;
}

void xfn_deploy__to_sockets(struct xfn_supervisor *sup, const char *reason)
{
	for (unsigned i = 0; i < sup->function_count; i++)
		if (sup->functions[i].tier == XFN_TIER_AFXDP)
			why(&sup->functions[i], XFN_TIER_SOCKET, rule_of(XFN_RULE_no_afxdp),
			    reason);
}

bool xfn_deploy__is_slow(const struct xfn_deployed *fn)
{
	return fn->tier != XFN_TIER_SOCKET && fn->mod->attr.fallback == XFN_FALLBACK_SELF;
}

bool xfn_deploy__wants_slow(const struct xfn_supervisor *sup)
{
	for (unsigned i = 0; sup->loader && i < sup->function_count; i++)
		if (xfn_deploy__is_slow(&sup->functions[i]))
			return true;
	return false;
}

/* How exactly it names what it is asked at: 2 an address, 1 an IP version, 0 neither. */
static int exactness(const struct xfn_deployed *fn)
{
	return !fn->any ? 2 : fn->version ? 1 : 0;
}

bool xfn_deploy__covers(const struct xfn_deployed *fn, const uint8_t ip[16])
{
	if (!fn->any)
		return !memcmp(fn->addr.ip, ip, 16);
	return !fn->version || fn->version == (unsigned)xfn_udp_socket__version(ip);
}

int xfn_deploy__owner(const struct xfn_supervisor *sup, const uint8_t ip[16], uint16_t port)
{
	int owner = -1;

	for (unsigned i = 0; i < sup->function_count; i++) {
		const struct xfn_deployed *fn = &sup->functions[i];

		if (fn->addr.port == port && xfn_deploy__covers(fn, ip) &&
		    (owner < 0 || exactness(fn) > exactness(&sup->functions[owner])))
			owner = (int)i;
	}
	return owner;
}

/* Does the dispatcher have another function on this port? */
static bool shares_port(const struct xfn_supervisor *sup, unsigned slot)
{
	for (unsigned i = 0; i < sup->function_count; i++)
		if (i != slot && sup->functions[i].addr.port == sup->functions[slot].addr.port &&
		    sup->functions[i].tier != XFN_TIER_SOCKET)
			return true;
	return false;
}

int xfn_deploy__bind(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret = 0;

	/* the dispatcher is told of the less exact ones first */
	for (int exact = 0; sup->loader && exact <= 2; exact++)
		for (unsigned i = 0; !ret && i < sup->function_count; i++) {
			const struct xfn_deployed *fn = &sup->functions[i];

			/* A socket's port is left to the stack: to be told where it is shared. */
			if (exactness(fn) == exact &&
			    (fn->tier != XFN_TIER_SOCKET || shares_port(sup, i)))
				ret = xfn_loader__bind(sup->loader, exact ? fn->addr.ip : NULL,
						       fn->addr.port, i, fn->tier, err);
		}
	return ret;
}

unsigned xfn_deploy__descriptors(const struct xfn_supervisor *sup)
{
	unsigned devices = sup->device_count ?: 1, addresses = sup->local_count ?: 2;
	unsigned queues = sup->iface.queues ?: 1;

	/* of a function: its module, its programs and maps, its sockets; of a queue: a worker's */
	return 64 + sup->opts->module_count * (8 + devices * addresses) +
	       queues * (8 + 2 * XFN_THREADS);
}

void xfn_deploy__close(struct xfn_supervisor *sup)
{
	free(sup->functions);
	sup->functions = NULL;
	sup->function_count = 0;
}
