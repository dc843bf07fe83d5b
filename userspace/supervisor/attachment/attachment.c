// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The dispatcher on the interface: attached in the best mode there is, and taken off again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <cap-ng.h>
#include "../../../functions/xfn.h"
#include "../../host/log.h"
#include "attachment.h"

struct xfn_attachment *xfn_attachment__make(const struct xfn_run_options *opts,
					    const struct xfn_interface_state *interface,
					    struct xfn_functions *functions)
{
	struct xfn_attachment *att = calloc(1, sizeof(*att));

	if (!att)
		return NULL;
	att->opts = opts;
	att->interface = interface;
	att->functions = functions;
	return att;
}

void xfn_attachment__close(struct xfn_attachment *att)
{
	if (!att)
		return;
	xfn_loader__close(att->loader);
	xfn_loader__close(att->before);
	free(att);
}

static bool may_use_bpf(void)
{
	capng_get_caps_process();
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) &&
	       (capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF) ||
		capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN));
}

/* Load the dispatcher for one mode and attach it. -EBUSY and -EEXIST style refusals end the run. */
static int attach_in(struct xfn_attachment *att, enum xfn_mode mode, struct xfn_error *err)
{
	const struct xfn_interface *iface = &att->interface->iface;
	struct xfn_loader_options opts = {
		.ifname = iface->name,
		.ifindex = iface->index,
		.mtu = iface->mtu,
		.rate = att->opts->rate,
		.before = att->before,
		.flags = (att->opts->trust_checksum ? XFN_TRUST_CHECKSUM : 0) |
			 (mode == XFN_MODE_NATIVE && iface->local_peer ? XFN_LOCAL_PEER : 0) |
			 (att->opts->route_fib ? XFN_ROUTE_FIB : 0) |
			 (mode == XFN_MODE_GENERIC ? XFN_GENERIC : 0) |
			 (mode == XFN_MODE_NATIVE && iface->mtu > XFN_MTU_LINEAR ? XFN_FRAGS : 0),
	};
	struct xfn_error why = { 0 };
	int ret;

	if (att->opts->libxdp) {
		ret = xfn_loader__open_shared(&opts, mode, &att->loader, &why, err);
		if (!ret)
			att->mode = mode;
		if (why.line[0])
			xfn_log__line(LOG_WARNING, "%s: %s", iface->name, why.line);
		return ret;
	}
	ret = xfn_loader__open(&opts, &att->loader, err);
	if (!ret)
		ret = xfn_loader__attach(att->loader, mode, &att->mode, &why, err);
	if (ret) {
		xfn_loader__close(att->loader);
		att->loader = NULL;
		att->mode = XFN_MODE_NONE;
	}
	return ret;
}

/* Guards of the fast path answer neither loopback addresses nor this host's own as a source. */
#define LOOPBACK "its requests are this host's own, which UDP sockets answer"

/* On a loopback interface the mode or engine asked for would answer nothing: true, with one line in
 * err. */
static bool refuses_loopback(const struct xfn_attachment *att, struct xfn_error *err)
{
	enum xfn_mode want = att->opts->mode;

	if (xfn_run_options__by_ring(att->opts))
		xfn_error__set(err,
			       "%s: engine packet answers nothing there: " LOOPBACK
			       "; leave --engine out",
			       att->interface->iface.name);
	else if (want != XFN_MODE_AUTO && want != XFN_MODE_NONE)
		xfn_error__set(err,
			       "%s: mode %s answers nothing there: " LOOPBACK "; leave --mode out",
			       att->interface->iface.name, xfn_mode_name(want));
	else
		return false;
	return true;
}

/* Why XDP is not tried; NULL: it is. */
static const char *why_no_xdp(const struct xfn_attachment *att, enum xfn_mode want)
{
	if (!att->interface->iface.name[0])
		return "no interface was given (-i)";
	if (att->interface->iface.loopback)
		return "on a loopback interface " LOOPBACK;
	if (want == XFN_MODE_NONE)
		return "--mode none";
	if (att->opts->tier == XFN_TIER_SOCKET)
		return xfn_run_options__by_ring(att->opts) ? "--engine packet" : "--tier socket";
	return NULL;
}

int xfn_attachment__attach(struct xfn_attachment *att, struct xfn_error *err)
{
	/* beside the card the host serves in its best mode */
	enum xfn_mode want = att->opts->mode == XFN_MODE_OFFLOAD ? XFN_MODE_AUTO : att->opts->mode;
	char why[sizeof(att->mode_reason.line)];
	const char *no;
	int ret;

	att->mode = XFN_MODE_NONE;
	att->mode_reason.line[0] = '\0';
	if (att->interface->iface.loopback && refuses_loopback(att, err))
		return -EOPNOTSUPP;
	no = why_no_xdp(att, want);
	if (no) {
		xfn_error__set(&att->mode_reason, "%s", no);
		return 0;
	}
	if (!may_use_bpf()) {
		xfn_error__set(
			&att->mode_reason,
			"no privilege to load BPF programs (CAP_BPF and CAP_NET_ADMIN; run as root)");
		if (want == XFN_MODE_AUTO)
			return 0;
		return xfn_fail(err, -EPERM, "%s: %.400s", att->interface->iface.name,
				att->mode_reason.line);
	}
	if (want != XFN_MODE_GENERIC) {
		ret = attach_in(att, XFN_MODE_NATIVE, err);
		if (!ret || ret == -EBUSY || want == XFN_MODE_NATIVE)
			return ret;
		xfn_error__set(&att->mode_reason, "%s", err->line);
	}
	ret = attach_in(att, XFN_MODE_GENERIC, err);
	if (!ret || ret == -EBUSY || want == XFN_MODE_GENERIC)
		return ret;
	snprintf(why, sizeof(why), "%s", att->mode_reason.line);
	xfn_error__set(&att->mode_reason, "%.240s; %.240s", why, err->line);
	return 0;
}

void xfn_attachment__log_forwarding(const struct xfn_attachment *att)
{
	static const char *const families[] = { "ipv4", "ipv6" };

	for (unsigned i = 0; att->loader && att->opts->route_fib && i < 2; i++) {
		char path[128];
		FILE *f;
		int on = 0;

		snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/forwarding", families[i],
			 att->interface->iface.name);
		f = fopen(path, "re");
		if (f && fscanf(f, "%d", &on) != 1)
			on = 0;
		if (f)
			fclose(f);
		if (!on)
			xfn_log__line(
				LOG_WARNING,
				"--reply-route fib: no route is looked up for %s while forwarding "
				"is off, so the slow path answers; `sysctl "
				"net.%s.conf.%s.forwarding=1`",
				families[i], families[i], att->interface->iface.name);
	}
}

void xfn_attachment__part(struct xfn_attachment *att)
{
	if (!att->loader)
		return;
	xfn_loader__part(att->loader);
	xfn_loader__close(att->before);
	att->before = NULL;
}

void xfn_attachment__detach(struct xfn_attachment *att)
{
	xfn_offload__close(att->device);
	att->device = NULL;
	if (att->loader)
		xfn_loader__detach(att->loader);
}

void xfn_attachment__retire(struct xfn_attachment *att)
{
	/* with a loader of the time before, this one never served and counted nothing */
	if (att->before)
		xfn_loader__close(att->loader);
	else
		att->before = att->loader;
	att->loader = NULL;
}

struct xfn_loader *xfn_attachment__counted(const struct xfn_attachment *att)
{
	return att->loader ?: att->before;
}
