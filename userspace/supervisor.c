// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The supervisor's life: open, attach, start workers, let requests in, wait, and leave the
 * interface as it was found. Runs no function code and touches no packet.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <unistd.h>
#include <cap-ng.h>
#include "clock.h"
#include "log.h"
#include "supervisor_inside.h"

static bool may_use_bpf(void)
{
	capng_get_caps_process();
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) &&
	       (capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF) ||
		capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN));
}

/* Load the dispatcher for one mode and attach it. -EBUSY and -EEXIST style refusals end the run. */
static int attach_in(struct xfn_supervisor *sup, enum xfn_mode mode, char *err, size_t errlen)
{
	struct xfn_loader_options opts = {
		.ifname = sup->iface.name,
		.ifindex = sup->iface.index,
		.mtu = sup->iface.mtu,
		.rate = sup->opts->rate,
		.flags = (sup->opts->trust_checksum ? XFN_TRUST_CHECKSUM : 0) |
			 (sup->iface.local_peer ? XFN_LOCAL_PEER : 0) |
			 (sup->opts->route_fib ? XFN_ROUTE_FIB : 0) |
			 (mode == XFN_MODE_GENERIC ? XFN_GENERIC : 0) |
			 (mode == XFN_MODE_NATIVE && sup->iface.mtu > XFN_MTU_LINEAR ? XFN_FRAGS :
										       0),
	};
	char why[256];
	int ret = xfn_loader__open(&opts, &sup->loader, err, errlen);

	if (!ret)
		ret = xfn_loader__attach(sup->loader, mode, &sup->mode, why, sizeof(why), err,
					 errlen);
	if (ret) {
		xfn_loader__close(sup->loader);
		sup->loader = NULL;
		sup->mode = XFN_MODE_NONE;
	}
	return ret;
}

/*
 * Native, else generic, else none: each step down with its reason. A held interface is no step
 * down. An attached dispatcher without bound ports passes everything on.
 */
static int attach(struct xfn_supervisor *sup, char *err, size_t errlen)
{
	enum xfn_mode want = sup->opts->mode;
	char why[XFN_ERR_MAX];
	int ret;

	sup->mode = XFN_MODE_NONE;
	if (!sup->iface.name[0] || want == XFN_MODE_NONE || sup->opts->tier == XFN_TIER_SOCKET) {
		snprintf(sup->mode_reason, sizeof(sup->mode_reason), "%s",
			 !sup->iface.name[0]	     ? "no interface was given (-i)" :
			 want == XFN_MODE_NONE	     ? "--mode none" :
			 xfn_deploy__wants_ring(sup) ? "--engine packet" :
						       "--tier socket");
		return 0;
	}
	if (!may_use_bpf()) {
		snprintf(
			sup->mode_reason, sizeof(sup->mode_reason),
			"no privilege to load BPF programs (CAP_BPF and CAP_NET_ADMIN; run as root)");
		if (want == XFN_MODE_AUTO)
			return 0;
		snprintf(err, errlen, "%s: %.400s", sup->iface.name, sup->mode_reason);
		return -EPERM;
	}
	if (want != XFN_MODE_GENERIC) {
		ret = attach_in(sup, XFN_MODE_NATIVE, err, errlen);
		if (!ret || ret == -EBUSY || want == XFN_MODE_NATIVE)
			return ret;
		snprintf(sup->mode_reason, sizeof(sup->mode_reason), "%s", err);
	}
	ret = attach_in(sup, XFN_MODE_GENERIC, err, errlen);
	if (!ret || ret == -EBUSY || want == XFN_MODE_GENERIC)
		return ret;
	snprintf(why, sizeof(why), "%s", sup->mode_reason);
	snprintf(sup->mode_reason, sizeof(sup->mode_reason), "%.240s; %.240s", why, err);
	return 0;
}

/* The best engine behind UDP sockets that this host runs. */
static int best_udp_engine(struct xfn_supervisor *sup, const char **engine, char *err,
			   size_t errlen)
{
	static const char *const best_first[] = { "uring", "mmsg" };
	char why[200];

	for (unsigned i = 0; i < 2; i++) {
		*engine = best_first[i];
		if (!xfn_engine_probe(xfn_engine_find(best_first[i]), why, sizeof(why)))
			return 0;
		snprintf(sup->engine_reason, sizeof(sup->engine_reason), "not %s: %s",
			 best_first[i], why);
	}
	snprintf(err, errlen, "no engine for UDP sockets: %s; run `xfn check`", sup->engine_reason);
	return -EOPNOTSUPP;
}

/* The engine of tier socket: the one asked for, or the best. */
static int choose_engine(struct xfn_supervisor *sup, char *err, size_t errlen)
{
	const char *asked = sup->opts->engine;
	char why[200];

	if (asked && strcmp(asked, "afxdp")) {
		sup->udp_engine = asked;
		if (!xfn_engine_probe(xfn_engine_find(asked), why, sizeof(why)))
			return 0;
		snprintf(err, errlen, "engine %s: %s; leave --engine out", asked, why);
		return -EOPNOTSUPP;
	}
	return best_udp_engine(sup, &sup->udp_engine, err, errlen);
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

static int start_frame_workers(struct xfn_supervisor *sup, char *err, size_t errlen)
{
	unsigned queues = xfn_links__queues(sup);
	bool needed = sup->opts->tier == XFN_TIER_AFXDP || xfn_links__insists(sup);
	int ret = 0;

	if (!sup->loader || !xfn_deploy__wants_frames(sup))
		return 0;
	for (unsigned i = 0; !ret && i < queues; i++)
		ret = xfn_children__add(sup, "afxdp", xfn_links__queue(sup, i), err, errlen);
	if (!ret && sup->iface.mtu > XFN_MTU_LINEAR && !sup->children[0].umem.longest)
		xfn_log__line(LOG_NOTICE,
			      "%s: frames in several buffers take the slow path: this kernel's "
			      "AF_XDP does not take them (6.6 and later do)",
			      sup->iface.name);
	if (!ret && sup->opts->route_fib)
		xfn_log__line(LOG_NOTICE, "--reply-route fib: in tier xdp only; AF_XDP workers "
					  "answer the way the request came");
	if (!ret)
		return 0;
	xfn_children__remove(sup, 0);
	if (needed)
		return ret;
	snprintf(sup->engine_reason, sizeof(sup->engine_reason), "not afxdp: %.200s", err);
	xfn_log__line(LOG_WARNING, "AF_XDP cannot be had (%s); UDP sockets serve instead", err);
	xfn_deploy__to_sockets(sup, sup->engine_reason);
	return 0;
}

/*
 * Engine packet: a worker on the interface's frames, and one behind UDP sockets for what these
 * leave: fragments, options, what came by another way.
 */
static int start_ring_worker(struct xfn_supervisor *sup, char *err, size_t errlen)
{
	const char *engine;
	char why[256];
	int ret;

	sup->ring_mtu = sup->iface.mtu;
	ret = xfn_deploy__share(sup, err, errlen);
	ret = ret ?: xfn_children__add(sup, sup->udp_engine, 0, err, errlen);
	if (ret)
		return ret;
	if (best_udp_engine(sup, &engine, why, sizeof(why)) ||
	    xfn_children__add(sup, engine, 0, why, sizeof(why)))
		xfn_log__line(LOG_WARNING, "no slow path: %s", why);
	return 0;
}

static int start_socket_worker(struct xfn_supervisor *sup, char *err, size_t errlen)
{
	bool wanted = xfn_deploy__wants_sockets(sup);
	int ret;

	if (!wanted && !xfn_deploy__wants_slow(sup))
		return 0;
	ret = choose_engine(sup, err, errlen);
	ret = ret ?: xfn_deploy__listen(sup, err, errlen);
	if (!ret && sup->loader)
		xfn_deploy__listen_slow(sup);
	if (!ret && xfn_deploy__wants_ring(sup))
		return start_ring_worker(sup, err, errlen);
	if (!ret && sup->listener_count)
		ret = xfn_children__add(sup, sup->udp_engine, 0, err, errlen);
	if (!ret || wanted)
		return ret;
	xfn_log__line(LOG_WARNING, "no slow path: %s", err);
	return 0;
}

/* What is left is for workers to be restarted, maps to be changed and children to be ended. */
static void give_up_privileges(void)
{
	static const unsigned keep[] = { CAP_NET_ADMIN,	      CAP_NET_RAW,  CAP_BPF,
					 CAP_PERFMON,	      CAP_SETUID,   CAP_SETGID,
					 CAP_SETPCAP,	      CAP_IPC_LOCK, CAP_KILL,
					 CAP_NET_BIND_SERVICE };

	if (geteuid())
		return;
	capng_get_caps_process();
	capng_clear(CAPNG_SELECT_BOTH);
	for (unsigned i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
			     keep[i]);
	if (capng_apply(CAPNG_SELECT_BOTH))
		xfn_log__line(LOG_WARNING,
			      "cannot give up capabilities; going on with all of them");
}

static void say_ready(struct xfn_supervisor *sup)
{
	json_t *data;

	if (sup->opts->json) {
		data = xfn_stats__functions(sup);
		json_object_set_new(data, "ready", json_true());
		json_dumpf(data, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(data);
	} else {
		for (unsigned i = 0; i < sup->function_count; i++) {
			const struct xfn_deployed *fn = &sup->functions[i];

			printf("%-15s port %-5u tier %-6s %-7s %s\n", fn->mod->attr.name,
			       fn->addr.port, xfn_tier_name(fn->tier),
			       fn->tier == XFN_TIER_SOCKET ? sup->udp_engine :
							     xfn_mode_name(sup->mode),
			       fn->reason);
		}
		if (sup->mode == XFN_MODE_GENERIC && sup->mode_reason[0])
			printf("generic mode, because %s\n", sup->mode_reason);
		if (sup->engine_reason[0])
			printf("engine %s, %s\n", sup->udp_engine ?: "", sup->engine_reason);
		xfn_links__print(sup, stdout);
		printf("serving; Ctrl-C ends\n");
	}
	fflush(stdout);
}

static json_t *on_request(void *ctx, const char *verb, json_t *args, char *err, size_t errlen)
{
	struct xfn_supervisor *sup = ctx;

	if (!strcmp(verb, "ls"))
		return xfn_stats__functions(sup);
	if (!strcmp(verb, "stat"))
		return xfn_stats__counters(sup, json_is_true(json_object_get(args, "audit")));
	if (!strcmp(verb, "invoke"))
		return xfn_invoke(sup, args, err, errlen);
	if (!strcmp(verb, "release"))
		return xfn_quarantine__release(sup, args, err, errlen);
	if (!strcmp(verb, "scale"))
		return xfn_crews__scale(sup, args, err, errlen);
	snprintf(err, errlen,
		 "%s: unknown verb; this xfn knows ls, stat, invoke, release and scale", verb);
	return NULL;
}

/* Of two times in ms, -1 is never. */
static int sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void loop(struct xfn_supervisor *sup, int signals)
{
	struct pollfd fds[4 + XFN_CHILDREN];
	bool gone = false;

	while (!gone) {
		int timeout = xfn_children__restart_due(sup);
		int look = sooner(xfn_quarantine__watch(sup), xfn_crews__follow_load(sup));
		unsigned n = 4;

		timeout = sooner(timeout, look);
		fds[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = xfn_control__fd(sup->control), .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = sup->addresses ? xfn_addresses__fd(sup->addresses) :
								 -1,
					  .events = POLLIN };
		fds[3] = (struct pollfd){ .fd = sup->clock_fd, .events = POLLIN };
		for (unsigned i = 0; i < sup->child_count; i++)
			fds[n++] =
				(struct pollfd){ .fd = sup->children[i].state == XFN_CHILD_READY ?
							       sup->children[i].sock :
							       -1,
						 .events = POLLIN };
		if (poll(fds, n, timeout) < 0 && errno != EINTR)
			break;
		gone = fds[0].revents;
		if (fds[3].revents) {
			xfn_clock__taken(sup->clock_fd);
			xfn_served__live(sup);
		}
		if (fds[2].revents)
			xfn_served__changed(sup);
		/* Before the control socket: a request may wait for a worker that is gone. */
		for (unsigned i = 0; i < sup->child_count; i++)
			if (fds[4 + i].revents)
				xfn_children__message(sup, &sup->children[i]);
		if (fds[1].revents)
			xfn_control__serve(sup->control);
	}
}

static int open_all(struct xfn_supervisor *sup, char *err, size_t errlen)
{
	const struct xfn_run_options *opts = sup->opts;
	int ret = 0;

	if (opts->ifname) {
		ret = xfn_interface__read(opts->ifname, &sup->iface, err, errlen);
		if (!ret && !sup->iface.up) {
			snprintf(err, errlen, "%s: is down; `ip link set dev %s up`", opts->ifname,
				 opts->ifname);
			ret = -ENETDOWN;
		}
	}
	ret = ret ?: xfn_deploy__open(sup, err, errlen);
	/* Before anything is attached: another run of ours on this interface is refused by name. */
	ret = ret ?: xfn_control__listen(opts->ifname, on_request, sup, &sup->control, err, errlen);
	if (!ret && opts->ifname)
		ret = xfn_served__open(sup, err, errlen);
	ret = ret ?: attach(sup, err, errlen);
	ret = ret ?: xfn_deploy__tiers(sup, err, errlen);
	ret = ret ?: xfn_crews__open(sup, err, errlen);
	ret = ret ?: xfn_links__begin(sup, err, errlen);
	xfn_served__load(sup);
	if (!ret && sup->loader && opts->route_fib)
		check_forwarding(sup);
	ret = ret ?: start_frame_workers(sup, err, errlen);
	xfn_served__live(sup);
	ret = ret ?: start_socket_worker(sup, err, errlen);
	return ret ?: xfn_deploy__bind(sup, err, errlen);
}

int xfn_supervisor__run(const struct xfn_run_options *opts)
{
	struct xfn_supervisor *sup = calloc(1, sizeof(*sup));
	char err[XFN_ERR_MAX] = "";
	sigset_t ends, old;
	int signals, ret;

	if (!sup)
		return 1;
	sup->opts = opts;
	sup->clock_fd = xfn_clock__watch();
	/* Before the first worker: a signal must find us ready to clean up. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, &old);
	signals = signalfd(-1, &ends, SFD_CLOEXEC);
	ret = signals < 0 ? -errno : open_all(sup, err, sizeof(err));
	if (!ret) {
		give_up_privileges();
		say_ready(sup);
		loop(sup, signals);
	} else if (opts->json) {
		json_t *line = json_pack("{s:o}", "error", xfn_control__error(err));

		json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(line);
	} else {
		fprintf(stderr, "xfn: %s\n", err);
	}
	/* The interface first: what still comes goes to the host's stack. */
	xfn_loader__close(sup->loader);
	sup->loader = NULL;
	xfn_children__remove(sup, 0);
	xfn_links__end(sup);
	xfn_addresses__close(sup->addresses);
	xfn_control__close(sup->control);
	xfn_deploy__close(sup);
	if (sup->clock_fd >= 0)
		close(sup->clock_fd);
	if (signals >= 0) {
		struct signalfd_siginfo taken;

		/* It has done its work: unblocked, it would end us as if we had not listened. */
		for (int i = 0;
		     i < 3 && poll(&(struct pollfd){ .fd = signals, .events = POLLIN }, 1, 0) == 1;
		     i++)
			if (read(signals, &taken, sizeof(taken)) < 0)
				break;
		close(signals);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	free(sup);
	return ret ? 1 : 0;
}
