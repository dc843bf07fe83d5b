// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A worker: loads functions, gives up its privileges, then answers what one engine brings until it
 * is told to stop. Everything it uses was handed to it (handover.h); it opens no socket of its own.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "call.h"
#include "crash_note.h"
#include "engine.h"
#include "handover.h"
#include "sandbox.h"

#define SOCKETS_MAX 4096
/* Between two looks at the supervisor's messages: */
#define ROUNDS_PER_LOOK 1024	 /* busy rounds, at most */
#define NS_PER_LOOK	20000000 /* where a round was idle */

static struct {
	struct xfn_handover hello;
	struct xfn_page *page;
	struct xfn_call call;
	struct xfn_native natives[XFN_SLOTS];
	int module_fds[XFN_SLOTS];
	struct xfn_engine_socket sockets[SOCKETS_MAX];
	struct xfn_engine_config config;
	const struct xfn_engine_ops *ops;
	struct xfn_engine *engine;
	struct xfn_datagram batch[XFN_BATCH];
} worker;

static int tell(const struct xfn_handover *msg)
{
	return xfn_handover__send(XFN_HANDOVER_FD, msg, -1);
}

static int failed(const char *text)
{
	struct xfn_handover msg = { .type = XFN_HO_FAILED, .version = XFN_HANDOVER_VERSION };

	snprintf(msg.failed.text, sizeof(msg.failed.text), "%s", text);
	tell(&msg);
	return 1;
}

static int take_hello(const struct xfn_handover *msg, int fd, char *err, size_t errlen)
{
	void *page = mmap(NULL, sizeof(struct xfn_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	close(fd);
	if (page == MAP_FAILED) {
		snprintf(err, errlen, "cannot map the page of counters: %s", strerror(errno));
		return -errno;
	}
	worker.hello = *msg;
	worker.page = page;
	worker.page->pid = getpid();
	worker.ops = xfn_engine_find(msg->hello.engine);
	if (!worker.ops) {
		snprintf(err, errlen, "no engine of the name %s", msg->hello.engine);
		return -ENOENT;
	}
	if (xfn_call__init(&worker.call, worker.page)) {
		snprintf(err, errlen, "out of memory");
		return -ENOMEM;
	}
	worker.call.flags = msg->hello.flags;
	if (xfn_call__bound(&worker.call, msg->hello.rate)) {
		snprintf(err, errlen, "out of memory");
		return -ENOMEM;
	}
	worker.call.mtu = msg->hello.mtu;
	worker.call.iface = msg->hello.iface;
	worker.config.spin = msg->hello.spin;
	worker.config.sockets = worker.sockets;
	worker.config.payload_max = 65507;
	return 0;
}

static int take_function(const struct xfn_handover *msg, int fd, char *err, size_t errlen)
{
	unsigned slot = msg->function.slot;
	int ret;

	if (slot >= XFN_SLOTS || worker.natives[slot].module) {
		snprintf(err, errlen, "%s: slot %u is not free", msg->function.name, slot);
		return -EINVAL;
	}
	worker.module_fds[slot] = fd; /* stays open: see xfn_native__load */
	ret = xfn_native__load(fd, msg->function.name, &worker.natives[slot], err, errlen);
	if (ret)
		return ret;
	ret = xfn_call__put(&worker.call, slot, worker.natives[slot].module);
	if (ret)
		snprintf(err, errlen, "%s: more than %d counters; use fewer", msg->function.name,
			 XFN_PAGE_COUNTERS);
	return ret;
}

static int take(const struct xfn_handover *msg, int fd, char *err, size_t errlen)
{
	const struct xfn_address *addr = &msg->bind.addr;

	snprintf(err, errlen, "handover message %u out of order", msg->type);
	if (msg->type == XFN_HO_HELLO && !worker.page && fd >= 0)
		return take_hello(msg, fd, err, errlen);
	if (!worker.page)
		return -EPROTO;
	switch (msg->type) {
	case XFN_HO_FUNCTION:
		return fd < 0 ? -EPROTO : take_function(msg, fd, err, errlen);
	case XFN_HO_BIND:
		return xfn_call__bind(&worker.call, msg->bind.any ? NULL : addr->ip, addr->port,
				      msg->bind.slot);
	case XFN_HO_QUARANTINE:
		xfn_call__quarantine(&worker.call, msg->quarantine.slot, msg->quarantine.on);
		return 0;
	case XFN_HO_UMEM:
		worker.config.umem_fd = fd;
		worker.config.umem_len = msg->umem.len;
		worker.config.frame_size = msg->umem.frame_size;
		worker.config.headroom = msg->umem.headroom;
		worker.config.fill_size = msg->umem.fill_size;
		worker.config.comp_size = msg->umem.comp_size;
		worker.config.longest = msg->umem.longest;
		return fd < 0 ? -EPROTO : 0;
	case XFN_HO_SOCKET:
		if (fd < 0 || worker.config.socket_count == SOCKETS_MAX)
			return -EPROTO;
		worker.sockets[worker.config.socket_count] = msg->socket;
		worker.sockets[worker.config.socket_count++].fd = fd;
		return 0;
	}
	return -EPROTO;
}

/* Last steps before the first packet; nothing privileged after it. */
static int start(char *err, size_t errlen)
{
	cpu_set_t cpus;
	int ret;

	if (worker.hello.hello.cpu >= 0) {
		CPU_ZERO(&cpus);
		CPU_SET(worker.hello.hello.cpu, &cpus);
		sched_setaffinity(0, sizeof(cpus), &cpus);
	}
	xfn_call__enter(&worker.call);
	for (unsigned slot = 0; slot < XFN_SLOTS; slot++) {
		const struct xfn_native_module *mod = worker.natives[slot].module;

		ret = mod && mod->init ? mod->init() : 0;
		if (ret) {
			snprintf(err, errlen, "%s: its XFN_INIT returned %d (%s)", mod->attr->name,
				 ret, strerror(abs(ret)));
			return -ECANCELED;
		}
		if (mod)
			close(worker.module_fds[slot]);
	}
	xfn_crash_note__install(&worker.call);
	ret = worker.ops->open(&worker.engine, &worker.config, err, errlen);
	if (ret)
		return ret;
	return xfn_sandbox__enter(worker.ops->name, worker.hello.hello.uid, worker.hello.hello.gid,
				  err, errlen);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Call one function on a payload that came in a memfd; the reply goes back in it. */
static void invoke(const struct xfn_handover *msg, int fd)
{
	static uint8_t request[XFN_INVOKE_MAX];
	struct xfn_handover done = { .type = XFN_HO_INVOKED, .version = XFN_HANDOVER_VERSION };
	uint64_t before[XFN_REASON_SLOTS];
	struct xfn_datagram d;
	uint64_t ns = 0, begin;
	uint32_t repeat = msg->invoke.repeat ?: 1;
	uint8_t *bytes = MAP_FAILED;

	if (fd >= 0)
		bytes = mmap(NULL, XFN_INVOKE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes != MAP_FAILED && msg->invoke.len <= XFN_INVOKE_MAX &&
	    msg->invoke.slot < XFN_SLOTS && worker.natives[msg->invoke.slot].module) {
		memcpy(request, bytes, msg->invoke.len);
		memcpy(before, worker.page->reasons, sizeof(before));
		for (uint32_t i = 0; i < repeat; i++) {
			memcpy(bytes, request, msg->invoke.len);
			d = (struct xfn_datagram){ .data = bytes,
						   .len = msg->invoke.len,
						   .capacity = XFN_INVOKE_MAX,
						   .slot = msg->invoke.slot,
						   .peer = { .ip = { [15] = 1 }, .port = 40000 },
						   .local = { .ip = { [15] = 1 } } };
			begin = now_ns();
			xfn_call__batch(&worker.call, XFN_PAYLOAD, &d, 1);
			ns += now_ns() - begin;
		}
		done.invoked.replied = d.send;
		done.invoked.len = d.len;
		done.invoked.ns = ns / repeat;
		for (unsigned i = 0; i < XFN_REASON_SLOTS; i++)
			if (worker.page->reasons[i] != before[i])
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
	struct xfn_handover done = { .type = XFN_HO_AUDITED, .version = XFN_HANDOVER_VERSION };

	if (worker.ops->audit)
		worker.ops->audit(worker.engine, &done.audited);
	tell(&done);
}

/* False: stop. */
static bool look_at_messages(void)
{
	struct xfn_handover msg;
	char byte;
	int fd, ret;

	for (;;) {
		ssize_t n = recv(XFN_HANDOVER_FD, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		ret = xfn_handover__recv(XFN_HANDOVER_FD, &msg, &fd);
		if (ret <= 0 || msg.type == XFN_HO_STOP)
			return false;
		if (msg.type == XFN_HO_INVOKE)
			invoke(&msg, fd);
		if (msg.type == XFN_HO_QUARANTINE)
			xfn_call__quarantine(&worker.call, msg.quarantine.slot, msg.quarantine.on);
		if (msg.type == XFN_HO_AUDIT)
			audit();
		if (fd >= 0)
			close(fd);
	}
}

static int serve(void)
{
	const struct xfn_engine_ops *ops = worker.ops;
	uint64_t now, next_look = 0;
	unsigned since_look = 0;
	bool busy = false;
	int ret = 0;

	for (;;) {
		unsigned n = ops->take(worker.engine, worker.batch, XFN_BATCH);

		if (n) {
			xfn_call__batch(&worker.call, ops->kind, worker.batch, n);
			ops->give(worker.engine, worker.batch, n);
		}
		worker.page->rounds++;
		/* what sleeps has told its counts */
		if (!n && busy && !worker.config.spin)
			ops->stats(worker.engine, &worker.page->engine);
		busy = n;
		if (!n)
			ret = ops->poll(worker.engine, XFN_WAIT_MS);
		if (ret) {
			failed("the engine lost its socket");
			break;
		}
		/* Looking costs two system calls: what idles is busy again soon, or waits long. */
		now = n ? 0 : now_ns();
		if (++since_look < ROUNDS_PER_LOOK && now < next_look)
			continue;
		since_look = 0;
		next_look = (now ?: now_ns()) + NS_PER_LOOK;
		ops->stats(worker.engine, &worker.page->engine);
		if (!look_at_messages())
			break;
	}
	/* What had arrived before the stop is answered. */
	for (int round = 0; !ret && round < 64; round++) {
		unsigned n = ops->take(worker.engine, worker.batch, XFN_BATCH);

		if (!n)
			break;
		xfn_call__batch(&worker.call, ops->kind, worker.batch, n);
		ops->give(worker.engine, worker.batch, n);
	}
	ops->stats(worker.engine, &worker.page->engine);
	ops->close(worker.engine);
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct xfn_handover msg;
	char err[256] = "";
	int fd, ret;

	if (argc != 1 || recv(XFN_HANDOVER_FD, &msg, 1, MSG_PEEK | MSG_DONTWAIT) < 0) {
		if (argc != 1 || (errno != EAGAIN && errno != EINTR)) {
			fprintf(stderr, "%s: started by `xfn run` only; run that\n", argv[0]);
			return 2;
		}
	}
	prctl(PR_SET_NAME, "xfn-worker"); /* it may have been executed by a descriptor */
	xfn_sandbox__die_with_parent();
	signal(SIGINT, SIG_IGN); /* Ctrl-C is the supervisor's: it tells us to stop */
	for (;;) {
		ret = xfn_handover__recv(XFN_HANDOVER_FD, &msg, &fd);
		if (ret <= 0)
			return ret ? failed("handover message of another version; install one xfn") :
				     0;
		if (msg.type == XFN_HO_STOP)
			return 0;
		if (msg.type == XFN_HO_START && worker.page)
			break;
		if (take(&msg, fd, err, sizeof(err)))
			return failed(err);
	}
	if (start(err, sizeof(err)))
		return failed(err);
	msg = (struct xfn_handover){ .type = XFN_HO_READY, .version = XFN_HANDOVER_VERSION };
	if (tell(&msg))
		return 1;
	return serve();
}
