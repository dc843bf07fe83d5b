// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Workers as processes: hand over what they use, start, notice their end, restart. Runs no
 * function. */
#include <errno.h>
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
#include <time.h>
#include <unistd.h>
#include "cpus.h"
#include "log.h"
#include "supervisor_inside.h"

#define START_MS	10000 /* a worker that is not ready by then is given up */
#define STOP_MS		2000  /* one that does not end by then is killed */
#define STABLE_NS	10000000000ull
#define BACK_OFF_MAX_MS 5000
#define NOBODY		65534 /* Debian's nobody and nogroup */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static bool by_afxdp(const struct xfn_child *child)
{
	return !strcmp(child->engine, "afxdp");
}

static bool by_ring(const struct xfn_child *child)
{
	return !strcmp(child->engine, "packet");
}

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
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	ret = -posix_spawn(&child->pid, sup->opts->worker, &actions, &attr, argv, environ);
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

static int make_page(struct xfn_child *child)
{
	if (!child->page) {
		child->page_fd = memfd_create("xfn-page", MFD_CLOEXEC);
		if (child->page_fd < 0 || ftruncate(child->page_fd, sizeof(*child->page)))
			return -errno;
		child->page = mmap(NULL, sizeof(*child->page), PROT_READ | PROT_WRITE, MAP_SHARED,
				   child->page_fd, 0);
		if (child->page == MAP_FAILED) {
			child->page = NULL;
			return -errno;
		}
	}
	child->page->running_slot = 0;
	child->page->crash.noted = 0;
	child->seen_slot = child->seen = 0;
	child->hung = false;
	return 0;
}

static uint32_t flags_of(const struct xfn_supervisor *sup)
{
	return (sup->opts->trust_checksum ? XFN_TRUST_CHECKSUM : 0) |
	       (sup->iface.local_peer ? XFN_LOCAL_PEER : 0);
}

/* Is the address and port of listener `i` another one's too, and that one's to answer? */
static bool bound_elsewhere(const struct xfn_supervisor *sup, unsigned i)
{
	const struct xfn_listener *own = &sup->listeners[i];
	bool any = sup->functions[own->slot].any;

	for (unsigned j = 0; j < sup->listener_count; j++) {
		const struct xfn_listener *other = &sup->listeners[j];
		bool other_any = sup->functions[other->slot].any;

		if (other->local.port == own->local.port &&
		    !memcmp(other->local.ip, own->local.ip, 16) && (any == other_any ? j < i : any))
			return true;
	}
	return false;
}

static int send_functions(const struct xfn_supervisor *sup, const struct xfn_child *child)
{
	int ret = 0;

	for (unsigned slot = 0; !ret && slot < sup->function_count; slot++) {
		const struct xfn_deployed *fn = &sup->functions[slot];
		struct xfn_handover msg = { .type = XFN_HO_FUNCTION,
					    .version = XFN_HANDOVER_VERSION };

		if (by_afxdp(child) ? fn->tier == XFN_TIER_SOCKET : !fn->listening)
			continue;
		msg.function.slot = slot;
		memcpy(msg.function.name, fn->mod->attr.name, sizeof(msg.function.name));
		ret = xfn_handover__send(child->sock, &msg, fn->mod->fd);
		if (ret)
			break;
		memset(&msg.bind, 0, sizeof(msg.bind));
		msg.type = XFN_HO_BIND;
		msg.bind.slot = slot;
		msg.bind.any = fn->any;
		msg.bind.addr = fn->addr;
		/* Behind UDP sockets the socket tells the function. */
		if (by_afxdp(child))
			ret = xfn_handover__send(child->sock, &msg, -1);
	}
	for (unsigned i = 0; !ret && by_ring(child) && i < sup->listener_count; i++) {
		struct xfn_handover msg = { .type = XFN_HO_BIND, .version = XFN_HANDOVER_VERSION };

		if (bound_elsewhere(sup, i))
			continue;
		msg.bind.slot = sup->listeners[i].slot;
		msg.bind.addr = sup->listeners[i].local;
		ret = xfn_handover__send(child->sock, &msg, -1);
	}
	return ret;
}

static int send_sockets(const struct xfn_supervisor *sup, const struct xfn_child *child)
{
	struct xfn_handover msg = { .type = XFN_HO_UMEM, .version = XFN_HANDOVER_VERSION };
	int ret = 0;

	if (by_afxdp(child)) {
		msg.umem.len = child->umem.len;
		msg.umem.frame_size = child->umem.frame_size;
		msg.umem.headroom = child->umem.headroom;
		msg.umem.fill_size = child->umem.fill_size;
		msg.umem.comp_size = child->umem.comp_size;
		msg.umem.longest = child->umem.longest;
		ret = xfn_handover__send(child->sock, &msg, child->umem.memfd);
		memset(&msg.socket, 0, sizeof(msg.socket));
		msg.type = XFN_HO_SOCKET;
		msg.socket.queue = child->queue;
		msg.socket.rx_size = child->umem.rx_size;
		msg.socket.tx_size = child->umem.tx_size;
		return ret ?: xfn_handover__send(child->sock, &msg, child->umem.xsk);
	}
	if (by_ring(child)) {
		memset(&msg.socket, 0, sizeof(msg.socket));
		msg.type = XFN_HO_SOCKET;
		msg.socket.block_size = xfn_packet_ring__block(sup->ring_mtu);
		msg.socket.block_count = XFN_PACKET_RING / msg.socket.block_size;
		ret = xfn_handover__send(child->sock, &msg, child->ring.receive);
		return ret ?: xfn_handover__send(child->sock, &msg, child->ring.send);
	}
	for (unsigned i = 0; !ret && i < sup->listener_count; i++) {
		memset(&msg.socket, 0, sizeof(msg.socket));
		msg.type = XFN_HO_SOCKET;
		msg.socket.slot = sup->listeners[i].slot;
		msg.socket.local = sup->listeners[i].local;
		ret = xfn_handover__send(child->sock, &msg, sup->listeners[i].fd);
	}
	return ret;
}

static int hand_over(const struct xfn_supervisor *sup, const struct xfn_child *child)
{
	struct xfn_handover msg = { .type = XFN_HO_HELLO, .version = XFN_HANDOVER_VERSION };
	int ret;

	snprintf(msg.hello.engine, sizeof(msg.hello.engine), "%s", child->engine);
	msg.hello.flags = flags_of(sup);
	msg.hello.mtu = sup->iface.mtu ?: XFN_MTU_DEFAULT;
	msg.hello.rate = sup->opts->rate;
	msg.hello.uid = msg.hello.gid = geteuid() ? 0 : NOBODY;
	/* beside workers of frames, the one of sockets has the slow path only: it may sleep */
	msg.hello.spin = sup->opts->spin && (by_afxdp(child) || by_ring(child) ||
					     (!by_afxdp(sup->children) && !by_ring(sup->children)));
	msg.hello.cpu = child->cpu;
	ret = xfn_handover__send(child->sock, &msg, child->page_fd);
	ret = ret ?: send_functions(sup, child);
	ret = ret ?: xfn_quarantine__tell(sup, child);
	ret = ret ?: send_sockets(sup, child);
	msg = (struct xfn_handover){ .type = XFN_HO_START, .version = XFN_HANDOVER_VERSION };
	return ret ?: xfn_handover__send(child->sock, &msg, -1);
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

/* End the process for good, politely first. */
static void reap(struct xfn_child *child)
{
	struct xfn_handover stop = { .type = XFN_HO_STOP, .version = XFN_HANDOVER_VERSION };
	struct pollfd wait = { .fd = child->pidfd, .events = POLLIN };

	if (child->sock >= 0) {
		xfn_handover__send(child->sock, &stop, -1);
		close(child->sock);
		child->sock = -1;
	}
	if (child->pid <= 0)
		return;
	if (child->pidfd < 0 || poll(&wait, 1, STOP_MS) != 1)
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
	if (sup->loader)
		xfn_loader__socket(sup->loader, child->queue, 0, -1);
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
	if (by_afxdp(child)) {
		ret = xfn_umem__open(sup->iface.name, child->queue, sup->iface.mtu,
				     xfn_cpus__node(child->cpu), &child->umem, err, errlen);
		child->has_umem = !ret;
		if (!ret)
			xfn_log__line(LOG_DEBUG, "frames of queue %u are in %s pages", child->queue,
				      child->umem.huge ? "huge" : "normal");
	} else if (by_ring(child)) {
		ret = xfn_deploy__targets(sup, &targets);
		if (ret < 0)
			return ret;
		ret = xfn_packet_ring__open(sup->iface.name, sup->iface.index, sup->ring_mtu,
					    targets, (unsigned)ret, &child->ring, err, errlen);
		free(targets);
	}
	return ret;
}

/* By --cpus; else a worker of frames goes where its queue's interrupt goes. -1: nowhere. */
static int cpu_for(const struct xfn_supervisor *sup, const struct xfn_child *child)
{
	const struct xfn_run_options *opts = sup->opts;

	if (opts->cpu_count)
		return opts->cpus[(child - sup->children) % opts->cpu_count];
	/* veth has no interrupt; a device that has its name elsewhere may */
	if (!by_afxdp(child) || !strcmp(sup->iface.driver, "veth"))
		return -1;
	return xfn_cpus__of_queue("", sup->iface.name, child->queue);
}

static void check_pinned(const struct xfn_child *child, int wanted)
{
	if (child->cpu != wanted && wanted >= 0)
		xfn_log__line(LOG_WARNING,
			      "worker of engine %s, queue %u is not bound to CPU %d; is it online?",
			      child->engine, child->queue, wanted);
	else if (wanted >= 0)
		xfn_log__line(LOG_DEBUG, "worker of engine %s, queue %u is bound to CPU %d",
			      child->engine, child->queue, wanted);
}

static int start(struct xfn_supervisor *sup, struct xfn_child *child, char *err, size_t errlen)
{
	int pair[2] = { -1, -1 };
	int wanted, ret;

	child->state = XFN_CHILD_STARTING;
	child->pid = 0;
	child->pidfd = child->sock = -1;
	err[0] = 0;
	child->cpu = cpu_for(sup, child);
	ret = make_page(child);
	ret = ret ?: renew_rings(sup, child, err, errlen);
	if (!ret && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		ret = -errno;
	if (!ret) {
		child->sock = pair[0];
		ret = spawn(sup, child, pair[1], err, errlen);
		close(pair[1]);
	}
	if (!ret) {
		ret = hand_over(sup, child);
		/* A worker that refuses a message says why before it ends. */
		ret = wait_ready(child, err, errlen) ?: ret;
	}
	if (!ret && by_afxdp(child))
		ret = xfn_umem__bind(&child->umem, sup->iface.name, sup->iface.index, err, errlen);
	if (!ret && by_afxdp(child))
		ret = xfn_loader__socket(sup->loader, child->queue, 0, child->umem.xsk);
	if (ret) {
		if (!err[0])
			snprintf(err, errlen, "cannot start a worker: %s", strerror(-ret));
		reap(child);
		drop_rings(sup, child);
		child->state = XFN_CHILD_DEAD;
		return ret;
	}
	wanted = child->cpu;
	child->cpu = wanted < 0 ? -1 : xfn_cpus__of_process(child->pid);
	check_pinned(child, wanted);
	child->started_ns = now_ns();
	child->state = XFN_CHILD_READY;
	return 0;
}

int xfn_children__add(struct xfn_supervisor *sup, const char *engine, uint32_t queue, char *err,
		      size_t errlen)
{
	struct xfn_child *child = &sup->children[sup->child_count];
	int ret;

	memset(child, 0, sizeof(*child));
	child->engine = engine;
	child->queue = queue;
	child->page_fd = child->ring.receive = child->ring.send = -1;
	sup->child_count++;
	ret = start(sup, child, err, errlen);
	if (ret)
		xfn_children__remove(sup, sup->child_count - 1);
	return ret;
}

void xfn_children__renew_sockets(struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->child_count; i++) {
		struct xfn_child *child = &sup->children[i];

		if (by_afxdp(child) || by_ring(child))
			continue;
		if (child->state == XFN_CHILD_READY)
			reap(child);
		/* Started by the loop at once; a failure is tried again like a crash. */
		child->state = XFN_CHILD_DEAD;
		child->restart_at_ns = 0;
		child->ended_ns = now_ns();
		return;
	}
}

void xfn_children__ended(struct xfn_supervisor *sup, struct xfn_child *child)
{
	uint64_t now = now_ns();
	unsigned wait_ms = 0;
	char what[512];
	bool too_often;
	int status = 0;

	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
	close(child->pidfd);
	close(child->sock);
	child->pidfd = child->sock = -1;
	drop_rings(sup, child);
	child->ended_ns = now;
	/* Once at once, and when the cause is out; one that keeps dying waits longer each time. */
	too_often = xfn_quarantine__ended(sup, child, what, sizeof(what));
	if (too_often)
		wait_ms = 0;
	else if (now - child->started_ns < STABLE_NS && child->restarts)
		wait_ms = 100u << (child->restarts < 6 ? child->restarts : 6);
	else
		child->restarts = 0;
	if (wait_ms > BACK_OFF_MAX_MS)
		wait_ms = BACK_OFF_MAX_MS;
	child->restart_at_ns = now + wait_ms * 1000000ull;
	child->state = XFN_CHILD_DEAD;
	xfn_log__line(LOG_WARNING,
		      "worker of engine %s, queue %u ended (%s %d)%s; restart in %u ms",
		      child->engine, child->queue, WIFSIGNALED(status) ? "signal" : "status",
		      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), what, wait_ms);
	if (too_often)
		xfn_quarantine__begin(sup, child);
}

int xfn_children__restart_due(struct xfn_supervisor *sup)
{
	int next_ms = -1;

	for (unsigned i = 0; i < sup->child_count; i++) {
		struct xfn_child *child = &sup->children[i];
		uint64_t now = now_ns();
		int ms;

		if (child->state != XFN_CHILD_DEAD)
			continue;
		if (child->restart_at_ns <= now) {
			child->restarts++;
			if (!start(sup, child, child->error, sizeof(child->error))) {
				xfn_log__line(
					LOG_NOTICE,
					"worker of engine %s, queue %u serves again after %u ms",
					child->engine, child->queue,
					(unsigned)((now_ns() - child->ended_ns) / 1000000));
				continue;
			}
			xfn_log__line(LOG_ERR, "worker of engine %s, queue %u: %s", child->engine,
				      child->queue, child->error);
			child->restart_at_ns = now + BACK_OFF_MAX_MS * 1000000ull;
		}
		ms = (child->restart_at_ns - now) / 1000000 + 1;
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
	if (ret == 1 && msg.type == XFN_HO_FAILED)
		xfn_log__line(LOG_ERR, "worker of engine %s, queue %u: %.*s", child->engine,
			      child->queue, (int)sizeof(msg.failed.text), msg.failed.text);
	else if (ret == 1 && msg.type == XFN_HO_INVOKED)
		xfn_invoke__done(sup, child, &msg);
	else if (ret <= 0)
		xfn_children__ended(sup, child);
}

void xfn_children__remove(struct xfn_supervisor *sup, unsigned keep)
{
	/* All are told before any is waited for. */
	for (unsigned i = keep; i < sup->child_count; i++) {
		struct xfn_handover stop = { .type = XFN_HO_STOP, .version = XFN_HANDOVER_VERSION };

		if (sup->children[i].sock >= 0)
			xfn_handover__send(sup->children[i].sock, &stop, -1);
	}
	while (sup->child_count > keep) {
		struct xfn_child *child = &sup->children[--sup->child_count];

		if (child->state == XFN_CHILD_READY)
			reap(child);
		drop_rings(sup, child);
		if (child->page)
			munmap(child->page, sizeof(*child->page));
		if (child->page_fd >= 0)
			close(child->page_fd);
	}
}
