// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The registry of deployed functions: their identity, their verdict, and the look-ups. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../../functions/xfn.h"
#include "../../host/ip.h"
#include "../../sockets/udp_socket.h"
#include "functions.h"

struct xfn_functions {
	bool served_once;
	unsigned count;
	struct xfn_deployed all[];
};

static const char *name_of(const struct xfn_deployed *fn)
{
	return xfn_deployed__name(fn);
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

/* No earlier function may have the same address and port. */
static int check_alone(const struct xfn_functions *functions, const struct xfn_deployed *fn,
		       struct xfn_error *err)
{
	for (const struct xfn_deployed *other = functions->all; other < fn; other++) {
		if (other->addr.port != fn->addr.port || other->any != fn->any ||
		    other->version != fn->version || memcmp(other->addr.ip, fn->addr.ip, 16))
			continue;
		return xfn_fail(err, -EEXIST,
				"%s and %s are both for port %u%s; give one another port: %s@PORT",
				name_of(other), name_of(fn), fn->addr.port,
				!fn->any	 ? " of one address" :
				fn->version == 4 ? " of every IPv4 address" :
				fn->version == 6 ? " of every IPv6 address" :
						   "",
				name_of(fn));
	}
	return 0;
}

int xfn_functions__open(const struct xfn_run_options *opts, struct xfn_functions **out,
			struct xfn_error *err)
{
	struct xfn_functions *functions;
	int ret = 0;

	*out = NULL;
	if (opts->module_count > XFN_SLOTS)
		return xfn_fail(err, -E2BIG, "%u functions are more than the %u of one interface",
				opts->module_count, XFN_SLOTS);
	functions = calloc(1, sizeof(*functions) + opts->module_count * sizeof(functions->all[0]));
	if (!functions)
		return xfn_fail(err, -ENOMEM, "out of memory");
	for (unsigned i = 0; !ret && i < opts->module_count; i++) {
		struct xfn_deployed *fn = &functions->all[functions->count++];

		ret = settle_one(opts, &opts->modules[i], fn, err);
		ret = ret ?: check_alone(functions, fn, err);
	}
	if (ret) {
		xfn_functions__close(functions);
		return ret;
	}
	*out = functions;
	return 0;
}

void xfn_functions__close(struct xfn_functions *functions)
{
	free(functions);
}

unsigned xfn_functions__count(const struct xfn_functions *functions)
{
	return functions->count;
}

const struct xfn_deployed *xfn_functions__at(const struct xfn_functions *functions, unsigned slot)
{
	return &functions->all[slot];
}

unsigned xfn_functions__find(const struct xfn_functions *functions, const char *name, unsigned from)
{
	while (from < functions->count && strcmp(name_of(&functions->all[from]), name))
		from++;
	return from;
}

int xfn_deployed__exactness(const struct xfn_deployed *fn)
{
	return !fn->any ? 2 : fn->version ? 1 : 0;
}

bool xfn_deployed__covers(const struct xfn_deployed *fn, const uint8_t ip[16])
{
	if (!fn->any)
		return !memcmp(fn->addr.ip, ip, 16);
	return !fn->version || fn->version == (unsigned)xfn_udp_socket__version(ip);
}

int xfn_functions__owner(const struct xfn_functions *functions, const uint8_t ip[16], uint16_t port)
{
	int owner = -1;

	for (unsigned i = 0; i < functions->count; i++) {
		const struct xfn_deployed *fn = &functions->all[i];

		if (fn->addr.port == port && xfn_deployed__covers(fn, ip) &&
		    (owner < 0 ||
		     xfn_deployed__exactness(fn) > xfn_deployed__exactness(&functions->all[owner])))
			owner = (int)i;
	}
	return owner;
}

bool xfn_functions__wants_frames(const struct xfn_functions *functions)
{
	/* A function that grows its payload may find no room in a frame: a worker answers that request. */
	for (const struct xfn_deployed *fn = functions->all; fn < functions->all + functions->count;
	     fn++)
		if (fn->tier == XFN_TIER_AFXDP || (fn->tier == XFN_TIER_XDP && fn->mod->attr.grow))
			return true;
	return false;
}

bool xfn_functions__wants_sockets(const struct xfn_functions *functions)
{
	for (unsigned i = 0; i < functions->count; i++)
		if (functions->all[i].tier == XFN_TIER_SOCKET)
			return true;
	return false;
}

bool xfn_deployed__is_slow(const struct xfn_deployed *fn)
{
	return fn->tier != XFN_TIER_SOCKET && fn->mod->attr.fallback == XFN_FALLBACK_SELF;
}

bool xfn_functions__wants_slow(const struct xfn_functions *functions)
{
	for (unsigned i = 0; i < functions->count; i++)
		if (xfn_deployed__is_slow(&functions->all[i]))
			return true;
	return false;
}

void xfn_functions__set_port(struct xfn_functions *functions, unsigned slot, uint16_t port)
{
	functions->all[slot].addr.port = port;
}

void xfn_functions__set_tier(struct xfn_functions *functions, unsigned slot, int tier,
			     const struct xfn_rule_text *rule, const char *reason)
{
	struct xfn_deployed *fn = &functions->all[slot];

	fn->tier = tier;
	fn->rule = rule;
	snprintf(fn->reason, sizeof(fn->reason), "%s", reason);
}

void xfn_functions__set_in_kernel(struct xfn_functions *functions, unsigned slot, bool on)
{
	functions->all[slot].in_kernel = on;
}

void xfn_functions__set_on_device(struct xfn_functions *functions, unsigned slot, bool on,
				  const char *reason)
{
	functions->all[slot].on_device = on;
	snprintf(functions->all[slot].reason, sizeof(functions->all[slot].reason), "%s", reason);
}

void xfn_functions__set_served(struct xfn_functions *functions)
{
	functions->served_once = true;
}

bool xfn_functions__served_once(const struct xfn_functions *functions)
{
	return functions->served_once;
}
