// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `xfn run` on several interfaces: one supervisor process each. Starts them together, passes on
 * signals, starts again what crashed. Must never know of functions, BPF or sockets.
 *
 * A supervisor tells how its start went through a pipe that ends with that (supervisor.h). It is
 * told to end when this process does, however that comes: then the kernel detaches.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>
#include <linux/capability.h>
#include "../../skel/privileges.h"
#include "fleet.h"
#include "../host/events.h"
#include "../host/log.h"
#include "../host/now.h"

#define FIRST_PAUSE_MS 100
#define LAST_PAUSE_MS  5000
#define STABLE_MS      10000 /* one that ran so long begins with the first pause again */
#define END_MS	       20000 /* a supervisor that has not ended by then is killed */

struct member {
	struct fleet *fleet;
	struct xfn_run_options opts;
	pid_t pid;  /* 0: does not run */
	int report; /* what it says of its start, -1: all was said */
	struct xfn_watch reporting;
	struct xfn_timer restart; /* while it does not run */
	char *said;		  /* so far; ends with 0 */
	size_t said_len;
	bool ready;   /* this process has started */
	bool stopped; /* it ended in order without us: somebody's wish */
	uint64_t started_ms;
	unsigned pause_ms;
};

struct fleet {
	struct member members[XFN_FLEET_MAX];
	unsigned count;
	struct xfn_events events;
	bool json;
	bool serving;	       /* all have started once */
	bool ending;	       /* they were told to end */
	struct xfn_timer late; /* then who is left is killed */
	int status;
	int signals;
	struct xfn_watch on_signals;
	sigset_t old;
};

/* The worker's side of the fork: never returns. */
static void serve(struct fleet *fleet, struct member *m, pid_t parent)
{
	sigset_t worker;

	/* SIGTERM lets it clean up; if it came before this, the parent has gone already */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	for (unsigned i = 0; i < fleet->count; i++)
		if (fleet->members[i].report >= 0)
			close(fleet->members[i].report);
	close(fleet->signals);
	/* Those that end us stay blocked: the supervisor takes them, also one that comes now. */
	sigemptyset(&worker);
	sigaddset(&worker, SIGCHLD);
	sigprocmask(SIG_UNBLOCK, &worker, NULL);
	_exit(xfn_supervisor__run(&m->opts));
}

static void on_report(void *ctx);

static int start(struct member *m)
{
	struct fleet *fleet = m->fleet;
	pid_t parent = getpid();
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	m->opts.report = pipes[1];
	m->pid = fork();
	if (!m->pid) {
		close(pipes[0]);
		serve(fleet, m, parent);
	}
	close(pipes[1]);
	if (m->pid < 0) {
		int ret = -errno;

		m->pid = 0;
		close(pipes[0]);
		return ret;
	}
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	m->report = pipes[0];
	xfn_events__watch(&fleet->events, &m->reporting, XFN_TURN_NORMAL, m->report, on_report, m);
	m->said_len = 0;
	m->ready = false;
	m->started_ms = xfn_now_ms();
	return 0;
}

/* Take what the supervisor says of its start. */
static void hear(struct member *m)
{
	for (;;) {
		char *more = realloc(m->said, m->said_len + 4097);
		ssize_t n = more ? read(m->report, more + m->said_len, 4096) : 0;

		m->said = more ?: m->said;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			break;
		m->said_len += (size_t)n;
		m->said[m->said_len] = '\0';
	}
	xfn_events__unwatch(&m->reporting);
	close(m->report);
	m->report = -1;
	m->ready = m->said_len && m->said[0] == XFN_REPORT_READY;
	if (m->ready && m->fleet->serving)
		xfn_log__line(LOG_NOTICE, "%s: its supervisor serves again after %u ms",
			      m->opts.ifname, (unsigned)(xfn_now_ms() - m->started_ms));
}

static void signal_all(struct fleet *fleet, int sig)
{
	for (unsigned i = 0; i < fleet->count; i++)
		if (fleet->members[i].pid)
			kill(fleet->members[i].pid, sig);
}

static void on_late(void *ctx)
{
	signal_all(ctx, SIGKILL);
}

static void end(struct fleet *fleet, int sig)
{
	if (!fleet->ending)
		xfn_events__after(&fleet->events, &fleet->late, END_MS, on_late, fleet);
	fleet->ending = true;
	for (unsigned i = 0; i < fleet->count; i++)
		xfn_events__stop(&fleet->members[i].restart);
	signal_all(fleet, sig);
}

/* Why it ended while it started, as an error line that names the interface. */
static void why(const struct member *m, int status, char *line, size_t len)
{
	const char *name = m->opts.ifname, *said = m->said_len ? m->said + 1 : "";
	bool named = !strncmp(said, name, strlen(name)) && said[strlen(name)] == ':';

	if (m->said_len && m->said[0] == XFN_REPORT_FAILED)
		snprintf(line, len, "%s%s%s", named ? "" : name, named ? "" : ": ", said);
	else
		snprintf(line, len, "%s: its supervisor ended while it started (%s %d)", name,
			 WIFSIGNALED(status) ? "signal" : "status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void on_restart(void *ctx);

/* The supervisor's process has ended. */
static void ended(struct member *m, int status)
{
	struct fleet *fleet = m->fleet;
	bool in_order = WIFEXITED(status) && !WEXITSTATUS(status);
	char line[576];

	m->pid = 0;
	if (m->report >= 0)
		hear(m);
	if (fleet->ending) {
		if (!in_order)
			fleet->status = 1;
		return;
	}
	if (!fleet->serving && !in_order) {
		why(m, status, line, sizeof(line));
		xfn_supervisor__failed(fleet->json, line);
		fleet->status = 1;
		end(fleet, SIGTERM);
		return;
	}
	if (in_order) {
		m->stopped = true;
		xfn_log__line(LOG_NOTICE, "%s: its supervisor was stopped; the others go on",
			      m->opts.ifname);
		return;
	}
	if (!m->pause_ms || (m->ready && xfn_now_ms() - m->started_ms > STABLE_MS))
		m->pause_ms = FIRST_PAUSE_MS;
	else
		m->pause_ms = m->pause_ms < LAST_PAUSE_MS / 2 ? 2 * m->pause_ms : LAST_PAUSE_MS;
	xfn_events__after(&fleet->events, &m->restart, m->pause_ms, on_restart, m);
	/* It served this interface: it is waited for. */
	m->opts.wait = true;
	if (m->ready)
		snprintf(line, sizeof(line), "%s: its supervisor ended (%s %d)", m->opts.ifname,
			 WIFSIGNALED(status) ? "signal" : "status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	else
		why(m, status, line, sizeof(line));
	xfn_log__line(LOG_ERR, "%s; another one in %u ms", line, m->pause_ms);
}

static void reap(struct fleet *fleet)
{
	int status;

	for (unsigned i = 0; i < fleet->count; i++) {
		struct member *m = &fleet->members[i];

		if (m->pid && waitpid(m->pid, &status, WNOHANG) == m->pid)
			ended(m, status);
	}
}

static void log_ready(struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->count; i++)
		if (!fleet->members[i].ready)
			return;
	fleet->serving = true;
	for (unsigned i = 0; i < fleet->count; i++) {
		const struct member *m = &fleet->members[i];

		if (!fleet->json)
			printf("%s:\n", m->opts.ifname);
		fputs(m->said + 1, stdout);
	}
	if (!fleet->json)
		puts("all have started; Ctrl-C ends");
	fflush(stdout);
}

static bool is_over(const struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->count; i++)
		if (fleet->members[i].pid || (!fleet->ending && !fleet->members[i].stopped))
			return false;
	return true;
}

/* One has started, or ended: what that is to all of them. */
static void look_at_all(struct fleet *fleet)
{
	if (!fleet->serving && !fleet->ending)
		log_ready(fleet);
	if (is_over(fleet))
		xfn_events__end(&fleet->events);
}

static void on_report(void *ctx)
{
	struct member *m = ctx;

	hear(m);
	look_at_all(m->fleet);
}

static void on_signals(void *ctx)
{
	struct fleet *fleet = ctx;
	struct signalfd_siginfo info;

	while (read(fleet->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			end(fleet, (int)info.ssi_signo);
	reap(fleet);
	look_at_all(fleet);
}

static void on_restart(void *ctx)
{
	struct member *m = ctx;
	int ret = start(m);

	if (!ret)
		return;
	xfn_log__line(LOG_ERR, "%s: cannot start its supervisor: %s", m->opts.ifname,
		      strerror(-ret));
	xfn_events__after(&m->fleet->events, &m->restart, LAST_PAUSE_MS, on_restart, m);
}

static void loop(struct fleet *fleet)
{
	xfn_events__watch(&fleet->events, &fleet->on_signals, XFN_TURN_FIRST, fleet->signals,
			  on_signals, fleet);
	for (unsigned i = 0; i < fleet->count; i++)
		xfn_events__after(&fleet->events, &fleet->members[i].restart, 0, on_restart,
				  &fleet->members[i]);
	xfn_events__run(&fleet->events);
}

/* The list begins with another CPU for each interface. 0 or -ENOMEM. */
static int take_cpus(struct member *m, unsigned index)
{
	unsigned n = m->opts.cpu_count;
	uint16_t *cpus = calloc(n ?: 1, sizeof(*cpus));

	if (!cpus)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		cpus[i] = m->opts.cpus[(index + i) % n];
	m->opts.cpus = cpus;
	return 0;
}

/* What a supervisor's start needs, for those that are started again. */
static void give_up_privileges(void)
{
	static const unsigned kept[] = {
		CAP_NET_ADMIN,	     CAP_NET_RAW, CAP_BPF,	CAP_PERFMON, CAP_SETUID,
		CAP_SETGID,	     CAP_SETPCAP, CAP_IPC_LOCK, CAP_KILL,    CAP_NET_BIND_SERVICE,
		CAP_SYS_ADMIN, /* the name of a program that holds the interface; libxdp; /sys */
		CAP_DAC_READ_SEARCH, /* modules that are their author's alone */
	};

	if (xfn_privileges__keep(kept, sizeof(kept) / sizeof(kept[0])))
		xfn_log__line(LOG_WARNING,
			      "cannot give up capabilities; going on with all of them");
}

int xfn_fleet__run(const struct xfn_run_options *opts, const char *const *ifnames, unsigned count)
{
	static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
	struct fleet *fleet = calloc(1, sizeof(*fleet));
	sigset_t block;
	int ret = fleet ? 0 : -ENOMEM, status;

	/* who reads our messages may leave, and the supervisors go on */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&block);
	for (unsigned i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaddset(&block, taken[i]);
	if (!ret) {
		sigprocmask(SIG_BLOCK, &block, &fleet->old);
		fleet->json = opts->json;
		fleet->signals = signalfd(-1, &block, SFD_CLOEXEC | SFD_NONBLOCK);
		ret = fleet->signals < 0 ? -errno : 0;
	}
	for (unsigned i = 0; !ret && i < count; i++) {
		struct member *m = &fleet->members[i];

		m->fleet = fleet;
		m->opts = *opts;
		m->opts.ifname = ifnames[i];
		m->opts.beside = true;
		m->report = -1;
		fleet->count++;
		ret = take_cpus(m, i);
	}
	if (ret) {
		fprintf(stderr, "xfn: cannot watch several supervisors: %s\n", strerror(-ret));
		return 1;
	}
	give_up_privileges();
	/* a supervisor's copy of what is not printed yet would be printed twice */
	fflush(NULL);
	loop(fleet);
	status = fleet->status;
	close(fleet->signals);
	sigprocmask(SIG_SETMASK, &fleet->old, NULL);
	for (unsigned i = 0; i < count; i++) {
		free((void *)fleet->members[i].opts.cpus);
		free(fleet->members[i].said);
	}
	free(fleet);
	return status;
}
