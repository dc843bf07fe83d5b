// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The supervisor's life: open, begin to serve, wait for what happens, and leave the interface as it
 * was found. Runs no function code and touches no packet.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <unistd.h>
#include <linux/capability.h>
#include "../../skel/error.h"
#include "../host/ethtool_channels.h"
#include "../host/clock.h"
#include "../host/limits.h"
#include "../host/log.h"
#include "../control/control.h"
#include "../host/printable.h"
#include "../nic/napi.h"
#include "../../skel/privileges.h"
#include "ingress/listeners.h"
#include "ingress/nic_features.h"
#include "workers/quarantine.h"
#include "supervisor.h"
#include "supervisor_parts.h"

/* Keep what is needed to restart and to end workers, and to change maps. */
static void give_up_privileges(void)
{
	static const unsigned kept[] = { CAP_NET_ADMIN,	      CAP_NET_RAW,  CAP_BPF,
					 CAP_PERFMON,	      CAP_SETUID,   CAP_SETGID,
					 CAP_SETPCAP,	      CAP_IPC_LOCK, CAP_KILL,
					 CAP_NET_BIND_SERVICE };

	if (xfn_privileges__keep(kept, sizeof(kept) / sizeof(kept[0])))
		xfn_log__line(LOG_WARNING,
			      "cannot give up capabilities; going on with all of them");
}

static void print_nic(const struct xfn_supervisor *sup, FILE *out)
{
	int rules = xfn_nic_features__rules(sup->ingress);

	if (xfn_workers__on_frames(sup->workers))
		fprintf(out, "AF_XDP with%s copies (%s)\n",
			xfn_workers__zero_copy(sup->workers) ? "out" : "",
			xfn_nic_features__zero_copy_reason(sup->ingress));
	if (rules >= 0)
		fprintf(out, "%d flow rules steer requests to %u of %u queues\n", rules,
			sup->opts->links.steer_count, sup->interface->iface.queues);
}

static void print_functions(const struct xfn_supervisor *sup, FILE *out)
{
	char text[300];

	for (unsigned i = 0;
	     xfn_functions__served_once(sup->functions) && i < xfn_functions__count(sup->functions);
	     i++) {
		const struct xfn_deployed *fn = xfn_functions__at(sup->functions, i);
		char state[512], shown[512];
		const char *why = state;

		xfn_quarantine__sentence(sup->workers, i, state, sizeof(state));
		if (!*state)
			why = fn->reason; /* it may have a name in it that an author chose */
		xfn_printable(why, strlen(why), shown, sizeof(shown));
		fprintf(out, "%-15s port %-5u tier %-6s %-7s %s\n", fn->mod->attr.name,
			fn->addr.port, xfn_tier_name(fn->tier),
			fn->tier == XFN_TIER_SOCKET ? xfn_workers__udp_engine(sup->workers) :
						      xfn_attachment__mode_of(sup->attachment, fn),
			shown);
	}
	if (sup->attachment->mode == XFN_MODE_GENERIC && sup->attachment->mode_reason.line[0])
		fprintf(out, "generic mode, because %s\n", sup->attachment->mode_reason.line);
	if (xfn_workers__engine_reason(sup->workers)[0])
		fprintf(out, "engine %s, %s\n", xfn_workers__udp_engine(sup->workers) ?: "",
			xfn_workers__engine_reason(sup->workers));
	print_nic(sup, out);
	if (!sup->serving.on) {
		xfn_link_state__state(sup, text, sizeof(text));
		fprintf(out, "%s\n", text);
	}
}

static void log_ready(struct xfn_supervisor *sup)
{
	FILE *out = sup->opts->report ? fdopen(sup->opts->report, "w") : stdout;
	json_t *data;

	if (!out)
		return;
	if (out != stdout)
		fputc(XFN_REPORT_READY, out);
	if (sup->opts->json) {
		data = xfn_requests__served(sup->requests);
		json_object_set_new(data, "ready", json_boolean(sup->serving.on));
		json_dumpf(data, out, JSON_COMPACT);
		fputc('\n', out);
		json_decref(data);
	} else {
		print_functions(sup, out);
	}
	if (out != stdout) {
		fclose(out);
		return;
	}
	if (!sup->opts->json)
		puts(sup->serving.on ? "serving; Ctrl-C ends" : "Ctrl-C ends");
	fflush(out);
}

void xfn_supervisor__failed(bool json, const char *line)
{
	json_t *error;

	if (!json) {
		fprintf(stderr, "xfn: %s\n", line);
		return;
	}
	error = json_pack("{s:o}", "error", xfn_control__error(line));
	json_dumpf(error, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(error);
}

static void log_failed(const struct xfn_supervisor *sup, const char *line)
{
	if (sup->opts->report)
		dprintf(sup->opts->report, "%c%s", XFN_REPORT_FAILED, line);
	else
		xfn_supervisor__failed(sup->opts->json, line);
}

static void settle(void *ctx);

static void on_signals(void *ctx)
{
	struct xfn_supervisor *sup = ctx;
	struct signalfd_siginfo info;

	/* first: workers that end together with this process are neither logged nor restarted */
	if (read(sup->on_signals.fd, &info, sizeof(info)) == sizeof(info))
		xfn_events__end(&sup->loop);
}

static void on_clock(void *ctx)
{
	struct xfn_supervisor *sup = ctx;

	xfn_clock__taken(sup->clock_fd);
	xfn_attachment__set_runtime(sup->attachment, xfn_workers__multi_buffer(sup->workers));
}

/* Read links and addresses, once in a round. True: workers are others than before. */
static bool look(void *ctx)
{
	struct xfn_supervisor *sup = ctx;

	if (!sup->ready || !sup->interface->addresses || sup->looked == sup->loop.rounds)
		return false;
	sup->looked = sup->loop.rounds;
	return xfn_link_state__changed(sup);
}

static void on_addresses(void *ctx)
{
	look(ctx);
}

static void on_channels(void *ctx)
{
	struct xfn_supervisor *sup = ctx;

	xfn_channels__taken(sup->channels_fd);
	look(sup);
}

/* The first start is over: what is served is said. */
static void started(struct xfn_supervisor *sup)
{
	sup->ready = true;
	/* also for an interface that is yet to come */
	if (sup->opts->ifname)
		xfn_napi__open();
	give_up_privileges();
	log_ready(sup);
	if (!sup->interface->addresses)
		return;
	/* what the interface did meanwhile has waited for this */
	xfn_events__watch(&sup->loop, &sup->on_addresses, XFN_TURN_EARLY,
			  xfn_addresses__fd(sup->interface->addresses), on_addresses, sup);
	xfn_events__watch(&sup->loop, &sup->on_channels, XFN_TURN_EARLY, sup->channels_fd,
			  on_channels, sup);
	if (sup->serving.on && sup->interface->iface.name[0])
		xfn_link_state__follow(sup);
}

/* Go on with what has begun, as far as workers and sockets are ready for it. */
static void step(struct xfn_supervisor *sup)
{
	bool anew = sup->serving.on;
	struct xfn_error err = { 0 };
	int ret = sup->serving.phase ? xfn_serving__step(sup, &err) : 0, ms;

	if (ret == 1) {
		/* a socket was found held */
		ms = sup->serving.phase == XFN_PHASE_LISTENERS ?
			     xfn_listeners__retry_ms(sup->ingress) :
			     -1;
		if (ms >= 0)
			xfn_events__after(&sup->loop, &sup->settle, (unsigned)ms, settle, sup);
	} else if (sup->ready) {
		xfn_link_state__begun(sup, anew, ret, err.line);
	} else if (ret) {
		sup->failed = ret;
		sup->failed_because = err;
		xfn_events__end(&sup->loop);
	} else {
		started(sup);
	}
}

static void settle(void *ctx)
{
	struct xfn_supervisor *sup = ctx;

	if (sup->serving.phase || !sup->ready)
		step(sup);
	xfn_requests__check(sup->requests);
}

void xfn_supervisor__settle(struct xfn_supervisor *sup)
{
	xfn_events__after(&sup->loop, &sup->settle, 0, settle, sup);
}

static void on_changed(void *ctx)
{
	xfn_supervisor__settle(ctx);
}

static void on_message(void *ctx, const struct xfn_worker_process *worker,
		       const struct xfn_message *msg)
{
	const struct xfn_supervisor *sup = ctx;

	xfn_requests__message(sup->requests, worker, msg);
}

/* struct xfn_requests_host: what requests ask of this folder. */
static const char *state(void *ctx, char *text, size_t len)
{
	return xfn_link_state__state(ctx, text, len);
}

static bool serving(void *ctx)
{
	const struct xfn_supervisor *sup = ctx;

	return sup->serving.on;
}

static bool starting(void *ctx)
{
	const struct xfn_supervisor *sup = ctx;

	return sup->serving.phase != XFN_PHASE_NONE;
}

static void renew_workers(void *ctx)
{
	xfn_serving__renew_workers(ctx);
}

/* Until a signal ends it: 0; or -errno of the first start with one line in err. */
static int loop(struct xfn_supervisor *sup, int signals, struct xfn_error *err)
{
	xfn_events__watch(&sup->loop, &sup->on_signals, XFN_TURN_FIRST, signals, on_signals, sup);
	xfn_events__watch(&sup->loop, &sup->on_clock, XFN_TURN_EARLY, sup->clock_fd, on_clock, sup);
	xfn_supervisor__settle(sup);
	xfn_events__run(&sup->loop);
	*err = sup->failed_because;
	return sup->failed;
}

static void on_local_address(void *ctx, const struct xfn_local_address *local, bool added)
{
	const struct xfn_supervisor *sup = ctx;

	xfn_attachment__address_changed(sup->attachment, local, added);
}

static void on_host(void *ctx)
{
	const struct xfn_supervisor *sup = ctx;

	xfn_ingress__host_changed(sup->ingress);
	xfn_attachment__host_changed(sup->attachment);
}

/* One owner of each kind; nothing is attached or started yet. */
static int make_owners(struct xfn_supervisor *sup, struct xfn_error *err)
{
	const struct xfn_run_options *opts = sup->opts;
	struct xfn_workers_parts parts;
	int ret = xfn_interface_state__open(opts, &sup->interface, err);

	ret = ret ?: xfn_functions__open(opts, &sup->functions, err);
	if (ret)
		return ret;
	sup->attachment = xfn_attachment__make(opts, sup->interface, sup->functions);
	if (!sup->attachment)
		return xfn_fail(err, -ENOMEM, "out of memory");
	sup->ingress = xfn_ingress__make(opts, &sup->loop, sup->interface, sup->attachment,
					 sup->functions);
	if (!sup->ingress)
		return xfn_fail(err, -ENOMEM, "out of memory");
	parts = (struct xfn_workers_parts){
		.opts = opts,
		.loop = &sup->loop,
		.functions = sup->functions,
		.interface = sup->interface,
		.attachment = sup->attachment,
		.ingress = sup->ingress,
		.events = { sup, look, on_changed, on_message },
	};
	return xfn_workers__make(&parts, &sup->workers, err);
}

static int open_all(struct xfn_supervisor *sup, struct xfn_error *err)
{
	const struct xfn_run_options *opts = sup->opts;
	int ret = make_owners(sup, err);
	const struct xfn_requests_parts parts = {
		.opts = opts,
		.loop = &sup->loop,
		.functions = sup->functions,
		.interface = sup->interface,
		.attachment = sup->attachment,
		.ingress = sup->ingress,
		.workers = sup->workers,
		.host = { sup, state, serving, starting, renew_workers },
	};
	const struct xfn_interface_events events = { sup, on_local_address, on_host };

	/* Before anything is attached: another run of ours on this interface is refused by name. */
	ret = ret ?: xfn_requests__open(&parts, &sup->requests, err);
	if (ret)
		return ret;
	ret = xfn_interface_state__watch(sup->interface, opts, &events, err);
	if (!opts->ifname) /* for what sockets refuse only: served without it, too */
		ret = 0;
	if (ret || (opts->ifname && !sup->interface->iface.up))
		return ret;
	return xfn_serving__begin(sup, err);
}

/* Take the signals that came: unblocked, one would kill this process. */
static void drain(int signals)
{
	struct signalfd_siginfo taken;

	while (read(signals, &taken, sizeof(taken)) == sizeof(taken))
		;
}

int xfn_supervisor__run(const struct xfn_run_options *opts)
{
	struct xfn_supervisor *sup = calloc(1, sizeof(*sup));
	struct xfn_error err = { 0 };
	sigset_t ends, old;
	int signals, ret;

	if (!sup)
		return 1;
	sup->opts = opts;
	if (opts->beside)
		xfn_log__name(opts->ifname);
	/* each function has a socket or two on each address or device */
	xfn_limits__raise();
	/* the reader of standard output may leave; the interface must still be given back */
	signal(SIGPIPE, SIG_IGN);
	sup->clock_fd = xfn_clock__watch();
	sup->channels_fd = opts->ifname ? xfn_channels__watch() : -1;
	/* Before the first worker starts: from here on a signal leads to an orderly end. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, &old);
	signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	ret = signals < 0 ? -errno : open_all(sup, &err);
	ret = ret ?: loop(sup, signals, &err);
	if (ret) {
		xfn_limits__advise(err.line, sizeof(err.line),
				   xfn_interface_state__descriptors(sup->interface, sup->opts));
		log_failed(sup, err.line);
	}
	if (sup->workers) {
		xfn_serving__end(sup);
		xfn_workers__wait(sup->workers);
	}
	xfn_attachment__close(sup->attachment);
	xfn_interface_state__close(sup->interface);
	xfn_requests__close(sup->requests);
	xfn_workers__close(sup->workers);
	xfn_ingress__close(sup->ingress);
	xfn_functions__close(sup->functions);
	if (sup->clock_fd >= 0)
		close(sup->clock_fd);
	if (sup->channels_fd >= 0)
		close(sup->channels_fd);
	if (signals >= 0) {
		drain(signals);
		close(signals);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	free(sup);
	return ret ? 1 : 0;
}
