// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which function runs where: tiers with their reasons, kernel halves in their slots, bindings. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "../host/log.h"
#include "../sockets/udp_socket.h"
#include "supervisor_parts.h"

static void why(struct xfn_supervisor *sup, unsigned slot, int tier,
		const struct xfn_rule_text *rule, const char *reason)
{
	xfn_functions__set_tier(sup->functions, slot, tier, rule, reason);
}

static const struct xfn_rule_text *rule_of(enum xfn_rule rule)
{
	return xfn_refusal__rule(rule);
}

/* Put the kernel half into its slot; a refusal gives the function tier afxdp, with the reason. */
static int put(struct xfn_supervisor *sup, unsigned slot, struct xfn_error *err)
{
	const struct xfn_deployed *fn = xfn_functions__at(sup->functions, slot);
	struct xfn_refusal refusal = {};
	int ret = xfn_loader__put(sup->attachment->loader, slot, fn->mod, &refusal, err);

	if (!ret) {
		xfn_functions__set_in_kernel(sup->functions, slot, true);
		why(sup, slot, XFN_TIER_XDP, NULL, "accepted by this kernel's verifier");
		return 0;
	}
	if (!refusal.rule[0])
		return ret;
	why(sup, slot, XFN_TIER_AFXDP, xfn_refusal__by_id(refusal.rule), refusal.reason);
	/* a matter of the interface, which was logged when the dispatcher was attached */
	if (!strcmp(refusal.rule, "shared_interface"))
		return 0;
	xfn_log__line(LOG_WARNING,
		      "%s: this kernel's verifier refuses it (%s); it runs in a worker",
		      xfn_deployed__name(fn), refusal.reason);
	return 0;
}

static int decide(struct xfn_supervisor *sup, unsigned slot, struct xfn_error *err)
{
	const struct xfn_deployed *fn = xfn_functions__at(sup->functions, slot);
	const struct xfn_module_meta *meta = &fn->mod->meta;
	int forced = sup->opts->tier ?: fn->mod->attr.tier;
	const char *by = xfn_run_options__by_ring(sup->opts) ? "engine packet serves tier socket" :
			 sup->opts->tier		     ? "forced by --tier" :
							       "its .tier asks for it";
	int ret;

	if (!sup->attachment->loader) {
		if (forced == XFN_TIER_XDP || forced == XFN_TIER_AFXDP)
			return xfn_fail(err, -EOPNOTSUPP, "%s: tier %s cannot be had: %s",
					xfn_deployed__name(fn), xfn_tier_name(forced),
					sup->attachment->mode_reason.line);
		if (forced == XFN_TIER_SOCKET)
			why(sup, slot, XFN_TIER_SOCKET, rule_of(XFN_RULE_forced), by);
		else
			why(sup, slot, XFN_TIER_SOCKET, rule_of(XFN_RULE_no_xdp),
			    sup->attachment->mode_reason.line);
		return 0;
	}
	if (forced == XFN_TIER_SOCKET || forced == XFN_TIER_AFXDP) {
		why(sup, slot, forced, rule_of(XFN_RULE_forced), by);
		return 0;
	}
	if (!fn->mod->bpf || meta->tier != XFN_TIER_XDP) {
		why(sup, slot, XFN_TIER_AFXDP, xfn_refusal__by_id(meta->rule), meta->reason);
	} else {
		ret = put(sup, slot, err);
		if (ret)
			return ret;
	}
	if (forced == XFN_TIER_XDP && fn->tier != XFN_TIER_XDP)
		return xfn_fail(err, -EOPNOTSUPP,
				"%s: cannot run in tier xdp: %s; leave --tier out",
				xfn_deployed__name(fn), fn->reason);
	return 0;
}

int xfn_deploy__tiers(struct xfn_supervisor *sup, struct xfn_error *err)
{
	for (unsigned i = 0; i < xfn_functions__count(sup->functions); i++) {
		const struct xfn_deployed *fn = xfn_functions__at(sup->functions, i);
		int ret;

		xfn_functions__set_in_kernel(sup->functions, i, false);
		ret = decide(sup, i, err);
		if (!ret && fn->mod->attr.fallback == XFN_FALLBACK_HOST &&
		    fn->tier != XFN_TIER_XDP) {
			xfn_error__set(
				err,
				"%s: leaves requests to the host's server, as only tier xdp can, but %.300s; "
				"run it on an interface with XDP",
				xfn_deployed__name(fn), fn->reason);
			ret = -EOPNOTSUPP;
		}
		if (ret)
			return ret;
	}
	return 0;
}

void xfn_deploy__to_sockets(struct xfn_supervisor *sup, const char *reason)
{
	for (unsigned i = 0; i < xfn_functions__count(sup->functions); i++)
		if (xfn_functions__at(sup->functions, i)->tier == XFN_TIER_AFXDP)
			why(sup, i, XFN_TIER_SOCKET, rule_of(XFN_RULE_no_afxdp), reason);
}

/* Does the dispatcher have another function on this port? */
static bool shares_port(const struct xfn_supervisor *sup, unsigned slot)
{
	uint16_t port = xfn_functions__at(sup->functions, slot)->addr.port;

	for (unsigned i = 0; i < xfn_functions__count(sup->functions); i++) {
		const struct xfn_deployed *other = xfn_functions__at(sup->functions, i);

		if (i != slot && other->addr.port == port && other->tier != XFN_TIER_SOCKET)
			return true;
	}
	return false;
}

int xfn_deploy__bind(const struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret = 0;

	/* the loader wants the less exact ones of a port first */
	for (int exact = 0; sup->attachment->loader && exact <= 2; exact++)
		for (unsigned i = 0; !ret && i < xfn_functions__count(sup->functions); i++) {
			const struct xfn_deployed *fn = xfn_functions__at(sup->functions, i);

			/* A port of tier socket goes to the stack by itself; the dispatcher must know it
			 * only where another function shares the port. */
			if (xfn_deployed__exactness(fn) == exact &&
			    (fn->tier != XFN_TIER_SOCKET || shares_port(sup, i)))
				ret = xfn_loader__bind(sup->attachment->loader,
						       exact ? fn->addr.ip : NULL, fn->addr.port, i,
						       fn->tier, err);
		}
	return ret;
}

static bool is_served(const struct xfn_supervisor *sup, const struct xfn_deployed *fn)
{
	for (unsigned i = 0; i < sup->interface->local_count; i++)
		if (xfn_deployed__covers(fn, sup->interface->local[i].ip))
			return true;
	return false;
}

void xfn_deploy__log_unasked(const struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < xfn_functions__count(sup->functions); i++) {
		const struct xfn_deployed *fn = xfn_functions__at(sup->functions, i);
		char at[64] = "";

		/* without --address, opening the socket has failed with an error already */
		if (is_served(sup, fn) ||
		    (fn->tier == XFN_TIER_SOCKET && !sup->opts->address_count))
			continue;
		xfn_udp_socket__text(&fn->addr, at, sizeof(at));
		*strrchr(at, ':') = 0;
		xfn_log__line(LOG_WARNING,
			      "%s gets no request: %s served on %s; `ip addr` lists its "
			      "addresses, --address names what is served instead",
			      xfn_deployed__name(fn),
			      !fn->any	       ? strcat(at, " is not") :
			      fn->version == 4 ? "no IPv4 address is" :
			      fn->version == 6 ? "no IPv6 address is" :
						 "no address is",
			      sup->interface->iface.name);
	}
}
