// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The supervisor's life: open, begin to serve, wait for what happens, and leave the interface as it
 * was found. Runs no function code and touches no packet.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include <linux/capability.h>
#include "../../skel/error.h"
#include "../host/ethtool_channels.h"
#include "../host/clock.h"
#include "../host/limits.h"
#include "../host/log.h"
#include "../host/printable.h"
#include "../nic/napi.h"
#include "../../skel/privileges.h"
#include "../../skel/socket_filter.h"
#include "supervisor_inside.h"

/* What is left is for workers to be restarted, maps to be changed and children to be ended. */
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

/*
 * A worker started later is the program of now, and without the privilege to search folders that
 * are not root's. Returns the descriptor that is to be held, -1: the path it is.
 */
static int hold_worker(struct xfn_supervisor *sup)
{
	int fd = open(sup->opts->worker, O_PATH | O_CLOEXEC), high = -1;

	snprintf(sup->worker, sizeof(sup->worker), "%s", sup->opts->worker);
	if (fd < 0 || access("/proc/self/fd", X_OK))
		goto out;
	/* a worker finds its end of the pair in place of a low one */
	high = fcntl(fd, F_DUPFD_CLOEXEC, XFN_WORKER_PROTOCOL_FD + 1);
	if (high >= 0)
		snprintf(sup->worker, sizeof(sup->worker), "/proc/self/fd/%d", high);
out:
	if (fd >= 0)
		close(fd);
	return high;
}

static void print_functions(const struct xfn_supervisor *sup, FILE *out)
{
	char text[300];

	for (unsigned i = 0; sup->served_once && i < sup->function_count; i++) {
		const struct xfn_deployed *fn = &sup->functions[i];
		char state[512], shown[512];
		const char *why = state;

		xfn_quarantine__sentence(sup, fn, state, sizeof(state));
		if (!*state)
			why = fn->reason; /* it may have a name in it that an author chose */
		xfn_printable(why, strlen(why), shown, sizeof(shown));
		fprintf(out, "%-15s port %-5u tier %-6s %-7s %s\n", fn->mod->attr.name,
			fn->addr.port, xfn_tier_name(fn->tier),
			fn->tier == XFN_TIER_SOCKET ? sup->udp_engine :
						      xfn_offload_device__mode(sup, fn),
			shown);
	}
	if (sup->mode == XFN_MODE_GENERIC && sup->mode_reason.line[0])
		fprintf(out, "generic mode, because %s\n", sup->mode_reason.line);
	if (sup->engine_reason[0])
		fprintf(out, "engine %s, %s\n", sup->udp_engine ?: "", sup->engine_reason);
	xfn_nic_features__print(sup, out);
	if (!sup->serving) {
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
		data = xfn_stats__functions(sup);
		json_object_set_new(data, "ready", json_boolean(sup->serving));
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
		puts(sup->serving ? "serving; Ctrl-C ends" : "Ctrl-C ends");
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

static json_t *on_request(void *ctx, const char *verb, json_t *args, struct xfn_error *err)
{
	struct xfn_supervisor *sup = ctx;
	char text[300];

	if (!strcmp(verb, "ls"))
		return xfn_stats__functions(sup);
	if (!strcmp(verb, "stat") && json_is_true(json_object_get(args, "audit")))
		return xfn_audit(sup, xfn_stats__counters(sup), err);
	if (!strcmp(verb, "stat"))
		return xfn_stats__counters(sup);
	if (!sup->serving && !strcmp(verb, "invoke")) {
		xfn_link_state__state(sup, text, sizeof(text));
		xfn_error__set(err, "%s; `xfn ls` says when it is", text);
		return NULL;
	}
	if (!strcmp(verb, "invoke"))
		return xfn_invoke(sup, args, err);
	if (!strcmp(verb, "release"))
		return xfn_quarantine__release(sup, args, err);
	if (!strcmp(verb, "scale"))
		return xfn_pools__scale(sup, args, err);
	xfn_error__set(err,
		       "%.64s: unknown verb; this xfn knows ls, stat, invoke, release and scale",
		       verb);
	return NULL;
}

/* Of two times in ms, -1 is never. */
static int sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

enum {
	SIGNALS,
	CONTROL,
	ADDRESSES,
	CLOCK,
	CHANNELS,
	OTHERS
}; /* what is polled besides workers */
#define LEAVERS (OTHERS + XFN_WORKER_FDS * XFN_WORKER_PROCESSES)
#define POLLED	(LEAVERS + 2 * XFN_WORKER_PROCESSES)

/* Returns ms until something is due, -1: nothing is. */
static int work(struct xfn_supervisor *sup, bool ready)
{
	int timeout = sup->iface.name[0] && ready ? xfn_link_state__retry(sup) : -1;

	timeout = sooner(timeout, xfn_workers__due(sup));
	timeout = sooner(timeout, xfn_process__reap(sup));
	timeout = sooner(timeout, xfn_quarantine__watch(sup));
	timeout = sooner(timeout, xfn_standstill__watch(sup));
	timeout = sooner(timeout, xfn_pools__follow_load(sup));
	timeout = sooner(timeout, xfn_nic_features__retry(sup));
	timeout = sooner(timeout, xfn_invoke__watch(sup));
	return sooner(timeout, xfn_audit__watch(sup));
}

/* What the interface does while the first start is under way waits for its end. */
static unsigned watch(const struct xfn_supervisor *sup, int signals, bool ready, struct pollfd *fds)
{
	const int others[OTHERS] = {
		[SIGNALS] = signals,
		[CONTROL] = xfn_control__fd(sup->control),
		[ADDRESSES] = sup->addresses && ready ? xfn_addresses__fd(sup->addresses) : -1,
		[CLOCK] = sup->clock_fd,
		[CHANNELS] = ready ? sup->channels_fd : -1,
	};
	unsigned n;

	for (n = 0; n < OTHERS; n++)
		fds[n] = (struct pollfd){ .fd = others[n], .events = POLLIN };
	for (unsigned i = 0; i < sup->worker_count; i++, n += XFN_WORKER_FDS)
		xfn_workers__poll(&sup->workers[i], fds + n);
	return n + xfn_process__poll(sup, fds + n, POLLED - LEAVERS);
}

/* What poll(2) found, but for signals. */
static void attend(struct xfn_supervisor *sup, const struct pollfd *fds, bool ready)
{
	unsigned count = sup->worker_count;
	bool look;

	if (fds[CLOCK].revents) {
		xfn_clock__taken(sup->clock_fd);
		xfn_local_addresses__set_runtime(sup);
	}
	/* An interface that goes takes its workers along before it says so. */
	look = fds[ADDRESSES].revents || fds[CHANNELS].revents;
	if (fds[CHANNELS].revents)
		xfn_channels__taken(sup->channels_fd);
	for (unsigned i = 0; i < count; i++)
		look = look || fds[OTHERS + XFN_WORKER_FDS * i].revents ||
		       fds[OTHERS + XFN_WORKER_FDS * i + 1].revents;
	if (look && ready && sup->addresses && xfn_link_state__changed(sup))
		return;
	/* Before the control socket: a request may wait for a worker that is gone. */
	for (unsigned i = 0; i < count; i++) {
		const struct pollfd *own = fds + OTHERS + XFN_WORKER_FDS * i;

		if (own[0].revents || own[1].revents || own[2].revents)
			xfn_workers__attend(sup, &sup->workers[i]);
	}
	if (fds[CONTROL].revents)
		xfn_control__serve(sup->control);
}

/* Is the first start over? It ends with 0 and what is served is said, or with -errno and err. */
static bool has_started(struct xfn_supervisor *sup, int *ret, struct xfn_error *err)
{
	*ret = sup->phase ? xfn_serving__step(sup, err) : 0;
	if (*ret == 1)
		return false;
	if (*ret)
		return true;
	/* also for an interface that is yet to come */
	if (sup->opts->ifname)
		xfn_napi__open();
	give_up_privileges();
	log_ready(sup);
	return true;
}

/* poll(2) failed, for want of memory maybe: no reason to end. True: somebody wants us to. */
static bool cannot_wait(bool *said)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	sigset_t pending;

	if (!*said)
		xfn_log__line(LOG_ERR, "cannot wait for what happens: %s; tried again",
			      strerror(errno));
	*said = true;
	nanosleep(&pause, NULL);
	return !sigpending(&pending) &&
	       (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
		sigismember(&pending, SIGHUP) == 1);
}

/* Until a signal ends it: 0; or -errno of the first start with one line in err. */
static int loop(struct xfn_supervisor *sup, int signals, struct xfn_error *err)
{
	struct pollfd fds[POLLED];
	bool ready = false, unable = false;
	int ret = 0, timeout;

	for (;;) {
		timeout = work(sup, ready);
		if (!ready) {
			ready = has_started(sup, &ret, err);
			if (ret < 0)
				return ret;
			if (ready)
				continue;
		} else if (sup->phase) {
			bool anew = sup->serving;

			ret = xfn_serving__step(sup, err);
			if (ret != 1) {
				xfn_link_state__begun(sup, anew, ret, err->line);
				continue;
			}
		}
		/* the step before may have found a socket held */
		if (sup->phase == XFN_PHASE_LISTENERS)
			timeout = sooner(timeout, xfn_listeners__retry_ms(sup));
		if (poll(fds, watch(sup, signals, ready, fds), timeout) < 0) {
			if (errno != EINTR && cannot_wait(&unable))
				return 0;
			continue;
		}
		unable = false;
		/* first: workers that end with us need no word, and no other one */
		if (fds[SIGNALS].revents)
			return 0;
		attend(sup, fds, ready);
	}
}

static int open_interface(struct xfn_supervisor *sup, struct xfn_error *err)
{
	const struct xfn_run_options *opts = sup->opts;
	int ret = xfn_interface__read(opts->ifname, &sup->iface, err);

	if (ret == -ENODEV && opts->wait) {
		snprintf(sup->iface.name, sizeof(sup->iface.name), "%s", opts->ifname);
		return 0;
	}
	if (ret || sup->iface.up || opts->wait)
		return ret;
	return xfn_fail(err, -ENETDOWN, "%s: is down; `ip link set dev %s up`, or --wait for it",
			opts->ifname, opts->ifname);
}

static int open_all(struct xfn_supervisor *sup, struct xfn_error *err)
{
	const struct xfn_run_options *opts = sup->opts;
	int ret = opts->ifname ? open_interface(sup, err) : 0;

	ret = ret ?: xfn_deploy__open(sup, err);
	ret = ret ?: xfn_pools__open(sup, err);
	/* Before anything is attached: another run of ours on this interface is refused by name. */
	ret = ret   ?:
		      xfn_control__listen(opts->ifname ? sup->iface.name : NULL, on_request, sup,
					  &sup->control, err);
	if (!ret && opts->ifname)
		ret = xfn_local_addresses__open(sup, err);
	else if (!ret) /* for what sockets refuse only: served without it, too */
		xfn_local_addresses__open(sup, err);
	if (ret || (opts->ifname && !sup->iface.up))
		return ret;
	return xfn_serving__begin(sup, err);
}

/* The signals have done their work: unblocked, they would end us as if we had not listened. */
static void drain(int signals)
{
	struct pollfd ready = { .fd = signals, .events = POLLIN };
	struct signalfd_siginfo taken;

	for (int i = 0; i < 3 && poll(&ready, 1, 0) == 1; i++)
		if (read(signals, &taken, sizeof(taken)) < 0)
			break;
}

int xfn_supervisor__run(const struct xfn_run_options *opts)
{
	struct xfn_supervisor *sup = calloc(1, sizeof(*sup));
	struct xfn_error err = { 0 };
	sigset_t ends, old;
	int signals, worker, ret;

	if (!sup)
		return 1;
	sup->opts = opts;
	if (opts->beside)
		xfn_log__name(opts->ifname);
	/* each function has a socket or two on each address or device */
	xfn_limits__raise();
	/* who reads our messages may leave; the interface is still to be given back */
	signal(SIGPIPE, SIG_IGN);
	sup->clock_fd = xfn_clock__watch();
	sup->channels_fd = opts->ifname ? xfn_channels__watch() : -1;
	worker = hold_worker(sup);
	/* Before the first worker: a signal must find us ready to clean up. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, &old);
	signals = signalfd(-1, &ends, SFD_CLOEXEC);
	ret = signals < 0 ? -errno : open_all(sup, &err);
	ret = ret ?: loop(sup, signals, &err);
	if (ret) {
		xfn_limits__advise(err.line, sizeof(err.line), xfn_deploy__descriptors(sup));
		log_failed(sup, err.line);
	}
	/* Card and interface first: what still comes goes to the host's stack. */
	xfn_offload_device__unload(sup);
	xfn_serving__end(sup);
	xfn_process__wait(sup);
	xfn_loader__close(sup->before);
	xfn_socket_filter__close(sup->socket_filter);
	xfn_addresses__close(sup->addresses);
	xfn_audit__close(sup);
	xfn_control__close(sup->control);
	xfn_deploy__close(sup);
	if (sup->clock_fd >= 0)
		close(sup->clock_fd);
	if (sup->channels_fd >= 0)
		close(sup->channels_fd);
	if (worker >= 0)
		close(worker);
	if (signals >= 0) {
		drain(signals);
		close(signals);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	free(sup->retired);
	free(sup);
	return ret ? 1 : 0;
}
