// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Serving on the interface: dispatcher attached, tiers settled, sockets open, workers started; and
 * the end of that. Workers take their time to start, and nothing here waits for them. Must never
 * know why it begins or ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <cap-ng.h>
#include "../../skel/error.h"
#include "../host/log.h"
#include "../host/now.h"
#include "supervisor_inside.h"

static bool may_use_bpf(void)
{
	capng_get_caps_process();
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) &&
	       (capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF) ||
		capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN));
}

/* Load the dispatcher for one mode and attach it. -EBUSY and -EEXIST style refusals end the run. */
static int attach_in(struct xfn_supervisor *sup, enum xfn_mode mode, struct xfn_error *err)
{
	struct xfn_loader_options opts = {
		.ifname = sup->iface.name,
		.ifindex = sup->iface.index,
		.mtu = sup->iface.mtu,
		.rate = sup->opts->rate,
		.before = sup->before,
		.flags = (sup->opts->trust_checksum ? XFN_TRUST_CHECKSUM : 0) |
			 (mode == XFN_MODE_NATIVE && sup->iface.local_peer ? XFN_LOCAL_PEER : 0) |
			 (sup->opts->route_fib ? XFN_ROUTE_FIB : 0) |
			 (mode == XFN_MODE_GENERIC ? XFN_GENERIC : 0) |
			 (mode == XFN_MODE_NATIVE && sup->iface.mtu > XFN_MTU_LINEAR ? XFN_FRAGS :
										       0),
	};
	struct xfn_error why = { 0 };
	int ret;

	if (sup->opts->libxdp) {
		ret = xfn_loader__open_shared(&opts, mode, &sup->loader, &why, err);
		if (!ret)
			sup->mode = mode;
		if (why.line[0])
			xfn_log__line(LOG_WARNING, "%s: %s", sup->iface.name, why.line);
		return ret;
	}
	ret = xfn_loader__open(&opts, &sup->loader, err);
	if (!ret)
		ret = xfn_loader__attach(sup->loader, mode, &sup->mode, &why, err);
	if (ret) {
		xfn_loader__close(sup->loader);
		sup->loader = NULL;
		sup->mode = XFN_MODE_NONE;
	}
	return ret;
}

/* Guards of the fast path answer neither loopback addresses nor this host's own as a source. */
#define LOOPBACK "its requests are this host's own, which UDP sockets answer"

/* On a loopback interface what was asked for would answer nothing: true, with one line in err. */
static bool refuses_loopback(const struct xfn_supervisor *sup, struct xfn_error *err)
{
	enum xfn_mode want = sup->opts->mode;

	if (xfn_deploy__wants_ring(sup))
		xfn_error__set(err,
			       "%s: engine packet answers nothing there: " LOOPBACK
			       "; leave --engine out",
			       sup->iface.name);
	else if (want != XFN_MODE_AUTO && want != XFN_MODE_NONE)
		xfn_error__set(err,
			       "%s: mode %s answers nothing there: " LOOPBACK "; leave --mode out",
			       sup->iface.name, xfn_mode_name(want));
	else
		return false;
	return true;
}

/* Why XDP is not tried; NULL: it is. */
static const char *why_no_xdp(const struct xfn_supervisor *sup, enum xfn_mode want)
{
	if (!sup->iface.name[0])
		return "no interface was given (-i)";
	if (sup->iface.loopback)
		return "on a loopback interface " LOOPBACK;
	if (want == XFN_MODE_NONE)
		return "--mode none";
	if (sup->opts->tier == XFN_TIER_SOCKET)
		return xfn_deploy__wants_ring(sup) ? "--engine packet" : "--tier socket";
	return NULL;
}

/*
 * Native, else generic, else none: each step down with its reason. A held interface is no step
 * down. An attached dispatcher without bound ports passes everything on.
 */
static int attach(struct xfn_supervisor *sup, struct xfn_error *err)
{
	/* beside a card the host serves as well as it can */
	enum xfn_mode want = sup->opts->mode == XFN_MODE_OFFLOAD ? XFN_MODE_AUTO : sup->opts->mode;
	char why[sizeof(sup->mode_reason.line)];
	const char *no;
	int ret;

	sup->mode = XFN_MODE_NONE;
	if (sup->iface.loopback && refuses_loopback(sup, err))
		return -EOPNOTSUPP;
	no = why_no_xdp(sup, want);
	if (no) {
		xfn_error__set(&sup->mode_reason, "%s", no);
		return 0;
	}
	if (!may_use_bpf()) {
		xfn_error__set(
			&sup->mode_reason,
			"no privilege to load BPF programs (CAP_BPF and CAP_NET_ADMIN; run as root)");
		if (want == XFN_MODE_AUTO)
			return 0;
		return xfn_fail(err, -EPERM, "%s: %.400s", sup->iface.name, sup->mode_reason.line);
	}
	if (want != XFN_MODE_GENERIC) {
		ret = attach_in(sup, XFN_MODE_NATIVE, err);
		if (!ret || ret == -EBUSY || want == XFN_MODE_NATIVE)
			return ret;
		xfn_error__set(&sup->mode_reason, "%s", err->line);
	}
	ret = attach_in(sup, XFN_MODE_GENERIC, err);
	if (!ret || ret == -EBUSY || want == XFN_MODE_GENERIC)
		return ret;
	snprintf(why, sizeof(why), "%s", sup->mode_reason.line);
	xfn_error__set(&sup->mode_reason, "%.240s; %.240s", why, err->line);
	return 0;
}

/* The best engine behind UDP sockets that this host runs. */
static int best_udp_engine(struct xfn_supervisor *sup, const char **engine, struct xfn_error *err)
{
	const struct xfn_engine_ops *best;
	struct xfn_error why;

	for (unsigned rank = 1; (best = xfn_engine_of_rank(rank)); rank++) {
		*engine = best->name;
		if (!xfn_engine_probe(best, &why))
			return 0;
		snprintf(sup->engine_reason, sizeof(sup->engine_reason), "not %s: %.220s",
			 best->name, why.line);
	}
	return xfn_fail(err, -EOPNOTSUPP, "no engine for UDP sockets: %s; run `xfn check`",
			sup->engine_reason);
}

/* The engine of tier socket: the one asked for, or the best. */
static int choose_engine(struct xfn_supervisor *sup, struct xfn_error *err)
{
	const char *asked = sup->opts->engine;
	struct xfn_error why;

	if (asked && strcmp(asked, "afxdp")) {
		sup->udp_engine = asked;
		if (!xfn_engine_probe(xfn_engine_find(asked), &why))
			return 0;
		return xfn_fail(err, -EOPNOTSUPP, "engine %s: %s; leave --%s out", asked, why.line,
				sup->opts->sqpoll ? "sqpoll" : "engine");
	}
	return best_udp_engine(sup, &sup->udp_engine, err);
}

/* The kernel looks routes up for XDP only where it forwards. */
static void check_forwarding(const struct xfn_supervisor *sup)
{
	static const char *const families[] = { "ipv4", "ipv6" };

	for (unsigned i = 0; i < 2; i++) {
		char path[128];
		FILE *f;
		int on = 0;

		snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/forwarding", families[i],
			 sup->iface.name);
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
				families[i], families[i], sup->iface.name);
	}
}

static void start_frame_workers(struct xfn_supervisor *sup)
{
	unsigned queues = xfn_nic_features__queues(sup);

	for (unsigned i = 0; sup->loader && xfn_deploy__wants_frames(sup) && i < queues; i++)
		xfn_workers__add(sup, "afxdp", xfn_nic_features__queue(sup, i));
}

/*
 * Have all serve that were added? 0, 1: one is still starting, or -errno with its line in err: one
 * cannot. An optional one that cannot is said, and its place, the last one, is given up.
 */
static int all_serve(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret = 0;

	for (unsigned i = 0; i < sup->worker_count; i++) {
		struct xfn_worker_process *worker = &sup->workers[i];

		if (worker->served)
			continue;
		if (worker->state != XFN_WORKER_DEAD) {
			ret = 1;
			continue;
		}
		if (!worker->optional) {
			xfn_error__set(err, "%s", worker->error.line);
			return worker->ret;
		}
		xfn_log__line(LOG_WARNING, "no slow path: %s", worker->error.line);
		xfn_workers__remove(sup, i);
	}
	return ret;
}

/* How the workers of frames have started. 0: the next ones may. */
static int frames_started(struct xfn_supervisor *sup, int ret, struct xfn_error *err)
{
	if (!ret && sup->worker_count && sup->iface.mtu > XFN_MTU_LINEAR &&
	    !sup->workers[0].umem.longest)
		xfn_log__line(LOG_NOTICE,
			      "%s: frames in several buffers take the slow path: this kernel's "
			      "AF_XDP does not take them (6.6 and later do)",
			      sup->iface.name);
	if (!ret && sup->worker_count && sup->opts->route_fib)
		xfn_log__line(LOG_NOTICE, "--reply-route fib: in tier xdp only; AF_XDP workers "
					  "answer the way the request came");
	if (!ret && sup->worker_count)
		xfn_nic_features__log_queues(sup);
	if (!ret)
		return 0;
	xfn_workers__remove(sup, 0);
	if (sup->opts->tier == XFN_TIER_AFXDP || xfn_nic_features__insists(sup))
		return ret;
	snprintf(sup->engine_reason, sizeof(sup->engine_reason), "not afxdp: %.200s", err->line);
	xfn_log__line(LOG_WARNING, "AF_XDP cannot be had (%s); UDP sockets serve instead",
		      err->line);
	xfn_deploy__to_sockets(sup, sup->engine_reason);
	if (!sup->serving)
		return 0;
	/* other tiers want other sockets and ports */
	return xfn_fail(err, -EAGAIN, "its functions change to UDP sockets");
}

/*
 * Engine packet: a worker on the interface's frames, and one behind UDP sockets for what these
 * leave: fragments, options, what came by another way.
 */
static int start_ring_worker(struct xfn_supervisor *sup, struct xfn_error *err)
{
	struct xfn_error why;
	int ret = sup->ring_mtu ? 0 : xfn_ring__open(sup, err);

	if (ret)
		return ret;
	xfn_workers__add(sup, sup->udp_engine, 0);
	if (best_udp_engine(sup, &sup->slow_engine, &why)) {
		xfn_log__line(LOG_WARNING, "no slow path: %s", why.line);
		sup->slow_engine = NULL;
	} else if (sup->listener_count) {
		xfn_workers__add(sup, sup->slow_engine, 0)->optional = true;
	}
	return 0;
}

static int start_socket_worker(struct xfn_supervisor *sup, struct xfn_error *err)
{
	bool wanted = xfn_deploy__wants_sockets(sup);
	int ret;

	if (!wanted && !xfn_deploy__wants_slow(sup))
		return 0;
	ret = choose_engine(sup, err);
	if (!ret && xfn_deploy__wants_ring(sup))
		ret = start_ring_worker(sup, err);
	else if (!ret && sup->listener_count)
		xfn_workers__add(sup, sup->udp_engine, 0)->optional = !wanted;
	if (!ret || wanted)
		return ret;
	xfn_log__line(LOG_WARNING, "no slow path: %s", err->line);
	return 0;
}

int xfn_serving__begin(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret;

	sup->renewals++;
	sup->begun_ns = xfn_now_ns();
	sup->addresses_changed = sup->devices_changed = false;
	sup->mode_reason.line[0] = sup->engine_reason[0] = '\0';
	for (unsigned i = 0; !sup->served_once && i < sup->function_count; i++)
		sup->functions[i].set_aside[0] = '\0'; /* a first start tries all of them */
	ret = attach(sup, err);
	ret = ret ?: xfn_deploy__tiers(sup, err);
	ret = ret ?: xfn_nic_features__begin(sup, err);
	xfn_local_addresses__load(sup);
	xfn_pools__load(sup);
	if (!ret && sup->loader && sup->opts->route_fib)
		check_forwarding(sup);
	if (ret) {
		xfn_serving__end(sup);
		return ret;
	}
	start_frame_workers(sup);
	sup->phase = XFN_PHASE_FRAMES;
	return 0;
}

/*
 * Workers of frames serve, or there are none: now those behind UDP sockets. 1: sockets are tried
 * again soon.
 */
static int begin_sockets(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret = 0;

	if (!sup->serving)
		ret = xfn_listeners__open(sup, err);
	if (ret == 1)
		return 1;
	sup->phase = XFN_PHASE_SOCKETS;
	return ret ?: start_socket_worker(sup, err);
}

/* All workers serve: let requests in. */
static int open_ports(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret = xfn_deploy__bind(sup, err);

	/* last: what the card passes on finds the host serving */
	ret = ret ?: xfn_offload_device__load(sup, err);
	/* a run that serves nothing is of no use to whom it was started for */
	if (!sup->served_once)
		ret = ret ?: xfn_quarantine__any_serves(sup, err);
	if (!ret && !sup->served_once)
		xfn_local_addresses__log_unasked(sup);
	if (!ret && sup->loader) {
		xfn_loader__part(sup->loader);
		xfn_loader__close(sup->before);
		sup->before = NULL;
	}
	if (!ret)
		sup->serving = sup->served_once = true;
	return ret;
}

int xfn_serving__step(struct xfn_supervisor *sup, struct xfn_error *err)
{
	int ret = all_serve(sup, err);

	if (ret == 1)
		return 1;
	if (sup->phase == XFN_PHASE_FRAMES) {
		ret = frames_started(sup, ret, err);
		xfn_local_addresses__set_runtime(sup);
		sup->phase = XFN_PHASE_LISTENERS;
	}
	if (!ret && sup->phase == XFN_PHASE_LISTENERS) {
		ret = begin_sockets(sup, err);
		ret = ret ?: all_serve(sup, err);
	}
	if (ret == 1)
		return 1;
	if (!ret && !sup->serving)
		ret = open_ports(sup, err);
	if (ret)
		xfn_serving__end(sup);
	sup->phase = XFN_PHASE_NONE;
	return ret;
}

void xfn_serving__end(struct xfn_supervisor *sup)
{
	/* card and interface first: what still comes goes to the host's stack */
	xfn_offload_device__unload(sup);
	if (sup->loader)
		xfn_loader__detach(sup->loader);
	sup->renewals++;
	xfn_ring__close(sup);
	xfn_workers__remove(sup, 0);
	xfn_nic_features__end(sup);
	xfn_listeners__close(sup);
	/* one that never served counted nothing */
	if (sup->before)
		xfn_loader__close(sup->loader);
	else
		sup->before = sup->loader;
	sup->loader = NULL;
	sup->serving = false;
	sup->phase = XFN_PHASE_NONE;
}

void xfn_serving__renew_workers(struct xfn_supervisor *sup)
{
	struct xfn_error err;

	sup->renewals++;
	sup->begun_ns = xfn_now_ns();
	/* the worker of now answers what is in the ring before; without a new one all begins anew */
	if (sup->ring_mtu && xfn_ring__open(sup, &err))
		xfn_ring__close(sup);
	xfn_workers__remove(sup, 0);
	start_frame_workers(sup);
	sup->phase = XFN_PHASE_FRAMES;
}
