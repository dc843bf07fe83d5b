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
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include <linux/capability.h>
#include "../../skel/privileges.h"
#include "fleet.h"
#include "../host/log.h"
#include "../host/now.h"

#define FIRST_PAUSE_MS 100
#define LAST_PAUSE_MS  5000
#define STABLE_MS      10000 /* one that ran so long begins with the first pause again */
#define END_MS	       20000 /* a supervisor that has not ended by then is killed */

struct member {
	struct xfn_run_options opts;
	pid_t pid;  /* 0: does not run */
	int report; /* what it says of its start, -1: all was said */
	char *said; /* so far; ends with 0 */
	size_t said_len;
	bool ready;   /* this process has started */
	bool stopped; /* it ended in order without us: somebody's wish */
	uint64_t started_ms;
	uint64_t restart_ms; /* while it does not run: when to */
	unsigned pause_ms;
};

struct fleet {
	struct member members[XFN_FLEET_MAX];
	unsigned count;
	bool json;
	bool serving;	  /* all have started once */
	uint64_t kill_ms; /* ending: when to kill who is left; 0: not ending */
	int status;
	int signals;
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

static int start(struct fleet *fleet, struct member *m)
{
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
	m->said_len = 0;
	m->ready = false;
	m->started_ms = xfn_now_ms();
	return 0;
}

/* Take what the supervisor says of its start. */
static void hear(struct fleet *fleet, struct member *m)
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
	close(m->report);
	m->report = -1;
	m->ready = m->said_len && m->said[0] == XFN_REPORT_READY;
	if (m->ready && fleet->serving)
		xfn_log__line(LOG_NOTICE, "%s: its supervisor serves again after %u ms",
			      m->opts.ifname, (unsigned)(xfn_now_ms() - m->started_ms));
}

static void end(struct fleet *fleet, int sig)
{
	if (!fleet->kill_ms)
		fleet->kill_ms = xfn_now_ms() + END_MS;
	for (unsigned i = 0; i < fleet->count; i++)
		if (fleet->members[i].pid)
			kill(fleet->members[i].pid, sig);
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

/* The supervisor's process has ended. */
static void ended(struct fleet *fleet, struct member *m, int status)
{
	bool in_order = WIFEXITED(status) && !WEXITSTATUS(status);
	char line[576];

	m->pid = 0;
	if (m->report >= 0)
		hear(fleet, m);
	if (fleet->kill_ms) {
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
	m->restart_ms = xfn_now_ms() + m->pause_ms;
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
			ended(fleet, m, status);
	}
}

static void take_signals(struct fleet *fleet)
{
	struct signalfd_siginfo info;

	while (read(fleet->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			end(fleet, (int)info.ssi_signo);
	reap(fleet);
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

/* Start or kill what is due. Returns ms until the next of these, -1: none is planned. */
static int act(struct fleet *fleet)
{
	uint64_t now = xfn_now_ms();
	int next = -1;

	if (fleet->kill_ms) {
		if (now >= fleet->kill_ms)
			end(fleet, SIGKILL);
		return now >= fleet->kill_ms ? -1 : (int)(fleet->kill_ms - now);
	}
	for (unsigned i = 0; i < fleet->count; i++) {
		struct member *m = &fleet->members[i];

		if (m->pid || m->stopped)
			continue;
		if (m->restart_ms <= now) {
			int ret = start(fleet, m);

			if (!ret)
				continue;
			xfn_log__line(LOG_ERR, "%s: cannot start its supervisor: %s",
				      m->opts.ifname, strerror(-ret));
			m->restart_ms = now + LAST_PAUSE_MS;
		}
		if (next < 0 || (int)(m->restart_ms - now) < next)
			next = (int)(m->restart_ms - now);
	}
	return next;
}

static bool is_over(const struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->count; i++)
		if (fleet->members[i].pid || (!fleet->kill_ms && !fleet->members[i].stopped))
			return false;
	return true;
}

static void loop(struct fleet *fleet)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	struct pollfd fds[1 + XFN_FLEET_MAX];

	while (!is_over(fleet)) {
		int timeout = act(fleet);

		fds[0] = (struct pollfd){ .fd = fleet->signals, .events = POLLIN };
		for (unsigned i = 0; i < fleet->count; i++)
			fds[1 + i] =
				(struct pollfd){ .fd = fleet->members[i].report, .events = POLLIN };
		if (poll(fds, 1 + fleet->count, timeout) < 0) {
			/* for want of memory maybe: the supervisors go on, and so do we */
			if (errno != EINTR)
				nanosleep(&pause, NULL);
			take_signals(fleet);
			continue;
		}
		for (unsigned i = 0; i < fleet->count; i++)
			if (fds[1 + i].fd >= 0 && fds[1 + i].revents)
				hear(fleet, &fleet->members[i]);
		if (fds[0].revents)
			take_signals(fleet);
		if (!fleet->serving && !fleet->kill_ms)
			log_ready(fleet);
	}
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
