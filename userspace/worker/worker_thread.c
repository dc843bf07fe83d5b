// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One thread of a worker: rounds over one engine. Must never know of the worker protocol. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "crash_note.h"
#include "descriptors.h"
#include "sandbox.h"
#include "worker_inside.h"

/* Between two looks at what others say: */
#define ROUNDS_PER_LOOK 1024	   /* busy rounds, at most */
#define NS_PER_LOOK	20000000   /* where a round was idle */
#define STOP_NS		1000000000 /* for what has arrived before the stop */
#define STILL_S		1	   /* how long an audit waits for the other threads */
#define DRAIN_NS	10000000   /* what was on its way to a thread is there by then */
#define CAREFUL_NS	(XFN_CAREFUL_S * 1000000000ull)
#define RESERVE_MS	1000 /* how often a thread without requests looks for some all the same */

static void wait_on(uint32_t *word, uint32_t value, unsigned ms)
{
	const struct timespec timeout = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &timeout, NULL, 0);
}

static void wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void xfn_worker__command(struct xfn_commands *orders)
{
	__atomic_add_fetch(&orders->count, 1, __ATOMIC_RELEASE);
	wake(&orders->count);
}

bool xfn_worker__quiesce(struct xfn_commands *orders, unsigned others)
{
	uint64_t until = xfn_now_ns() + STILL_S * 1000000000ull;
	uint32_t standing;

	__atomic_store_n(&orders->still, 1, __ATOMIC_RELEASE);
	xfn_worker__command(orders);
	for (;;) {
		standing = __atomic_load_n(&orders->standing, __ATOMIC_ACQUIRE);
		if (standing == others)
			return true;
		if (xfn_now_ns() > until)
			return false;
		wait_on(&orders->standing, standing, 100);
	}
}

void xfn_worker__resume(struct xfn_commands *orders)
{
	__atomic_store_n(&orders->still, 0, __ATOMIC_RELEASE);
	xfn_worker__command(orders);
	/* none may be taken for standing by the next audit that is about to go on */
	while (__atomic_load_n(&orders->standing, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void stand_still(struct xfn_commands *orders)
{
	uint32_t count;

	__atomic_add_fetch(&orders->standing, 1, __ATOMIC_RELEASE);
	wake(&orders->standing);
	for (;;) {
		count = __atomic_load_n(&orders->count, __ATOMIC_ACQUIRE);
		if (!__atomic_load_n(&orders->still, __ATOMIC_ACQUIRE))
			break;
		wait_on(&orders->count, count, RESERVE_MS);
	}
	__atomic_sub_fetch(&orders->standing, 1, __ATOMIC_RELEASE);
}

static void publish_counts(struct xfn_worker_thread *t)
{
	struct xfn_engine_stats now;

	/* the supervisor reads at any time: nothing half done */
	t->ops->stats(t->engine, &now);
	t->page->engine = now;
}

/* Those that only the kernel knows as well: system calls. */
static void publish_all_counts(struct xfn_worker_thread *t)
{
	if (t->ops->ask)
		t->ops->ask(t->engine);
	t->page->cpu_ns = xfn_now(CLOCK_THREAD_CPUTIME_ID);
	publish_counts(t);
}

static void give(struct xfn_worker_thread *t, unsigned n)
{
	if (n)
		t->ops->give(t->engine, t->batch, n);
}

/* What is for fast functions is answered first, however much there is for slow ones. */
static unsigned one_round(struct xfn_worker_thread *t)
{
	unsigned n = t->ops->take(t->engine, t->batch, t->call.careful ? 1 : XFN_BATCH);

	if (n) {
		xfn_call__batch(&t->call, t->ops->kind, t->batch, n);
		give(t, t->call.watched ? xfn_backlog__keep(t, n) : n);
		xfn_backlog__watch(t);
	}
	if (t->backlog.head != t->backlog.tail)
		n += xfn_backlog__work(t);
	t->page->rounds++;
	return n;
}

/* Wait for requests. 0 or -errno of a lost socket. */
static int wait_for_some(struct xfn_worker_thread *t)
{
	int ret = t->ops->poll(t->engine, XFN_WAIT_MS);
	uint64_t now = xfn_now_ns();

	t->page->idle_ns += now - t->now_ns;
	t->now_ns = now;
	return ret;
}

/* The dispatcher gives this thread nothing: not even spinning costs anything then. */
static void rest(struct xfn_worker_thread *t, uint32_t count)
{
	uint64_t now = xfn_now_ns();

	if (!t->idle_since)
		t->idle_since = now;
	else if (now - t->idle_since > DRAIN_NS)
		wait_on(&t->orders->count, count, RESERVE_MS);
	t->now_ns = xfn_now_ns(); /* a rest is no long round */
}

/* What the first thread wants of another. False: stop. */
static bool follow(struct xfn_worker_thread *t, bool idle)
{
	struct xfn_commands *o = t->orders;
	uint32_t count = __atomic_load_n(&o->count, __ATOMIC_ACQUIRE);

	if (__atomic_load_n(&o->stop, __ATOMIC_RELAXED))
		return false;
	if (__atomic_load_n(&o->still, __ATOMIC_RELAXED))
		stand_still(o);
	if (idle && !(__atomic_load_n(&o->active, __ATOMIC_RELAXED) & 1u << t->index))
		rest(t, count);
	else
		t->idle_since = 0;
	return true;
}

/*
 * The worker before ended outside of functions: one of them had broken what it served by. With one
 * call to a round that is the last one before the fault.
 */
static void be_careful(struct xfn_worker_thread *t)
{
	t->call.careful = t->now_ns < t->careful_until;
	if (!t->call.careful)
		t->page->after_slot = 0;
}

void xfn_worker__finish(struct xfn_worker_thread *t)
{
	uint64_t until = xfn_now_ns() + STOP_NS;

	while (one_round(t) && xfn_now_ns() < until)
		;
	publish_all_counts(t);
}

int xfn_worker__rounds(struct xfn_worker_thread *t, bool (*look)(void))
{
	uint64_t next_look = 0;
	unsigned since_look = 0;
	bool busy = false;
	int ret;

	t->now_ns = xfn_now_ns();
	if (t->call.careful)
		t->careful_until = t->now_ns + CAREFUL_NS;
	for (;;) {
		unsigned n = one_round(t);

		if (t->call.careful)
			be_careful(t);

		/* what sleeps has told its counts */
		if (!n && busy && !t->spin)
			publish_counts(t);
		busy = n;
		ret = n ? 0 : wait_for_some(t);
		if (ret)
			return ret;
		if (!look && !follow(t, !n))
			break;
		/* Looking costs system calls: what idles is busy again soon, or waits long. */
		if (++since_look < ROUNDS_PER_LOOK && t->now_ns < next_look)
			continue;
		since_look = 0;
		next_look = t->now_ns + NS_PER_LOOK;
		publish_all_counts(t);
		if (look && !look())
			break;
		t->now_ns = xfn_now_ns(); /* nor are others' wishes */
	}
	xfn_worker__finish(t);
	return 0;
}

int xfn_worker__init(struct xfn_worker_thread *t)
{
	cpu_set_t cpus;
	int ret;

	if (t->cpu >= 0) {
		CPU_ZERO(&cpus);
		CPU_SET(t->cpu, &cpus);
		sched_setaffinity(0, sizeof(cpus), &cpus);
	}
	t->page->tid = gettid();
	xfn_call__enter(&t->call);
	for (unsigned slot = 0; slot < XFN_SLOTS; slot++) {
		const struct xfn_native_module *mod = t->natives[slot].module;

		if (!mod || !mod->init)
			continue;
		t->page->running_slot = slot + 1; /* as while it is loaded */
		ret = mod->init();
		if (ret)
			return xfn_fail(&t->err, -ECANCELED, "%s: its XFN_INIT returned %d (%s)",
					mod->attr->name, ret, strerror(abs(ret)));
		ret = xfn_descriptors__lost();
		if (ret >= 0)
			return xfn_fail(&t->err, -ECANCELED, "%s: its XFN_INIT %s", mod->attr->name,
					XFN_DESCRIPTOR_LOST);
		t->page->running_slot = 0;
	}
	ret = xfn_crash_note__enter(&t->call);
	if (ret)
		xfn_error__set(&t->err, "cannot make a stack for signals: %s", strerror(-ret));
	return ret;
}

/* False: it has failed. Its thread returns: pthread_exit(3) wants a library that may not be there.
 */
static bool step(struct xfn_worker_thread *t, int ret)
{
	t->ret = ret;
	sem_post(&t->done);
	if (!ret)
		sem_wait(&t->go);
	return !ret;
}

void *xfn_worker__thread(void *arg)
{
	struct xfn_worker_thread *t = arg;

	sem_wait(&t->go);
	if (step(t, xfn_worker__init(t)) && step(t, xfn_sandbox__drop(&t->err)))
		t->ret = xfn_worker__rounds(t, NULL);
	return NULL;
}
