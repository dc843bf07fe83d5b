// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which threads of a queue serve whom, at the start, by hand and by load. All threads there may be
 * exist from the start on: a further one is taken into service by one write to a map and one
 * message, and one that is taken out answers what it still has before it rests.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "../../host/log.h"
#include "../../host/now.h"
#include "../ingress/nic_features.h"
#include "page_check.h"
#include "pools.h"
#include "provision.h"
#include "workers_inside.h"

#define LOOK_MS                                                                                    \
	500 /* several times the longest wait for requests, which counts as idle once it is over */
#define FULL  75 /* percent of the time: a thread that is busy for longer needs another one */
#define SPARE 50 /* one less is enough if the others would be busy for less than this */
#define CALM  4	 /* low-load samples in a row before a thread is parked */

static unsigned own_threads(const struct xfn_workers *workers)
{
	unsigned n = 0;

	for (unsigned pool = 1; pool < XFN_POOLS; pool++)
		n += workers->own_threads[pool];
	return n;
}

/* A CPU for each worker, all queues together. */
static unsigned shared_max(const struct xfn_workers *workers)
{
	unsigned room = XFN_THREADS - workers->opts->dedicate_count;
	unsigned queues = xfn_nic_features__queues(workers->ingress) ?: 1, n;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (workers->opts->workers_max)
		return workers->opts->workers_max;
	n = cpus > 0 ? ((unsigned)cpus + queues - 1) / queues : 1;
	if (n < workers->opts->workers_min)
		n = workers->opts->workers_min;
	return n < room ? n : room;
}

unsigned xfn_pools__threads(const struct xfn_workers *workers)
{
	return shared_max(workers) + workers->opts->dedicate_count;
}

unsigned xfn_pools__shared(const struct xfn_workers *workers, unsigned queue)
{
	unsigned n = workers->shared[queue]		?:
			     workers->opts->workers_min ?:
							  1,
		 max = shared_max(workers);

	return n < max ? n : max;
}

/* Of a queue, from now on, also when its worker is made anew. 0, or -errno: as it was. */
static int share(struct xfn_workers *workers, struct xfn_worker_process *worker, unsigned count)
{
	unsigned was = worker->shared, wanted = workers->shared[worker->queue];
	int ret;

	worker->shared = workers->shared[worker->queue] = count;
	ret = xfn_pools__apply(workers, worker);
	if (ret) {
		worker->shared = was;
		workers->shared[worker->queue] = wanted;
	}
	return ret;
}

/* An unused pool; 0: there is none. */
static unsigned free_pool(const struct xfn_workers *workers)
{
	for (unsigned pool = 1; pool < XFN_POOLS; pool++)
		if (!workers->own_threads[pool])
			return pool;
	return 0;
}

/* All functions of that name: one may stand on several addresses. 0, or -errno of one whose threads
 * are still those it had. */
static int assign(struct xfn_workers *workers, const char *name, unsigned pool)
{
	unsigned count = xfn_functions__count(workers->functions);
	int ret = 0, err;

	for (unsigned i = xfn_functions__find(workers->functions, name, 0); i < count;
	     i = xfn_functions__find(workers->functions, name, i + 1)) {
		err = workers->attachment->loader ?
			      xfn_loader__pool(workers->attachment->loader, i, pool) :
			      0;
		ret = ret ?: err;
		if (!err)
			workers->pool[i] = (uint8_t)pool;
	}
	return ret;
}

void xfn_pools__load(const struct xfn_workers *workers)
{
	for (unsigned i = 0; i < xfn_functions__count(workers->functions); i++) {
		const struct xfn_deployed *fn = xfn_functions__at(workers->functions, i);

		if (workers->pool[i] &&
		    (!workers->attachment->loader || fn->tier == XFN_TIER_SOCKET))
			xfn_log__line(LOG_WARNING,
				      "%s: is served behind UDP sockets; --dedicate gives it no "
				      "worker of its own there",
				      fn->mod->attr.name);
		if (workers->attachment->loader)
			xfn_loader__pool(workers->attachment->loader, i, workers->pool[i]);
	}
}

int xfn_pools__open(struct xfn_workers *workers, struct xfn_error *err)
{
	const struct xfn_run_options *opts = workers->opts;

	if (opts->workers_max + opts->dedicate_count > XFN_THREADS ||
	    (opts->workers_min ?: 1) + opts->dedicate_count > XFN_THREADS)
		return xfn_fail(
			err, -ERANGE,
			"a queue has at most %d workers, those of --dedicate (%u) among them; ask "
			"for fewer",
			XFN_THREADS, opts->dedicate_count);
	memset(workers->own_threads, 0, sizeof(workers->own_threads));
	for (unsigned i = 0; i < opts->dedicate_count; i++) {
		unsigned slot = xfn_functions__find(workers->functions, opts->dedicate[i], 0);
		unsigned pool = free_pool(workers);

		if (slot == xfn_functions__count(workers->functions))
			return xfn_fail(err, -ENOENT, "--dedicate %s: no such function in this run",
					opts->dedicate[i]);
		if (workers->pool[slot])
			continue;
		workers->own_threads[pool] = 1;
		assign(workers, opts->dedicate[i], pool);
	}
	return 0;
}

int xfn_pools__apply(struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	uint32_t was = worker->active, active = (1u << worker->shared) - 1;
	unsigned next = worker->shared;
	int ret;

	for (unsigned pool = 1; pool < XFN_POOLS; pool++) {
		active |= ((1u << workers->own_threads[pool]) - 1) << next;
		next += workers->own_threads[pool];
	}
	/* a thread wakes before it gets requests, and gets none before it is parked */
	worker->active = was | active;
	xfn_workers__send_active(worker);
	ret = xfn_loader__indirection(workers->attachment->loader, worker->queue, 0, 0,
				      worker->shared);
	next = worker->shared;
	for (unsigned pool = 1; !ret && pool < XFN_POOLS; pool++) {
		if (!workers->own_threads[pool])
			continue;
		ret = xfn_loader__indirection(workers->attachment->loader, worker->queue, pool,
					      next, workers->own_threads[pool]);
		next += workers->own_threads[pool];
	}
	if (ret) /* requests may still come to any of them: all stay awake */
		return ret;
	worker->active = active;
	xfn_workers__send_active(worker);
	return 0;
}

const char *xfn_pools__serves(const struct xfn_workers *workers,
			      const struct xfn_worker_process *worker, unsigned thread)
{
	unsigned next = worker->shared;

	if (thread < next)
		return "all";
	for (unsigned pool = 1; pool < XFN_POOLS; pool++) {
		next += workers->own_threads[pool];
		if (thread >= next)
			continue;
		for (unsigned i = 0; i < xfn_functions__count(workers->functions); i++)
			if (workers->pool[i] == pool)
				return xfn_functions__at(workers->functions, i)->mod->attr.name;
	}
	return "none";
}

/* Do `shared` and `own` threads fit on this queue? */
static bool fits(const struct xfn_worker_process *worker, unsigned shared, unsigned own,
		 struct xfn_error *err)
{
	if (shared + own <= worker->threads)
		return true;
	xfn_error__set(err,
		       "queue %u has room for %u workers, and that would be %u; `xfn run "
		       "--workers-per-queue 1-%u` makes room for more",
		       worker->queue, worker->threads, shared + own,
		       shared + own < XFN_THREADS ? shared + own : XFN_THREADS);
	return false;
}

static int not_scaled(int ret, struct xfn_error *err)
{
	return xfn_fail(
		err, ret,
		"the dispatcher's maps cannot be changed (%s); `xfn stat` tells of the workers "
		"now, try again",
		strerror(-ret));
}

static int scale_queues(struct xfn_workers *workers, int queue, unsigned count,
			struct xfn_error *err)
{
	unsigned own = own_threads(workers), met = 0;
	int ret;

	if (!count)
		return xfn_fail(err, -EINVAL,
				"a queue keeps at least one worker that all functions share");
	for (unsigned i = 0; i < workers->count; i++) {
		const struct xfn_worker_process *worker = &workers->all[i];

		if (xfn_worker_process__by_afxdp(worker) &&
		    (queue < 0 || worker->queue == (unsigned)queue) &&
		    !fits(worker, count, own, err))
			return -ERANGE;
	}
	for (unsigned i = 0; i < workers->count; i++) {
		struct xfn_worker_process *worker = &workers->all[i];

		if (!xfn_worker_process__by_afxdp(worker) ||
		    (queue >= 0 && worker->queue != (unsigned)queue))
			continue;
		met++;
		ret = share(workers, worker, count);
		if (ret)
			return not_scaled(ret, err);
	}
	if (met)
		return 0;
	return xfn_fail(
		err, -ENOENT,
		queue < 0 ? "no worker of AF_XDP runs here; `xfn ls` tells why" :
			    "queue %d has no worker of AF_XDP; `xfn stat` lists those there are",
		queue);
}

/* May every worker of AF_XDP have that many threads of functions' own? */
static int all_fit(const struct xfn_workers *workers, const struct xfn_deployed *fn, unsigned own,
		   struct xfn_error *err)
{
	unsigned met = 0;

	for (unsigned i = 0; i < workers->count; i++) {
		if (!xfn_worker_process__by_afxdp(&workers->all[i]))
			continue;
		met++;
		if (!fits(&workers->all[i], workers->all[i].shared, own, err))
			return -ERANGE;
	}
	if (met && fn->tier != XFN_TIER_SOCKET)
		return 0;
	return xfn_fail(err, -ENOENT, "%.64s: has no worker of AF_XDP; only these can be its own",
			fn->mod->attr.name);
}

static int scale_function(struct xfn_workers *workers, const char *name, unsigned count,
			  struct xfn_error *err)
{
	unsigned slot = xfn_functions__find(workers->functions, name, 0);
	unsigned pool, had;
	int ret;

	if (slot == xfn_functions__count(workers->functions))
		return xfn_fail(err, -ENOENT, "%.64s: no such function here; `xfn ls` lists them",
				name);
	pool = workers->pool[slot] ?: free_pool(workers);
	if (!pool)
		return xfn_fail(
			err, -ENOSPC,
			"%d functions have workers of their own already; `xfn scale NAME 0` takes "
			"one's away",
			XFN_POOLS - 1);
	ret = all_fit(workers, xfn_functions__at(workers->functions, slot),
		      own_threads(workers) - workers->own_threads[pool] + count, err);
	if (ret)
		return ret;
	/* away from its threads first, so that none of its requests meets a parked one */
	if (!count)
		ret = assign(workers, name, 0);
	if (ret)
		return not_scaled(ret, err);
	had = workers->own_threads[pool];
	workers->own_threads[pool] = count;
	for (unsigned i = 0; !ret && i < workers->count; i++)
		if (xfn_worker_process__by_afxdp(&workers->all[i]))
			ret = xfn_pools__apply(workers, &workers->all[i]);
	if (!ret && count)
		ret = assign(workers, name, pool);
	/* threads that requests may go to stay with the function; where none go, it has none */
	if (ret && count)
		workers->own_threads[pool] =
			workers->pool[slot] == pool && count > had ? count : had;
	return ret ? not_scaled(ret, err) : 0;
}

int xfn_pools__scale(struct xfn_workers *workers, const char *name, int queue, unsigned count,
		     struct xfn_error *err)
{
	int ret = name ? scale_function(workers, name, count, err) :
			 scale_queues(workers, queue, count, err);

	if (ret)
		return ret;
	if (name)
		xfn_log__line(LOG_NOTICE, "%s has %u worker%s of its own on each queue", name,
			      count, count == 1 ? "" : "s");
	else
		xfn_log__line(LOG_NOTICE, "%u worker%s on %s", count, count == 1 ? "" : "s",
			      queue < 0 ? "each queue" : "that queue");
	return 0;
}

/*
 * One look at a queue. A thread is busy while it does not wait for requests, also where it is
 * another one's turn on the CPU.
 */
static void look(struct xfn_workers *workers, struct xfn_worker_process *worker,
		 uint64_t elapsed_ns)
{
	uint64_t busiest = 0, all = 0, stalls = 0;
	unsigned min = workers->opts->workers_min ?: 1, max = shared_max(workers);
	unsigned count = worker->shared;

	xfn_page_check__read(workers, worker);
	for (unsigned i = 0; i < worker->shared; i++) {
		const struct xfn_page *told = xfn_page_check__sum(worker->checked, i);
		uint64_t idle = told->idle_ns - worker->load[i].idle_ns;
		uint64_t busy = idle < elapsed_ns ? elapsed_ns - idle : 0;

		all += busy;
		busiest = busy > busiest ? busy : busiest;
		stalls += told->engine.stalls - worker->load[i].stalls;
	}
	for (unsigned i = 0; i < worker->threads; i++) {
		const struct xfn_page *told = xfn_page_check__sum(worker->checked, i);

		worker->load[i] = (struct xfn_load){ .idle_ns = told->idle_ns,
						     .stalls = told->engine.stalls };
	}
	if ((stalls || busiest * 100 > elapsed_ns * FULL) && worker->shared < max) {
		count++;
		worker->low_load_samples = 0;
	} else if (!stalls && worker->shared > min &&
		   all * 100 < elapsed_ns * SPARE * (worker->shared - 1)) {
		if (++worker->low_load_samples >= CALM) {
			count--;
			worker->low_load_samples = 0;
		}
	} else {
		worker->low_load_samples = 0;
	}
	if (worker->shared == count)
		return;
	if (share(workers, worker, count)) /* the next sample tries again */
		return;
	xfn_log__line(LOG_NOTICE, "queue %u: %u workers, by load", worker->queue, worker->shared);
}

static void look_at_all(void *ctx)
{
	struct xfn_workers *workers = ctx;
	uint64_t now = xfn_now_ns();
	bool any = false;

	for (unsigned i = 0; i < workers->count; i++) {
		struct xfn_worker_process *worker = &workers->all[i];

		if (!xfn_worker_process__by_afxdp(worker) || worker->state != XFN_WORKER_READY)
			continue;
		any = true;
		if (worker->last_load_ns)
			look(workers, worker, now - worker->last_load_ns);
		worker->last_load_ns = now;
	}
	if (any)
		xfn_events__after(workers->loop, &workers->load_look, LOOK_MS, look_at_all,
				  workers);
}

void xfn_pools__follow_load(struct xfn_workers *workers)
{
	if (workers->opts->autoscale && !workers->load_look.events)
		xfn_events__after(workers->loop, &workers->load_look, 0, look_at_all, workers);
}
