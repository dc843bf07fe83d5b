// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Workers as processes: hand over what they use, start, notice their end, restart. Runs no
 * function. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>
#include "cpus.h"
#include "log.h"
#include "now.h"
#include "supervisor_inside.h"

#define START_MS	10000 /* a worker that is not ready by then is given up */
#define STOP_MS		2000  /* one that does not end by then is killed */
#define LEFT_MS		500   /* one that has left us, and does not end by then, likewise */
#define STABLE_NS	10000000000ull
#define SERVED_NS	250000000ull /* was of use until it was killed from outside */
#define BACK_OFF_MAX_MS 5000
#define BUSY_RETRY_MS	20	      /* while an earlier socket still holds the queue, */
#define BUSY_NS		5000000000ull /* which on a busy machine takes seconds */

/* The descriptor of the worker's end becomes 3; all else is close-on-exec. */
static int spawn(const struct xfn_supervisor *sup, struct xfn_child *child, int theirs, char *err,
		 size_t errlen)
{
	char *argv[] = { (char *)"xfn-worker", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int ret;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	/* dup2 onto itself would leave close-on-exec set; posix_spawn clears it in that case. */
	posix_spawn_file_actions_adddup2(&actions, theirs, XFN_HANDOVER_FD);
	sigemptyset(&none);
	/* but for SIGPIPE: a message that nobody reads any more is no reason to end */
	sigfillset(&all);
	sigdelset(&all, SIGPIPE);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	ret = -posix_spawn(&child->pid, sup->worker, &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (ret) {
		snprintf(err, errlen, "cannot start %s: %s; is xfn installed whole?",
			 sup->opts->worker, strerror(-ret));
		return ret;
	}
	child->pidfd = syscall(SYS_pidfd_open, child->pid, 0);
	return child->pidfd < 0 ? -errno : 0;
}

static int make_pages(struct xfn_child *child)
{
	size_t len = child->threads * sizeof(*child->page);

	if (!child->page) {
		child->page_fd = memfd_create("xfn-page", MFD_CLOEXEC);
		if (child->page_fd < 0 || ftruncate(child->page_fd, len))
			return -errno;
		child->page =
			mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, child->page_fd, 0);
		if (child->page == MAP_FAILED) {
			child->page = NULL;
			return -errno;
		}
	}
	for (unsigned i = 0; i < child->threads; i++) {
		struct xfn_page *page = &child->page[i];

		page->running_slot = 0;
		page->crash.noted = 0;
		page->overrun = 0;
		/* a new engine counts from zero, reasons go on */
		page->reasons[XFN_REASON_SEND] = xfn_past__reason(page, XFN_REASON_SEND);
		page->engine = (struct xfn_engine_stats){};
		child->load[i].stalls = 0;
	}
	memset(child->seen, 0, sizeof(child->seen));
	child->hung = false;
	return 0;
}

/* READY, FAILED or the process's end, whichever comes first. */
static int wait_ready(struct xfn_child *child, char *err, size_t errlen)
{
	struct pollfd wait = { .fd = child->sock, .events = POLLIN };
	struct xfn_handover msg;
	int fd, ret;

	do
		ret = poll(&wait, 1, START_MS);
	while (ret < 0 && errno == EINTR);
	if (!ret) {
		snprintf(err, errlen, "the worker is not ready after %d s (does an XFN_INIT wait?)",
			 START_MS / 1000);
		return -ETIMEDOUT;
	}
	ret = xfn_handover__recv(child->sock, &msg, &fd);
	if (fd >= 0)
		close(fd);
	if (ret == 1 && msg.type == XFN_HO_READY)
		return 0;
	if (ret == 1 && msg.type == XFN_HO_FAILED) {
		snprintf(err, errlen, "%.*s", (int)sizeof(msg.failed.text), msg.failed.text);
		return -ECANCELED;
	}
	snprintf(err, errlen, "the worker ended while it started");
	return -ECHILD;
}

/* End the process for good, politely first: until then. */
static void reap(struct xfn_child *child, uint64_t until_ms)
{
	struct xfn_handover stop = { .type = XFN_HO_STOP, .version = XFN_HANDOVER_VERSION };
	struct pollfd wait = { .fd = child->pidfd, .events = POLLIN };
	uint64_t now = xfn_now_ms();

	if (child->sock >= 0) {
		xfn_handover__send(child->sock, &stop, -1);
		close(child->sock);
		child->sock = -1;
	}
	if (child->pid <= 0)
		return;
	if (child->pidfd < 0 || poll(&wait, 1, now < until_ms ? (int)(until_ms - now) : 0) != 1)
		kill(child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
	if (child->pidfd >= 0)
		close(child->pidfd);
	child->pidfd = -1;
}

static void drop_rings(struct xfn_supervisor *sup, struct xfn_child *child)
{
	xfn_packet_ring__close(&child->ring);
	if (!child->has_umem)
		return;
	for (unsigned i = 0; sup->loader && i < child->threads; i++)
		xfn_loader__socket(sup->loader, child->queue, i, -1);
	xfn_umem__close(&child->umem);
	child->has_umem = false;
}

/* A crash leaves rings in an unknown state: always a fresh set. */
static int renew_rings(struct xfn_supervisor *sup, struct xfn_child *child, char *err,
		       size_t errlen)
{
	struct xfn_packet_target *targets;
	int ret = 0;

	drop_rings(sup, child);
	if (xfn_child_by_afxdp(child)) {
		ret = xfn_umem__open(sup->iface.name, child->queue, child->threads, sup->iface.mtu,
				     xfn_cpus__node(child->cpu[0]), &child->umem, err, errlen);
		child->has_umem = !ret;
		if (!ret)
			xfn_log__line(LOG_DEBUG, "frames of queue %u are in %s pages", child->queue,
				      child->umem.huge ? "huge" : "normal");
	} else if (xfn_child_by_ring(child)) {
		ret = xfn_listeners__targets(sup, &targets);
		if (ret < 0)
			return ret;
		ret = xfn_packet_ring__open(sup->iface.name, sup->iface.index, sup->ring_mtu,
					    targets, (unsigned)ret, &child->ring, err, errlen);
		free(targets);
	}
	return ret;
}

/*
 * By --cpus; else the first thread of a worker of frames goes where its queue's interrupt goes. -1:
 * nowhere.
 */
static int cpu_for(const struct xfn_supervisor *sup, const struct xfn_child *child, unsigned thread)
{
	const struct xfn_run_options *opts = sup->opts;
	unsigned i = (child - sup->children) * child->threads + thread;

	if (opts->cpu_count)
		return opts->cpus[i % opts->cpu_count];
	/* veth has no interrupt; a device that has its name elsewhere may */
	if (thread || !xfn_child_by_afxdp(child) || !strcmp(sup->iface.driver, "veth"))
		return -1;
	return xfn_cpus__of_queue("", sup->iface.name, child->queue);
}

/* What is meant to be bound is: else it is said, and nothing is claimed. */
static void check_pinned(struct xfn_child *child)
{
	for (unsigned i = 0; i < child->threads; i++) {
		int wanted = child->cpu[i];
		char thread[32] = "";

		if (wanted < 0)
			continue;
		if (child->threads > 1)
			snprintf(thread, sizeof(thread), ", thread %u", i);
		child->cpu[i] = xfn_cpus__of_process(child->page[i].tid);
		if (child->cpu[i] != wanted)
			xfn_log__line(LOG_WARNING,
				      "worker of engine %s, queue %u%s is not bound to CPU %d; is "
				      "it online?",
				      child->engine, child->queue, thread, wanted);
		else
			xfn_log__line(LOG_DEBUG,
				      "worker of engine %s, queue %u%s is bound to CPU %d",
				      child->engine, child->queue, thread, wanted);
	}
}

static int attach_sockets(struct xfn_supervisor *sup, struct xfn_child *child, char *err,
			  size_t errlen)
{
	int ret = xfn_links__bind(sup, &child->umem, err, errlen);

	for (unsigned i = 0; !ret && i < child->threads; i++)
		ret = xfn_loader__socket(sup->loader, child->queue, i, child->umem.xsk[i]);
	return ret;
}

static int start(struct xfn_supervisor *sup, struct xfn_child *child, char *err, size_t errlen)
{
	const struct timeval patience = { .tv_sec = START_MS / 1000 };
	int pair[2] = { -1, -1 };
	int ret;

	child->state = XFN_CHILD_STARTING;
	child->pid = 0;
	child->pidfd = child->sock = -1;
	err[0] = 0;
	for (unsigned i = 0; i < child->threads; i++)
		child->cpu[i] = cpu_for(sup, child, i);
	ret = make_pages(child);
	if (!ret && xfn_child_by_afxdp(child))
		ret = xfn_crews__apply(sup, child);
	ret = ret ?: renew_rings(sup, child, err, errlen);
	if (!ret && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		ret = -errno;
	if (!ret) {
		child->sock = pair[0];
		setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		ret = spawn(sup, child, pair[1], err, errlen);
		close(pair[1]);
	}
	if (!ret) {
		ret = xfn_children__hand_over(sup, child);
		/* A worker that refuses a message says why before it ends. */
		ret = wait_ready(child, err, errlen) ?: ret;
	}
	if (!ret && xfn_child_by_afxdp(child))
		ret = attach_sockets(sup, child, err, errlen);
	if (ret) {
		if (!err[0])
			snprintf(err, errlen, "cannot start a worker: %s", strerror(-ret));
		reap(child, xfn_now_ms() + STOP_MS);
		drop_rings(sup, child);
		child->state = XFN_CHILD_DEAD;
		return ret;
	}
	/* from now on a worker that takes no messages is its own problem */
	fcntl(child->sock, F_SETFL, O_NONBLOCK);
	check_pinned(child);
	child->started_ns = xfn_now_ns();
	child->state = XFN_CHILD_READY;
	return 0;
}

/* Did it not start because of one whose end is not over yet? Then soon again. */
static bool queue_held(const struct xfn_child *child, int ret)
{
	return ret == -EBUSY && xfn_now_ns() - child->ended_ns < BUSY_NS;
}

int xfn_children__add(struct xfn_supervisor *sup, const char *engine, uint32_t queue, char *err,
		      size_t errlen)
{
	struct xfn_child *child = &sup->children[sup->child_count];
	int ret;

	memset(child, 0, sizeof(*child));
	child->engine = engine;
	child->queue = queue;
	child->threads = child->shared = child->active = 1;
	if (xfn_child_by_afxdp(child)) {
		child->threads = xfn_crews__threads(sup);
		child->shared = xfn_crews__shared(sup, queue);
	}
	child->page_fd = child->ring.receive = child->ring.send = -1;
	sup->child_count++;
	child->ended_ns = xfn_now_ns(); /* of a run before, maybe */
	do
		ret = start(sup, child, err, errlen);
	while (queue_held(child, ret));
	if (ret)
		xfn_children__remove(sup, sup->child_count - 1);
	return ret;
}

void xfn_children__renew_sockets(struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->child_count; i++) {
		struct xfn_child *child = &sup->children[i];

		if (xfn_child_by_afxdp(child) || xfn_child_by_ring(child))
			continue;
		if (child->state == XFN_CHILD_READY)
			reap(child, xfn_now_ms() + STOP_MS);
		/* Started by the loop at once; a failure is tried again like a crash. */
		child->state = XFN_CHILD_DEAD;
		child->restart_at_ns = 0;
		child->ended_ns = xfn_now_ns();
		return;
	}
}

/* It has left us, and may live all the same. Returns its status; *killed: it had to be. */
static int last_status(struct xfn_child *child, bool *killed)
{
	struct pollfd wait = { .fd = child->pidfd, .events = POLLIN };
	int status = 0;

	*killed = poll(&wait, 1, LEFT_MS) != 1;
	if (*killed)
		kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* Before the next try: longer each time. */
static unsigned back_off_ms(const struct xfn_child *child)
{
	unsigned ms = 100u << (child->restarts < 6 ? child->restarts : 6);

	return ms < BACK_OFF_MAX_MS ? ms : BACK_OFF_MAX_MS;
}

void xfn_children__ended(struct xfn_supervisor *sup, struct xfn_child *child)
{
	bool outside, too_often, killed;
	int status = last_status(child, &killed);
	uint64_t now = xfn_now_ns();
	unsigned wait_ms = 0;
	char what[512] = ", from outside";

	child->pid = 0;
	close(child->pidfd);
	close(child->sock);
	child->pidfd = child->sock = -1;
	drop_rings(sup, child);
	child->ended_ns = now;
	/* No function can do that: it was the kernel, out of memory, or a person. */
	outside = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !child->hung && !killed;
	/* Once at once, and when the cause is out; one that keeps dying waits longer each time. */
	too_often = !outside && xfn_quarantine__ended(sup, child, what, sizeof(what));
	if (too_often)
		wait_ms = 0;
	else if (now - child->started_ns < (outside ? SERVED_NS : STABLE_NS) && child->restarts)
		wait_ms = back_off_ms(child);
	else
		child->restarts = 0;
	child->restart_at_ns = now + wait_ms * 1000000ull;
	child->state = XFN_CHILD_DEAD;
	xfn_log__line(LOG_WARNING,
		      "worker of engine %s, queue %u ended (%s %d)%s%s; restart in %u ms",
		      child->engine, child->queue, WIFSIGNALED(status) ? "signal" : "status",
		      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		      killed ? ", killed since it had left its supervisor" : "", what, wait_ms);
	if (too_often)
		xfn_quarantine__begin(sup, child);
}

/* Try it. True: it serves; else .restart_at_ns is when to try again. */
static bool restart(struct xfn_supervisor *sup, struct xfn_child *child)
{
	int ret = start(sup, child, child->error, sizeof(child->error));
	uint64_t now = xfn_now_ns();

	if (queue_held(child, ret)) {
		child->restart_at_ns = now + BUSY_RETRY_MS * 1000000ull;
		return false;
	}
	child->restarts++;
	if (ret) {
		xfn_log__line(LOG_ERR, "worker of engine %s, queue %u: %s", child->engine,
			      child->queue, child->error);
		child->restart_at_ns = now + back_off_ms(child) * 1000000ull;
		return false;
	}
	xfn_log__line(LOG_NOTICE, "worker of engine %s, queue %u serves again after %u ms",
		      child->engine, child->queue, (unsigned)((now - child->ended_ns) / 1000000));
	return true;
}

int xfn_children__restart_due(struct xfn_supervisor *sup)
{
	int next_ms = -1;

	for (unsigned i = 0; i < sup->child_count; i++) {
		struct xfn_child *child = &sup->children[i];
		uint64_t now = xfn_now_ns();
		int ms;

		/* no AF_XDP socket can be bound while the interface is down */
		if (child->state != XFN_CHILD_DEAD || (xfn_child_by_afxdp(child) && !sup->iface.up))
			continue;
		if (child->restart_at_ns <= now && restart(sup, child))
			continue;
		now = xfn_now_ns();
		ms = child->restart_at_ns > now ? (child->restart_at_ns - now) / 1000000 + 1 : 0;
		if (next_ms < 0 || ms < next_ms)
			next_ms = ms;
	}
	return next_ms;
}

void xfn_children__message(struct xfn_supervisor *sup, struct xfn_child *child)
{
	struct xfn_handover msg;
	int fd, ret = xfn_handover__recv(child->sock, &msg, &fd);

	if (fd >= 0)
		close(fd);
	if (ret == -EAGAIN)
		return;
	if (ret == 1 && msg.type == XFN_HO_FAILED)
		xfn_log__line(LOG_ERR, "worker of engine %s, queue %u: %.*s", child->engine,
			      child->queue, (int)sizeof(msg.failed.text), msg.failed.text);
	else if (ret == 1 && msg.type == XFN_HO_INVOKED)
		xfn_invoke__done(sup, child, &msg);
	else if (ret == 1 && msg.type == XFN_HO_AUDITED)
		xfn_audit__done(sup, child, &msg);
	else if (ret <= 0)
		xfn_children__ended(sup, child);
}

void xfn_children__remove(struct xfn_supervisor *sup, unsigned keep)
{
	uint64_t until_ms = xfn_now_ms() + STOP_MS; /* for all together */

	/* All are told before any is waited for. */
	for (unsigned i = keep; i < sup->child_count; i++) {
		struct xfn_handover stop = { .type = XFN_HO_STOP, .version = XFN_HANDOVER_VERSION };

		if (sup->children[i].sock >= 0)
			xfn_handover__send(sup->children[i].sock, &stop, -1);
	}
	while (sup->child_count > keep) {
		struct xfn_child *child = &sup->children[--sup->child_count];

		if (child->state == XFN_CHILD_READY)
			reap(child, until_ms);
		drop_rings(sup, child);
		for (unsigned i = 0; child->page && i < child->threads; i++)
			xfn_past__keep(sup, &child->page[i]);
		if (child->page)
			munmap(child->page, child->threads * sizeof(*child->page));
		if (child->page_fd >= 0)
			close(child->page_fd);
	}
}
