// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a function costs per request: in the kernel by BPF_PROG_TEST_RUN, natively by the worker's
 * call path, the same request in both. The native code runs in a process of its own, which may die
 * or hang. No interface, no socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "../../skel/cost.h"
#include "../../xdp/units.h"
#include "../../userspace/call/call.h"
#include "../../userspace/host/now.h"
#include "../../userspace/call/request_frame.h"
#include "../../userspace/worker/sandbox.h"
#include "classify.h"
#include "source_text.h"

#define ROUNDS	   15			     /* the shortest counts */
#define ROUND_NS   (150 * XFN_NSEC_PER_USEC) /* what a round is to take at most */
#define REPEATS	   1000			     /* in a round, at most */
#define BOUND_NS   (12 * XFN_NSEC_PER_MSEC)  /* for all rounds of one size */
#define PATIENCE_S 1			     /* of a CPU, for a function that does not return */
#define ASLEEP_S   10			     /* for one that waits instead */
#define CAPACITY   4096
#define ANY_PORT   4711 /* of a function that has none yet */

static const uint32_t sizes[XFN_COSTS] = { 64, 512, 1400 };

/* What the process that runs native code tells. */
struct native_cost {
	int32_t failed; /* of the preparation: errno */
	uint32_t ns[XFN_COSTS];
	uint32_t action[XFN_COSTS];
	uint32_t done; /* sizes */
};

struct request {
	uint8_t frame[CAPACITY];
	size_t len;
};

/* Requests of each size. Letters, or zeroes: a function may refuse the one and take the other. */
static void make_requests(struct request requests[XFN_COSTS], uint16_t port, bool zeroes)
{
	const struct xfn_address local = { .ip = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 },
					   .port = port };
	const struct xfn_address peer = { .ip = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2 },
					  .port = 40000 };
	uint8_t payload[2048];

	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = zeroes ? 0 : 'a' + i % 26;
	for (unsigned i = 0; i < XFN_COSTS; i++)
		requests[i].len = xfn_request_frame__build(requests[i].frame, &peer, &local,
							   payload, sizes[i]);
}

/* The function once, on a fresh copy; with c NULL, the copy only. */
static void call_once(struct xfn_call *c, struct xfn_datagram *d, const struct request *request)
{
	memcpy(d->data, request->frame, request->len);
	d->len = request->len;
	__asm__ volatile("" : : "r"(d->data) : "memory");
	if (c)
		xfn_call__batch(c, XFN_FRAME, d, 1);
}

static uint32_t shortest(struct xfn_call *c, struct xfn_datagram *d, const struct request *request)
{
	uint64_t start = xfn_now_ns(), least = UINT64_MAX, repeat = 1;

	for (unsigned round = 0; round <= ROUNDS; round++) {
		uint64_t begin = xfn_now_ns(), took;

		for (unsigned i = 0; i < repeat; i++)
			call_once(c, d, request);
		took = (xfn_now_ns() - begin) / repeat;
		if (round && took < least)
			least = took;
		repeat = ROUND_NS / (took + 1);
		repeat = repeat < 1 ? 1 : repeat > REPEATS ? REPEATS : repeat;
		if (round && xfn_now_ns() - start > BOUND_NS)
			break;
	}
	return least < UINT32_MAX ? (uint32_t)least : UINT32_MAX;
}

static uint32_t action_of(const struct xfn_slot_counters *before,
			  const struct xfn_slot_counters *after)
{
	return after->replies > before->replies	  ? XFN_REPLY :
	       after->consumed > before->consumed ? XFN_CONSUME :
						    XFN_DROP;
}

/* What a call needs. Freed by the end of the process. */
struct native_run {
	struct xfn_page *page;
	struct xfn_call *call;
	struct xfn_datagram d;
	struct xfn_native native;
};

/* Load the function of `copy` into the sandbox, and start it; `tell` stays open. 0, or which errno tells why. */
static int start_native(struct native_run *b, int copy, int tell, uint16_t port)
{
	const int keep[] = { copy, tell };
	struct xfn_error err;

	b->page = calloc(1, sizeof(*b->page));
	b->call = calloc(1, sizeof(*b->call));
	b->d = (struct xfn_datagram){ .data = calloc(1, CAPACITY), .capacity = CAPACITY };
	if (!b->page || !b->call || !b->d.data || copy < 0 || xfn_call__init(b->call, b->page))
		return ENOMEM;
	if (xfn_sandbox__before_code(keep, 2, &err))
		return EPERM;
	if (xfn_native__load(copy, "function", &b->native, &err) ||
	    xfn_call__put(b->call, 0, b->native.module) || xfn_call__bind(b->call, NULL, port, 0))
		return EINVAL;
	xfn_call__enter(b->call);
	if (b->native.module->init && b->native.module->init())
		return EAGAIN;
	return xfn_sandbox__whole(&err) ? EPERM : 0;
}

/* In a process of its own: load, call, tell. Never returns. */
static void run_native(const char *so, const struct request requests[XFN_COSTS], uint16_t port,
		       int tell)
{
	/* a busy host, on which this process hardly runs, is not the function's fault */
	struct itimerval busy = { .it_value = { .tv_sec = PATIENCE_S } };
	struct itimerval asleep = { .it_value = { .tv_sec = ASLEEP_S } };
	int quiet = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd = open(so, O_RDONLY | O_CLOEXEC), copy = xfn_native__copy(fd);
	struct native_cost told = {};
	struct native_run b = {};

	signal(SIGPROF, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	setitimer(ITIMER_PROF, &busy, NULL);
	setitimer(ITIMER_REAL, &asleep, NULL);
	for (int i = 0; i < 3 && quiet >= 0; i++)
		dup2(quiet, i);
	told.failed = quiet < 0 ? ENOMEM : start_native(&b, copy, tell, port);
	for (; !told.failed && told.done < XFN_COSTS; told.done++) {
		const struct request *request = &requests[told.done];
		struct xfn_slot_counters before = b.page->slots[0];
		uint32_t with, without;

		/* told first, lest a death be silent about how far it came */
		if (write(tell, &told, sizeof(told)) != sizeof(told))
			_exit(1);
		call_once(b.call, &b.d, request);
		told.action[told.done] = action_of(&before, &b.page->slots[0]);
		with = shortest(b.call, &b.d, request);
		without = shortest(NULL, &b.d, request);
		told.ns[told.done] = with > without ? with - without : 1;
	}
	_exit(write(tell, &told, sizeof(told)) != sizeof(told));
}

/* The next thing told, of which nothing is believed; one that is silent for too long is ended. */
static bool hear(int fd, pid_t pid, struct native_cost *out)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct native_cost told;
	int n;

	while ((n = poll(&ready, 1, 2 * ASLEEP_S * 1000)) < 0 && errno == EINTR)
		;
	if (n <= 0) {
		kill(pid, SIGKILL);
		out->failed = ETIMEDOUT;
	}
	if (n <= 0 || read(fd, &told, sizeof(told)) != sizeof(told))
		return false;
	if (told.done > XFN_COSTS)
		told.done = XFN_COSTS;
	for (unsigned i = 0; i < XFN_COSTS; i++)
		if (told.action[i] > XFN_PUNT)
			told.action[i] = XFN_DROP;
	*out = told;
	return true;
}

/* Why it was not timed, for a reader, where that is the function's doing; else "". */
static void note_of(const struct native_cost *out, int status, char *note, size_t len)
{
	int ended_by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (out->failed == ETIMEDOUT)
		snprintf(note, len, "its native code did not return within %d s", 2 * ASLEEP_S);
	else if (ended_by == SIGPROF || ended_by == SIGALRM)
		snprintf(note, len, "its native code did not return within %d s",
			 ended_by == SIGPROF ? PATIENCE_S : ASLEEP_S);
	else if (ended_by)
		snprintf(note, len, "its native code died of SIG%s on %u bytes",
			 sigabbrev_np(ended_by), sizes[out->done < XFN_COSTS ? out->done : 0]);
	else if (out->failed)
		snprintf(note, len, "its native code could not be started here");
}

/*
 * 0: *out holds, unless v->meta.cost_note says why not, for a reader. -errno with one line in err:
 * the host failed, and not the function.
 */
static int time_native(struct xfn_verdict *v, const struct request requests[XFN_COSTS],
		       uint16_t port, struct native_cost *out, struct xfn_error *err)
{
	char so[sizeof(v->folder) + 16];
	int fds[2], status = 0, ret;
	pid_t pid;

	memset(out, 0, sizeof(*out));
	snprintf(so, sizeof(so), "%s/native.so", v->folder);
	if (pipe2(fds, O_CLOEXEC))
		return xfn_fail(err, -errno, "cannot be timed: %s; see `ulimit -n`",
				strerror(errno));
	fflush(NULL);
	pid = fork();
	ret = -errno;
	if (!pid)
		run_native(so, requests, port, fds[1]);
	close(fds[1]);
	while (pid > 0 && hear(fds[0], pid, out))
		;
	close(fds[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0)
		return xfn_fail(err, ret,
				"cannot be timed: no process to be had: %s; see `ulimit -u`",
				strerror(-ret));
	/* it cannot send that to itself */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && out->failed != ETIMEDOUT)
		return xfn_fail(
			err, -EIO,
			"cannot be timed: its process was killed from outside; look for a lack of "
			"memory, and try again");
	if (out->failed == ENOMEM)
		return xfn_fail(err, -ENOMEM,
				"cannot be timed: out of memory; free some, and try again");
	note_of(out, status, v->meta.cost_note, sizeof(v->meta.cost_note));
	return 0;
}

static bool answers(const struct native_cost *native)
{
	for (unsigned i = 0; i < native->done; i++)
		if (native->action[i] == XFN_REPLY)
			return true;
	return false;
}

/*
 * The kernel half, where there is one that this process may load: its worst ns, 0 where it cannot
 * be timed. 0, or -errno with one line in err: the host failed.
 */
static int time_kernel(struct xfn_verdict *v, const struct request requests[XFN_COSTS],
		       struct xfn_error *err)
{
	struct xfn_cost timings[XFN_COSTS] = {};
	uint32_t worst = 0;
	int ret;

	if (!v->bpf || !v->meta.verified || v->refusal.rule[0])
		return 0;
	for (unsigned i = 0; i < XFN_COSTS; i++) {
		timings[i].frame = requests[i].frame;
		timings[i].len = requests[i].len;
	}
	ret = xfn_cost__measure(v->bpf, v->bpf_len, timings, XFN_COSTS, err);
	if (ret)
		return xfn_refusal__host_failed(ret) ? ret : 0;
	for (unsigned i = 0; i < XFN_COSTS; i++) {
		v->meta.cost[i].kernel_ns = timings[i].ns;
		v->meta.cost[i].action = timings[i].action;
		worst = timings[i].ns > worst ? timings[i].ns : worst;
	}
	v->meta.ns_per_request = worst;
	return 0;
}

/* Native figures, of requests that the function answers if any are. 0, or -errno with err. */
static int choose_requests(struct xfn_verdict *v, struct request *requests, uint16_t port,
			   struct native_cost *native, struct xfn_error *err)
{
	struct native_cost zeroes;
	int ret;

	make_requests(requests, port, false);
	ret = time_native(v, requests, port, native, err);
	if (ret || v->meta.cost_note[0] || answers(native))
		return ret;
	make_requests(requests, port, true);
	ret = time_native(v, requests, port, &zeroes, err);
	if (!ret && !v->meta.cost_note[0] && answers(&zeroes))
		*native = zeroes;
	else
		make_requests(requests, port, false);
	return ret;
}

int xfn_classify__cost(const char *source, uint32_t budget_ns, struct xfn_verdict *v,
		       struct xfn_error *err)
{
	struct request *requests = calloc(XFN_COSTS, sizeof(*requests));
	uint16_t port = v->attr.port ?: ANY_PORT;
	struct xfn_module_meta *meta = &v->meta;
	struct native_cost native;
	char text[200];
	int ret;

	if (!requests)
		return xfn_fail(err, -ENOMEM, "cannot be timed: out of memory");
	ret = choose_requests(v, requests, port, &native, err);
	ret = ret ?: time_kernel(v, requests, err);
	free(requests);
	if (ret)
		return ret;
	for (unsigned i = 0; i < XFN_COSTS; i++) {
		meta->cost[i].payload = sizes[i];
		meta->cost[i].native_ns = i < native.done ? native.ns[i] : 0;
		if (!meta->ns_per_request)
			meta->cost[i].action = native.action[i];
	}
	/* A tier that the author asks for, or that alone can leave requests to the host, stays. */
	if (!budget_ns || meta->ns_per_request <= budget_ns || v->attr.tier ||
	    v->attr.fallback == XFN_FALLBACK_HOST)
		return 0;
	snprintf(text, sizeof(text),
		 "takes %u.%u us of a CPU per request in the kernel, and the budget is %u.%u us",
		 meta->ns_per_request / 1000, meta->ns_per_request / 100 % 10, budget_ns / 1000,
		 budget_ns / 100 % 10);
	xfn_refusal__set(&v->refusal, XFN_RULE_budget, text, source,
			 xfn_source_text__find(source, "XFN_FUNCTION", false));
	return 0;
}
