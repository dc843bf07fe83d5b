// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A worker: loads functions, gives up its privileges, then answers what one engine brings until it
 * is told to stop. Everything it uses was handed to it (worker_protocol.h); it opens no socket of its own.
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
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "../../skel/module.h"
#include "../../skel/sealed_copy.h"
#include "../../xdp/units.h"
#include "crash_note.h"
#include "descriptors.h"
#include "own_descriptors.h"
#include "sandbox.h"
#include "worker_inside.h"

#define SOCKETS_MAX  4096
#define LAST_WORD_NS XFN_NSEC_PER_SEC /* for the supervisor's STOP to follow a signal */

_Static_assert(XFN_ENGINE_THREADS == XFN_THREADS, "a thread, an engine");

static struct {
	struct xfn_message hello;
	unsigned count; /* threads */
	struct xfn_worker_thread *thread[XFN_THREADS];
	struct xfn_commands orders;
	struct xfn_engine_socket sockets[SOCKETS_MAX];
	struct xfn_engine_config config;
	const struct xfn_engine_ops *ops;
	int module_fds[XFN_SLOTS * XFN_THREADS];
	unsigned module_fd_count;
	uint64_t signalled_ns; /* when its signal was seen, 0: there was none */
	bool goes;	       /* it may take requests */
} worker;

static volatile sig_atomic_t signalled; /* the signal that asked this process to end */

static void on_end(int sig, siginfo_t *info, void *context)
{
	(void)context;
	/* By its own hand, which is a function's: it ends now, where the supervisor sees which one.
	 * It has its default action again, and comes when this returns. */
	if (info->si_code <= 0 && info->si_pid == getpid())
		syscall(SYS_tgkill, getpid(), gettid(), sig);
	else
		signalled = sig;
}

/*
 * What ends a terminal's or a service's processes reaches the supervisor too, which then says STOP:
 * the worker waits for that, so that it answers what has arrived. Where nobody says so it was meant
 * alone. A second signal ends it at once.
 */
static void wait_for_the_supervisor(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction act = { .sa_sigaction = on_end,
				       .sa_flags = SA_SIGINFO | SA_RESTART | SA_RESETHAND };

	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &act, NULL);
}

/* Was a signal meant for this process alone? */
static bool ends_alone(void)
{
	if (!signalled)
		return false;
	if (!worker.signalled_ns)
		worker.signalled_ns = xfn_now_ns();
	return xfn_now_ns() - worker.signalled_ns > LAST_WORD_NS;
}

static int tell(const struct xfn_message *msg)
{
	return xfn_message__send(XFN_WORKER_PROTOCOL_FD, msg, -1);
}

static int failed(const char *text)
{
	struct xfn_message msg = { .type = XFN_MESSAGE_FAILED,
				   .version = XFN_WORKER_PROTOCOL_VERSION };

	snprintf(msg.failed.text, sizeof(msg.failed.text), "%s", text);
	if (tell(&msg)) /* the pair may be what is lost */
		fprintf(stderr, "%s\n", text);
	return 1;
}

static int make_thread(const struct xfn_message *msg, unsigned index, struct xfn_page *page)
{
	struct xfn_worker_thread *t = calloc(1, sizeof(*t));

	worker.thread[index] = t;
	if (!t || xfn_call__init(&t->call, page) || xfn_call__bound(&t->call, msg->hello.rate) ||
	    sem_init(&t->go, 0, 0) || sem_init(&t->done, 0, 0))
		return -ENOMEM;
	t->index = index;
	t->page = page;
	t->page->pid = getpid();
	t->ops = worker.ops;
	t->orders = &worker.orders;
	t->spin = msg->hello.spin;
	t->cpu = msg->hello.cpu[index];
	t->call.careful = msg->hello.careful;
	t->call.flags = msg->hello.flags;
	t->call.mtu = msg->hello.mtu;
	t->call.iface = msg->hello.iface;
	return 0;
}

static int take_hello(const struct xfn_message *msg, int fd, struct xfn_error *err)
{
	unsigned count = msg->hello.threads;
	struct xfn_page *pages = MAP_FAILED;

	if (count && count <= XFN_THREADS)
		pages = mmap(NULL, count * sizeof(*pages), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			     0);
	close(fd);
	if (pages == MAP_FAILED)
		return xfn_fail(err, -errno, "cannot map the page of counters: %s",
				strerror(errno));
	worker.hello = *msg;
	worker.orders.active = 1;
	worker.ops = xfn_engine_find(msg->hello.engine);
	if (!worker.ops)
		return xfn_fail(err, -ENOENT, "no engine of the name %s", msg->hello.engine);
	for (worker.count = 0; worker.count < count; worker.count++)
		if (make_thread(msg, worker.count, &pages[worker.count]))
			return xfn_fail(err, -ENOMEM, "out of memory");
	worker.config.spin = msg->hello.spin;
	worker.config.sqpoll = msg->hello.sqpoll;
	worker.config.busy_us = msg->hello.busy_us;
	worker.config.sockets = worker.sockets;
	worker.config.payload_max = XFN_PAYLOAD_MAX;
	return 0;
}

static int take_function(const struct xfn_message *msg, int fd, struct xfn_error *err)
{
	unsigned slot = msg->function.slot;
	int ret = 0;

	if (slot >= XFN_SLOTS || worker.thread[0]->natives[slot].module) {
		xfn_error__set(err, "%s: slot %u is not free", msg->function.name, slot);
		close(fd);
		return -EINVAL;
	}
	for (unsigned i = 0; !ret && i < worker.count; i++) {
		struct xfn_worker_thread *t = worker.thread[i];
		/* another file of the same bytes, which the linker takes for another module: so its
		 * data is the thread's own */
		int file = i ? xfn_sealed_copy(fd, XFN_MODULE_MAX) : fd;

		xfn_own_descriptors__add(file);
		if (file < 0) {
			xfn_error__set(err, "%s: cannot be copied for another thread: %s",
				       msg->function.name, strerror(-file));
			return file;
		}
		/* stays open until all are loaded: see xfn_native__load */
		worker.module_fds[worker.module_fd_count++] = file;
		/* tells the supervisor whose fault it is, also where a constructor ends us */
		t->page->running_slot = slot + 1;
		ret = xfn_native__load(file, msg->function.name, &t->natives[slot], err);
		if (ret)
			return ret;
		if (xfn_descriptors__lost() >= 0) {
			return xfn_fail(err, -ECANCELED, "%s: a constructor of it %s",
					msg->function.name, XFN_DESCRIPTOR_LOST);
		}
		ret = xfn_call__put(&t->call, slot, t->natives[slot].module);
		if (ret)
			xfn_error__set(err, "%s: more than %d counters; use fewer",
				       msg->function.name, XFN_PAGE_COUNTERS);
		else
			t->page->running_slot = 0;
	}
	return ret;
}

static int bind_function(const struct xfn_message *msg)
{
	const struct xfn_address *addr = &msg->bind.addr;
	int ret = 0;

	for (unsigned i = 0; !ret && i < worker.count; i++)
		ret = xfn_call__bind(&worker.thread[i]->call, msg->bind.any ? NULL : addr->ip,
				     addr->port, msg->bind.slot);
	return ret;
}

static void quarantine(const struct xfn_message *msg)
{
	for (unsigned i = 0; i < worker.count; i++)
		xfn_call__quarantine(&worker.thread[i]->call, msg->quarantine.slot,
				     msg->quarantine.on);
}

static void take_umem(const struct xfn_message *msg, int fd)
{
	xfn_own_descriptors__add(fd);
	worker.config.umem_fd = fd;
	worker.config.umem_len = msg->umem.len;
	worker.config.frame_size = msg->umem.frame_size;
	worker.config.headroom = msg->umem.headroom;
	worker.config.fill_size = msg->umem.fill_size;
	worker.config.comp_size = msg->umem.comp_size;
	worker.config.longest = msg->umem.longest;
}

static int take_socket(const struct xfn_message *msg, int fd)
{
	if (worker.config.socket_count == SOCKETS_MAX)
		return -EPROTO;
	xfn_own_descriptors__add(fd);
	worker.sockets[worker.config.socket_count] = msg->socket;
	worker.sockets[worker.config.socket_count++].fd = fd;
	return 0;
}

static int take(const struct xfn_message *msg, int fd, struct xfn_error *err)
{
	bool wants = msg->type == XFN_MESSAGE_HELLO || msg->type == XFN_MESSAGE_FUNCTION ||
		     msg->type == XFN_MESSAGE_UMEM || msg->type == XFN_MESSAGE_SOCKET ||
		     msg->type == XFN_MESSAGE_SENDER;

	xfn_error__set(err, "message %u of the worker protocol out of order", msg->type);
	if (!wants && fd >= 0)
		close(fd);
	if (wants && fd < 0)
		return -EPROTO;
	if (msg->type == XFN_MESSAGE_HELLO && !worker.count)
		return take_hello(msg, fd, err);
	if (!worker.count)
		return -EPROTO;
	switch (msg->type) {
	case XFN_MESSAGE_FUNCTION:
		return take_function(msg, fd, err);
	case XFN_MESSAGE_BIND:
		return bind_function(msg);
	case XFN_MESSAGE_QUARANTINE:
		quarantine(msg);
		return 0;
	case XFN_MESSAGE_ACTIVE:
		worker.orders.active = msg->active.threads;
		return 0;
	case XFN_MESSAGE_UMEM:
		take_umem(msg, fd);
		return 0;
	case XFN_MESSAGE_SOCKET:
		return take_socket(msg, fd);
	case XFN_MESSAGE_SENDER:
		if (worker.config.sender_count == XFN_ENGINE_THREADS)
			return -EPROTO;
		xfn_own_descriptors__add(fd);
		worker.config.sender[worker.config.sender_count++] = fd;
		return 0;
	}
	return -EPROTO;
}

static int open_engines(struct xfn_error *err)
{
	int ret = 0;

	for (unsigned i = 0; !ret && i < worker.count; i++) {
		worker.config.thread = i;
		worker.config.first = i ? worker.thread[0]->engine : NULL;
		ret = worker.ops->open(&worker.thread[i]->engine, &worker.config, err);
		if (!ret && worker.ops->descriptor)
			xfn_own_descriptors__add(worker.ops->descriptor(worker.thread[i]->engine));
	}
	return ret;
}

/* The others do their next step, one after the other: what authors and libraries do in it need not
 * know of threads. */
static int step_others(struct xfn_error *err)
{
	for (unsigned i = 1; i < worker.count; i++) {
		struct xfn_worker_thread *t = worker.thread[i];

		sem_post(&t->go);
		sem_wait(&t->done);
		if (t->ret) {
			xfn_error__set(err, "%s", t->err.line);
			return t->ret;
		}
	}
	return 0;
}

/* Last steps before the first packet; nothing privileged after it. */
static int start(struct xfn_error *err)
{
	struct xfn_worker_thread *first = worker.thread[0];
	uint64_t memory = (uint64_t)worker.hello.hello.memory_mb * worker.count * 1048576;
	bool sqpoll = worker.config.sqpoll;
	int ret = sqpoll ? 0 : open_engines(err);

	xfn_descriptors__note();
	ret = ret ?: xfn_sandbox__bound(err);
	for (unsigned i = 1; !ret && i < worker.count; i++) {
		ret = -pthread_create(&worker.thread[i]->id, NULL, xfn_worker__thread,
				      worker.thread[i]);
		if (ret)
			xfn_error__set(err, "cannot make a thread: %s", strerror(-ret));
	}
	if (ret)
		return ret;
	xfn_crash_note__install();
	ret = xfn_worker__init(first);
	if (ret)
		xfn_error__set(err, "%s", first->err.line);
	ret = ret ?: step_others(err);
	for (unsigned i = 0; i < worker.module_fd_count; i++)
		close(worker.module_fds[i]);
	ret = ret ?: xfn_sandbox__user(worker.hello.hello.uid, worker.hello.hello.gid, err);
	ret = ret ?: step_others(err);
	ret = ret ?: xfn_sandbox__drop(err);
	/* a thread that the kernel makes for the engine has the privileges of that moment */
	if (!ret && sqpoll)
		ret = open_engines(err);
	ret = ret ?: xfn_sandbox__enter(worker.ops->calls, memory, err);
	for (unsigned i = 1; !ret && i < worker.count; i++)
		sem_post(&worker.thread[i]->go);
	return ret;
}

/* Call one function on a payload that came in a memfd; the reply goes back in it. */
static void invoke(const struct xfn_message *msg, int fd)
{
	static uint8_t request[XFN_INVOKE_MAX + 2 * XFN_GUARD];
	uint8_t *const data = request + XFN_GUARD;
	struct xfn_message done = { .type = XFN_MESSAGE_INVOKED,
				    .version = XFN_WORKER_PROTOCOL_VERSION };
	uint64_t before[XFN_REASON_SLOTS];
	struct xfn_datagram d;
	uint64_t ns = 0, begin;
	uint32_t repeat = msg->invoke.repeat ?: 1;
	uint8_t *bytes = MAP_FAILED;

	if (fd >= 0)
		bytes = mmap(NULL, XFN_INVOKE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes != MAP_FAILED && msg->invoke.len <= XFN_INVOKE_MAX &&
	    msg->invoke.slot < XFN_SLOTS && worker.thread[0]->natives[msg->invoke.slot].module) {
		memcpy(before, worker.thread[0]->page->reasons, sizeof(before));
		for (uint32_t i = 0; i < repeat; i++) {
			memcpy(data, bytes, msg->invoke.len);
			d = (struct xfn_datagram){ .data = data,
						   .len = msg->invoke.len,
						   .capacity = XFN_INVOKE_MAX,
						   .guarded = true,
						   .slot = msg->invoke.slot,
						   .peer = { .ip = { [15] = 1 }, .port = 40000 },
						   .local = { .ip = { [15] = 1 } } };
			begin = xfn_now_ns();
			xfn_call__batch(&worker.thread[0]->call, XFN_PAYLOAD, &d, 1);
			ns += xfn_now_ns() - begin;
		}
		if (d.send)
			memcpy(bytes, data, d.len);
		done.invoked.replied = d.send;
		done.invoked.len = d.len;
		done.invoked.ns = ns / repeat;
		for (unsigned i = 0; i < XFN_REASON_SLOTS; i++)
			if (worker.thread[0]->page->reasons[i] != before[i])
				done.invoked.reason = i;
	} else {
		done.invoked.reason = XFN_REASON_NO_PROGRAM;
	}
	if (bytes != MAP_FAILED)
		munmap(bytes, XFN_INVOKE_MAX);
	tell(&done);
}

/* Only engines that own frames are asked. */
static void audit(void)
{
	struct xfn_message done = { .type = XFN_MESSAGE_AUDITED,
				    .version = XFN_WORKER_PROTOCOL_VERSION };
	struct xfn_engine *engines[XFN_THREADS];

	for (unsigned i = 0; i < worker.count; i++)
		engines[i] = worker.thread[i]->engine;
	/* who does not stand still is in a function: no answer, until the next time */
	if (xfn_worker__quiesce(&worker.orders, worker.count - 1)) {
		if (worker.ops->audit)
			worker.ops->audit(engines, worker.count, &done.audited);
		tell(&done);
	}
	xfn_worker__resume(&worker.orders);
}

/* False: stop. */
static bool check_messages(void)
{
	struct xfn_message msg;
	char byte;
	int fd, ret;

	if (ends_alone()) {
		xfn_worker__stop(&worker.orders);
		return false;
	}
	for (;;) {
		ssize_t n = recv(XFN_WORKER_PROTOCOL_FD, &byte, 1, XFN_MESSAGE_PEEK);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		ret = xfn_message__recv(XFN_WORKER_PROTOCOL_FD, &msg, &fd);
		if (ret <= 0 || msg.type == XFN_MESSAGE_STOP) {
			xfn_worker__stop(&worker.orders);
			return false;
		}
		if (msg.type == XFN_MESSAGE_GO)
			worker.goes = true;
		if (msg.type == XFN_MESSAGE_INVOKE)
			invoke(&msg, fd);
		if (msg.type == XFN_MESSAGE_QUARANTINE)
			quarantine(&msg);
		if (msg.type == XFN_MESSAGE_ACTIVE) {
			__atomic_store_n(&worker.orders.active, msg.active.threads,
					 __ATOMIC_RELEASE);
			xfn_worker__command(&worker.orders);
		}
		if (msg.type == XFN_MESSAGE_AUDIT)
			audit();
		if (fd >= 0)
			xfn_sandbox__close(fd);
	}
}

/* Requests wait where they are until then. False: stop. */
static bool may_go(void)
{
	struct pollfd wait = { .fd = XFN_WORKER_PROTOCOL_FD, .events = POLLIN };

	while (!worker.goes) {
		poll(&wait, 1, XFN_WAIT_MS);
		if (!check_messages())
			return false;
	}
	return true;
}

static int serve(void)
{
	int ret = may_go() ? xfn_worker__rounds(worker.thread[0], check_messages) : 0;

	if (ret)
		failed("the engine lost its socket");
	xfn_worker__stop(&worker.orders);
	for (unsigned i = 1; i < worker.count; i++)
		pthread_join(worker.thread[i]->id, NULL);
	/* one that rests takes a while to end; where no STOP was said requests still came */
	if (!ret && worker.goes)
		xfn_worker__finish(worker.thread[0]);
	while (worker.count)
		worker.ops->close(worker.thread[--worker.count]->engine);
	if (!ret && ends_alone())
		raise(signalled); /* which has its default action again: the status tells it */
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct xfn_message msg;
	struct xfn_error err = { 0 };
	int fd, ret;

	if (argc != 1 || recv(XFN_WORKER_PROTOCOL_FD, &msg, 1, XFN_MESSAGE_PEEK) < 0) {
		if (argc != 1 || (errno != EAGAIN && errno != EINTR)) {
			fprintf(stderr, "%s: started by `xfn run` only; run that\n", argv[0]);
			return 2;
		}
	}
	prctl(PR_SET_NAME, "xfn-worker"); /* it may have been executed by a descriptor */
	xfn_sandbox__die_with_parent();
	xfn_sandbox__end_first();
	if (xfn_own_descriptors__begin(XFN_WORKER_PROTOCOL_FD))
		return failed("out of memory");
	xfn_descriptors__note();
	wait_for_the_supervisor();
	signal(SIGXFSZ, SIG_IGN);	       /* an error that has a message */
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* a pipe, which the supervisor reads by the line */
	for (;;) {
		ret = xfn_message__recv(XFN_WORKER_PROTOCOL_FD, &msg, &fd);
		if (ret <= 0)
			return ret ? failed("the worker protocol is of another version; install one xfn") :
				     0;
		if (msg.type == XFN_MESSAGE_STOP)
			return 0;
		if (msg.type == XFN_MESSAGE_START && worker.count)
			break;
		if (take(&msg, fd, &err))
			return failed(err.line);
	}
	if (start(&err))
		return failed(err.line);
	msg = (struct xfn_message){ .type = XFN_MESSAGE_READY,
				    .version = XFN_WORKER_PROTOCOL_VERSION };
	if (tell(&msg))
		return 1;
	return serve();
}
