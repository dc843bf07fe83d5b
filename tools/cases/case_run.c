// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Running a module's cases on both targets. Must never know what a case expects. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/bpf.h>
#include "../../skel/error.h"
#include "../../skel/loader.h"
#include "../../userspace/host/ip.h"
#include "../../userspace/host/output_lines.h"
#include "../../userspace/call/call.h"
#include "../../userspace/call/request_frame.h"
#include "../../userspace/worker/sandbox.h"
#include "case_run.h"

#define CASE_MS	     2000  /* a case that takes longer is ended */
#define ANY_PORT     40001 /* of a function that has no port of its own */
#define MEASURE_ROOM (XFN_REQUEST_FRAME_HEAD + XFN_CASE_BYTES_MAX)

/* What the sandboxed process tells besides outcomes. */
struct progress {
	unsigned at; /* case that is being run; count: all were */
	struct xfn_error err;
};

struct run {
	const struct xfn_module *mod;
	const struct xfn_cases *cases;
	const char *only;
	struct xfn_outcomes *out;
	struct progress *progress; /* shared */
};

/* What the author's code returned in the last call, as seen from inside. */
static struct {
	int (*body)(struct xfn_req *req);
	bool called, edited;
	int action;
} seen;

static int watch_body(struct xfn_req *req)
{
	seen.called = true;
	seen.action = seen.body(req);
	seen.edited = req->written || req->resized;
	return seen.action;
}

static bool chosen(const struct run *r, unsigned i)
{
	return !r->only || !strcmp(r->only, r->cases->list[i].name);
}

static struct xfn_address local_of(const struct run *r, const struct xfn_case *c)
{
	struct xfn_address local = c->local;

	if (!local.port)
		local.port = r->mod->attr.port ?: ANY_PORT;
	return local;
}

/* The case's request as a frame; 0: it does not fit one. */
static size_t frame_of(const struct run *r, const struct xfn_case *c, uint8_t *frame)
{
	struct xfn_address local = local_of(r, c);
	uint32_t head = (xfn_ip__is_v4(local.ip) ? XFN_IPV4_LEN : XFN_IPV6_LEN) + XFN_UDP_LEN;

	if (c->request.len + head > c->mtu)
		return 0;
	return xfn_request_frame__build(frame, &c->peer, &local, c->request.data, c->request.len);
}

static int copy_reply(struct xfn_outcome *o, const uint8_t *frame, size_t len)
{
	struct xfn_packet pkt;

	if (len > sizeof(o->frame) || xfn_packet_parse(frame, frame + len, &pkt) ||
	    xfn_packet_check(frame, frame + len, &pkt)) {
		snprintf(o->trouble, sizeof(o->trouble),
			 "its reply is no right packet; report this as a defect of xfn");
		return -EBADMSG;
	}
	o->frame_len = (uint32_t)len;
	o->payload_off = pkt.payload_off;
	o->payload_len = pkt.payload_len;
	memcpy(o->frame, frame, len);
	return 0;
}

/* The worker's call path on one case. */
static void native_one(const struct run *r, struct xfn_call *call, const struct xfn_case *c,
		       struct xfn_outcome *o)
{
	static uint8_t buffer[MEASURE_ROOM + 65536];
	struct xfn_datagram d = {
		.data = buffer, .capacity = sizeof(buffer), .peer = c->peer, .local = local_of(r, c)
	};
	enum xfn_datagram_kind kind = XFN_FRAME;
	uint64_t was[XFN_REASON_SLOTS];
	int ret;

	call->mtu = c->mtu;
	call->thread.fixed_mono_ns = c->mono_ns;
	call->thread.fixed_real_ns = c->real_ns;
	call->thread.fixed_random = c->random;
	ret = xfn_call__bind(call, NULL, d.local.port, 0);
	if (ret && ret != -EEXIST) {
		snprintf(o->trouble, sizeof(o->trouble), "cannot be bound: %s", strerror(-ret));
		return;
	}
	d.len = (uint32_t)frame_of(r, c, buffer);
	if (!d.len) {
		kind = XFN_PAYLOAD;
		d.len = (uint32_t)c->request.len;
		if (d.len)
			memcpy(buffer, c->request.data, d.len);
	}
	memcpy(was, call->page->reasons, sizeof(was));
	seen.called = seen.edited = false;
	xfn_call__batch(call, kind, &d, 1);
	for (unsigned i = 1; i < XFN_REASON_COUNT; i++)
		if (call->page->reasons[i] != was[i])
			o->reason = i;
	o->action = d.send ? XFN_REPLY : XFN_DROP;
	if (seen.called && seen.action == XFN_CONSUME)
		o->action = XFN_CONSUME;
	/* What only the kernel does is told of the native half as the kernel would do it. */
	if (seen.called && seen.action == XFN_PASS && r->mod->attr.fallback == XFN_FALLBACK_HOST) {
		o->action = seen.edited ? XFN_DROP : seen.action;
		o->reason = seen.edited ? XFN_REASON_NO_SLOW : 0;
	}
	if (d.send && kind == XFN_FRAME) {
		if (copy_reply(o, buffer, d.len))
			return;
	} else if (d.send) {
		o->payload_len = d.len;
		memcpy(o->frame, buffer, d.len);
	}
	o->ran = true;
}

/* In a process of its own: give up all privileges, load, set up, run the cases from `first` on. */
static void native_process(const struct run *r, unsigned first, int words)
{
	static struct xfn_page page;
	static struct xfn_call call;
	struct progress *p = r->progress;
	struct xfn_native_module copy;
	struct xfn_native native = {};
	int code = xfn_native__copy(r->mod->fd), ret = code < 0 ? code : 0;

	if (ret)
		xfn_error__set(&p->err, "%s: cannot be copied: %s", r->mod->attr.name,
			       strerror(-ret));
	/* a terminal would do what is written to it, and let itself be read */
	dup2(words, STDOUT_FILENO);
	dup2(words, STDERR_FILENO);
	if (dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO) < 0)
		close(STDIN_FILENO);
	ret = ret ?: xfn_sandbox__before_code(&code, 1, &p->err);
	ret = ret ?: xfn_native__load(code, r->mod->attr.name, &native, &p->err);
	if (!ret && xfn_call__init(&call, &page)) {
		xfn_error__set(&p->err, "out of memory");
		ret = -ENOMEM;
	}
	if (!ret) {
		copy = *native.module;
		seen.body = copy.body;
		copy.body = watch_body;
		ret = xfn_call__put(&call, 0, &copy);
		if (ret)
			xfn_error__set(&p->err, "%s: more than %d counters; use fewer",
				       r->mod->attr.name, XFN_PAGE_COUNTERS);
	}
	xfn_call__enter(&call);
	if (!ret && copy.init && (ret = copy.init()))
		xfn_error__set(
			&p->err,
			"%s: its XFN_INIT returned %d (%s); mend it: here it runs as nobody, and "
			"may read the system's files only",
			r->mod->attr.name, ret, strerror(abs(ret)));
	ret = ret ?: xfn_sandbox__whole(&p->err);
	for (unsigned i = first; !ret && i < r->cases->count; i++) {
		__atomic_store_n(&p->at, i, __ATOMIC_RELAXED);
		if (chosen(r, i))
			native_one(r, &call, &r->cases->list[i], &r->out->native[i]);
	}
	if (!ret)
		__atomic_store_n(&p->at, r->cases->count, __ATOMIC_RELAXED);
	_exit(ret ? 1 : 0);
}

/* Wait for the process; what stays on one case for too long is killed. True: it was. */
static bool wait_for(const struct run *r, pid_t pid, struct xfn_output_lines *words, int *status)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd end = { .fd = fd, .events = POLLIN };
	unsigned at = r->cases->count;
	bool late = false;
	int waited = 0;

	while (fd >= 0 && poll(&end, 1, 50) == 0) {
		unsigned now = __atomic_load_n(&r->progress->at, __ATOMIC_RELAXED);

		xfn_output_lines__read(words, r->mod->attr.name);
		waited = now == at ? waited + 50 : 0;
		at = now;
		if (waited > CASE_MS) {
			late = true;
			kill(pid, SIGKILL);
			break;
		}
	}
	if (fd >= 0)
		close(fd);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	xfn_output_lines__close(words, r->mod->attr.name);
	return late;
}

/* What native code may have written over: no more of it is believed than a printer can stand. */
static void mistrust(const struct run *r)
{
	for (unsigned i = 0; i < r->cases->count; i++) {
		struct xfn_outcome *o = &r->out->native[i];

		o->trouble[sizeof(o->trouble) - 1] = 0;
		if (o->frame_len <= sizeof(o->frame) && o->payload_len <= sizeof(o->frame) &&
		    o->payload_off <= sizeof(o->frame) - o->payload_len &&
		    o->reason < XFN_REASON_COUNT && (unsigned)o->action <= XFN_PUNT)
			continue;
		*o = (struct xfn_outcome){};
		snprintf(o->trouble, sizeof(o->trouble), "writes over what is told of it");
	}
	r->progress->err.line[sizeof(r->progress->err.line) - 1] = 0;
}

/* 0, or -errno with err: no case could be run. A case that ends the process is the next one's
 * matter no more: another process goes on behind it. */
static int run_native(const struct run *r, struct xfn_error *err)
{
	struct progress *p = r->progress;

	for (unsigned next = 0; next < r->cases->count; next = p->at + 1) {
		struct xfn_output_lines lines;
		int words, status, ret = xfn_output_lines__open(&lines, &words);
		struct xfn_outcome *o;
		bool late;
		pid_t pid;

		if (ret)
			return xfn_fail(err, ret, "cannot make a pipe: %s; see `ulimit -n`",
					strerror(-ret));
		p->at = UINT32_MAX; /* still setting up */
		p->err.line[0] = 0;
		fflush(NULL);
		pid = fork();
		if (pid < 0) {
			ret = -errno;
			close(words);
			xfn_output_lines__close(&lines, r->mod->attr.name);
			return xfn_fail(err, ret, "cannot start a process: %s; see `ulimit -u`",
					strerror(-ret));
		}
		if (!pid)
			native_process(r, next, words);
		close(words);
		late = wait_for(r, pid, &lines, &status);
		mistrust(r);
		if (p->at == r->cases->count)
			return 0;
		if (p->at > r->cases->count)
			return xfn_fail(
				err, -ECANCELED, "%s",
				p->err.line[0] ? p->err.line :
				late	       ? "its XFN_INIT does not return; mend it" :
				       "its native code ended this process while it was set up; "
				       "mend its XFN_INIT");
		o = &r->out->native[p->at];
		o->ran = false;
		if (late)
			snprintf(o->trouble, sizeof(o->trouble),
				 "does not return (ended after %d ms)", CASE_MS);
		else if (WIFSIGNALED(status))
			snprintf(o->trouble, sizeof(o->trouble), "crashes: signal %d (%s)",
				 WTERMSIG(status), strsignal(WTERMSIG(status)));
		else
			snprintf(o->trouble, sizeof(o->trouble), "ends the process (status %d)",
				 WEXITSTATUS(status));
	}
	return 0;
}

/* Which action of the function the kernel's counters tell. */
static int kernel_action(unsigned action, const uint64_t *reasons,
			 const struct xfn_slot_counters *n)
{
	if (action == XDP_TX)
		return XFN_REPLY;
	if (n->consumed)
		return XFN_CONSUME;
	if (reasons[XFN_REASON_HOST])
		return XFN_PASS;
	return XFN_DROP;
}

static void kernel_one(const struct run *r, struct xfn_loader *ld, const struct xfn_case *c,
		       struct xfn_outcome *o)
{
	static uint8_t frame[MEASURE_ROOM], reply[8192];
	static const uint16_t untagged[XFN_TAGS];
	const struct xfn_runtime live = { .fixed_mono_ns = c->mono_ns,
					  .fixed_real_ns = c->real_ns,
					  .fixed_random = c->random,
					  .mtu = c->mtu };
	struct xfn_address local = local_of(r, c);
	uint64_t was[XFN_REASON_SLOTS], is[XFN_REASON_SLOTS];
	struct xfn_slot_counters before, after;
	size_t len = frame_of(r, c, frame), replied = sizeof(reply);
	unsigned action, ns;
	struct xfn_error err = { 0 };
	int ret;

	if (!len) {
		snprintf(o->trouble, sizeof(o->trouble),
			 "native only: its request does not fit a "
			 "frame");
		return;
	}
	ret = xfn_loader__set_runtime(ld, &live)					     ?:
		      xfn_loader__address_add(ld, local.ip, untagged)			     ?:
		      xfn_loader__bind(ld, NULL, local.port, 0, XFN_TIER_XDP, &err)	     ?:
		      xfn_loader__reasons(ld, was)					     ?:
		      xfn_loader__slot_counters(ld, 0, &before)				     ?:
		      xfn_loader__test_run(ld, frame, len, reply, &replied, 1, &action, &ns) ?:
		      xfn_loader__reasons(ld, is)					     ?:
		      xfn_loader__slot_counters(ld, 0, &after);
	if (ret) {
		snprintf(o->trouble, sizeof(o->trouble), "the kernel does not run it: %.100s",
			 err.line[0] ? err.line : strerror(-ret));
		return;
	}
	for (unsigned i = 0; i < XFN_REASON_COUNT; i++)
		is[i] -= was[i];
	after.consumed -= before.consumed;
	after.passed -= before.passed;
	if (is[XFN_REASON_NO_ROOM]) {
		snprintf(o->trouble, sizeof(o->trouble),
			 "native only: a test run's frame has no room for its .grow");
		return;
	}
	o->action = kernel_action(action, is, &after);
	for (unsigned i = 1; i < XFN_REASON_COUNT && o->action == XFN_DROP; i++)
		if (is[i])
			o->reason = i;
	/* punted to a slow half, and there is none yet */
	if (o->action == XFN_DROP && after.passed)
		o->reason = XFN_REASON_NO_SLOW;
	if (o->action != XFN_REPLY || !copy_reply(o, reply, replied))
		o->ran = true;
}

/* Through the loaded dispatcher. 0; why not at all is said in out->native_only. */
static int run_kernel(const struct run *r, struct xfn_error *err)
{
	const struct xfn_module_meta *meta = &r->mod->meta;
	const struct xfn_loader_options opts = {};
	struct xfn_outcomes *out = r->out;
	struct xfn_refusal refusal = {};
	struct xfn_loader *ld = NULL;
	int ret;

	if (meta->tier != XFN_TIER_XDP || !r->mod->bpf) {
		snprintf(out->native_only, sizeof(out->native_only), "tier %s: %s",
			 xfn_tier_name(meta->tier), meta->reason);
		return 0;
	}
	ret = xfn_loader__open(&opts, &ld, err);
	ret = ret ?: xfn_loader__put(ld, 0, r->mod, &refusal, err);
	if (ret == -EPERM)
		snprintf(out->native_only, sizeof(out->native_only),
			 "loading BPF programs is not permitted here; run as root (CAP_BPF, "
			 "CAP_NET_ADMIN)");
	else if (ret == -EACCES)
		snprintf(out->native_only, sizeof(out->native_only),
			 "this kernel refuses its kernel half: it %s; %s", refusal.reason,
			 refusal.remedy);
	for (unsigned i = 0; !ret && i < r->cases->count; i++)
		if (chosen(r, i))
			kernel_one(r, ld, &r->cases->list[i], &out->kernel[i]);
	xfn_loader__close(ld);
	return out->native_only[0] ? 0 : ret;
}

int xfn_case_run(const struct xfn_module *mod, const struct xfn_cases *cases, const char *only,
		 struct xfn_outcomes *out, struct xfn_error *err)
{
	struct run r = { .mod = mod, .cases = cases, .only = only, .out = out };
	int ret;

	memset(out, 0, sizeof(*out));
	out->bytes = 2 * cases->count * sizeof(struct xfn_outcome);
	out->native =
		mmap(NULL, out->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	r.progress = mmap(NULL, sizeof(*r.progress), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (out->native == MAP_FAILED || r.progress == MAP_FAILED) {
		out->native = out->native == MAP_FAILED ? NULL : out->native;
		xfn_error__set(err, "out of memory for %u cases; use fewer", cases->count);
		ret = -ENOMEM;
	} else {
		out->kernel = out->native + cases->count;
		ret = run_native(&r, err);
		memset(out->kernel, 0, cases->count * sizeof(*out->kernel));
		ret = ret ?: run_kernel(&r, err);
	}
	if (r.progress != MAP_FAILED)
		munmap(r.progress, sizeof(*r.progress));
	return ret;
}

void xfn_case_run__free(struct xfn_outcomes *out)
{
	if (out->native)
		munmap(out->native, out->bytes);
	out->native = out->kernel = NULL;
}
