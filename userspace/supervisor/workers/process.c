// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Processes of workers: started with nothing but what they need, watched by pidfd, and brought to
 * their end, for which nobody waits. Runs no function.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../host/now.h"
#include "page_check.h"
#include "process.h"
#include "workers_inside.h"

#define STOP_MS 2000 /* a worker that was told to stop, and does not end by then, is killed */

/* Move `fd` above the descriptors that a worker is given, close-on-exec. The new one or -errno. */
static int above(int fd)
{
	int high;

	if (fd < 0)
		return -errno;
	if (fd > XFN_WORKER_PROTOCOL_FD)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, XFN_WORKER_PROTOCOL_FD + 1);
	if (high < 0)
		high = -errno;
	close(fd);
	return high;
}

/* A descriptor that reads as empty: /dev/null may not be there. */
static int empty_input(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	close(ends[1]);
	return ends[0];
}

/*
 * A process group of its own: what a library starts ends with its worker, and a terminal's keys are
 * for the supervisor. All signals have their default action, but for SIGPIPE: a message that nobody
 * reads any more is no reason to end.
 */
static int spawn(const char *path, const int descriptors[4], pid_t *pid)
{
	char *argv[] = { (char *)"xfn-worker", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int ret;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	for (int i = 0; i < 4; i++)
		posix_spawn_file_actions_adddup2(&actions, descriptors[i], i);
	sigemptyset(&none);
	sigfillset(&all);
	sigdelset(&all, SIGPIPE);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETPGROUP);
	ret = -posix_spawn(pid, path, &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return ret;
}

void xfn_process__hold_program(struct xfn_workers *workers)
{
	int fd = open(workers->of.opts->worker, O_PATH | O_CLOEXEC), high = -1;

	snprintf(workers->program, sizeof(workers->program), "%s", workers->of.opts->worker);
	if (fd < 0 || access("/proc/self/fd", X_OK))
		goto out;
	/* the low descriptors are replaced by those that a worker is given */
	high = fcntl(fd, F_DUPFD_CLOEXEC, XFN_WORKER_PROTOCOL_FD + 1);
	if (high >= 0)
		snprintf(workers->program, sizeof(workers->program), "/proc/self/fd/%d", high);
out:
	if (fd >= 0)
		close(fd);
	workers->program_fd = high;
}

int xfn_process__start(const struct xfn_workers *workers, struct xfn_worker_process *worker,
		       struct xfn_error *err)
{
	int pair[2] = { -1, -1 }, words = -1, given[4] = { -1, -1, -1, -1 };
	int ret = xfn_output_lines__open(&worker->output, &words);

	if (!ret && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		ret = -errno;
	if (ret && words >= 0)
		close(words);
	if (ret)
		return ret;
	worker->sock = pair[0];
	fcntl(worker->sock, F_SETFL, O_NONBLOCK);
	given[0] = above(empty_input());
	given[1] = given[2] = above(words);
	given[3] = above(pair[1]);
	for (int i = 0; i < 4 && !ret; i++)
		ret = given[i] < 0 ? given[i] : 0;
	if (!ret) {
		ret = spawn(workers->program, given, &worker->pid);
		if (ret)
			xfn_error__set(err, "cannot start %s: %s; is xfn installed whole?",
				       workers->of.opts->worker, strerror(-ret));
	}
	for (int i = 0; i < 4; i++)
		if (given[i] >= 0 && i != 2)
			close(given[i]);
	if (ret)
		return ret;
	worker->pidfd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
	return worker->pidfd < 0 ? -errno : 0;
}

/* It may have joined another group since: the process by its own number, and what its group still has.
 */
static void end_all(pid_t pid)
{
	kill(pid, SIGKILL);
	kill(-pid, SIGKILL);
}

void xfn_process__kill(const struct xfn_worker_process *worker)
{
	if (worker->pid > 0)
		end_all(worker->pid);
}

/* Has it ended? Its number stays taken until it is waited for. */
static bool has_ended(pid_t pid)
{
	siginfo_t info = {};

	return !waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid == pid;
}

/* Its status, of one that has ended or is being killed. */
static int wait_for(pid_t pid)
{
	int status = 0;

	end_all(pid); /* what it started as well, while the number of the group is its own */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

bool xfn_process__has_ended(const struct xfn_worker_process *worker)
{
	return worker->pid > 0 && has_ended(worker->pid);
}

static void close_descriptors(struct xfn_worker_process *worker)
{
	xfn_workers__unwatch(worker);
	if (worker->pidfd >= 0)
		close(worker->pidfd);
	if (worker->sock >= 0)
		close(worker->sock);
	worker->pidfd = worker->sock = -1;
}

int xfn_process__status(struct xfn_worker_process *worker)
{
	char who[XFN_WHO];
	int status;

	/* closing the pair ends the worker also where CAP_KILL is missing */
	close_descriptors(worker);
	status = worker->pid > 0 ? wait_for(worker->pid) : 0;
	xfn_output_lines__close(&worker->output, xfn_worker_process__who(worker, who));
	worker->pid = 0;
	return status;
}

static void bury(struct xfn_leaver *leaver)
{
	struct xfn_leaver **at = &leaver->owner->leavers;

	while (*at != leaver)
		at = &(*at)->next;
	*at = leaver->next;
	for (unsigned i = 0; i < 2; i++)
		xfn_events__unwatch(&leaver->watch[i]);
	xfn_events__stop(&leaver->late);
	wait_for(leaver->pid);
	xfn_output_lines__close(&leaver->output, leaver->who);
	if (leaver->page)
		xfn_page_check__keep(leaver->owner, leaver->checked, leaver->page, leaver->threads,
				     leaver->who);
	if (leaver->pidfd >= 0)
		close(leaver->pidfd);
	free(leaver);
}

static void on_leaver(void *ctx)
{
	struct xfn_leaver *leaver = ctx;

	if (leaver->output.fd >= 0)
		xfn_output_lines__read(&leaver->output, leaver->who);
	if (xfn_output_lines__fd(&leaver->output) < 0)
		xfn_events__unwatch(&leaver->watch[1]);
	if (has_ended(leaver->pid))
		bury(leaver);
}

static void on_late(void *ctx)
{
	struct xfn_leaver *leaver = ctx;

	if (!has_ended(leaver->pid)) {
		end_all(leaver->pid);
		xfn_events__after(leaver->loop, &leaver->late, STOP_MS, on_late, leaver);
	}
	on_leaver(leaver);
}

/* In this loop from now on, until it has ended; it is killed after `ms`. */
static void wait_in(struct xfn_leaver *leaver, struct xfn_events *loop, uint64_t ms)
{
	leaver->loop = loop;
	xfn_events__watch(loop, &leaver->watch[0], XFN_TURN_LAST, leaver->pidfd, on_leaver, leaver);
	xfn_events__watch(loop, &leaver->watch[1], XFN_TURN_LAST,
			  xfn_output_lines__fd(&leaver->output), on_leaver, leaver);
	xfn_events__after(loop, &leaver->late, ms, on_late, leaver);
}

void xfn_process__retire(struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	const struct xfn_message stop = { .type = XFN_MESSAGE_STOP,
					  .version = XFN_WORKER_PROTOCOL_VERSION };
	struct xfn_leaver *leaver = worker->pid > 0 ? calloc(1, sizeof(*leaver)) : NULL;
	char who[XFN_WHO];

	/* one that does not serve yet has nothing to answer, and may be in an XFN_INIT */
	if (worker->state == XFN_WORKER_READY && leaver)
		xfn_message__send(worker->sock, &stop, -1);
	else
		xfn_process__kill(worker);
	if (worker->page_fd >= 0)
		close(worker->page_fd);
	worker->page_fd = -1;
	if (!leaver) {
		xfn_process__status(worker);
		if (worker->page)
			xfn_page_check__keep(workers, worker->checked, worker->page,
					     worker->threads, xfn_worker_process__who(worker, who));
	} else {
		leaver->owner = workers;
		leaver->pid = worker->pid;
		leaver->pidfd = worker->pidfd;
		leaver->page = worker->page;
		leaver->checked = worker->checked;
		leaver->threads = worker->threads;
		leaver->output = worker->output;
		xfn_worker_process__who(worker, leaver->who);
		leaver->next = workers->leavers;
		workers->leavers = leaver;
		worker->pidfd = worker->output.fd = -1;
		close_descriptors(worker);
		wait_in(leaver, workers->of.loop, STOP_MS);
	}
	worker->page = NULL;
	worker->checked = NULL;
	worker->pid = 0;
}

void xfn_workers__wait(struct xfn_workers *workers)
{
	struct xfn_events own = {};
	uint64_t now = xfn_now_ns();

	for (struct xfn_leaver *l = workers->leavers; l; l = l->next)
		wait_in(l, &own, l->late.at_ns > now ? (l->late.at_ns - now) / 1000000 : 0);
	while (workers->leavers)
		xfn_events__round(&own);
}
