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
#include "../../../skel/error.h"
#include "../../host/log.h"
#include "../../host/now.h"
#include "../supervisor_inside.h"

#define LOOK_MS 500 /* several of the longest wait, which counts once it is over */
#define FULL	75  /* percent of the time: a thread that is busy for longer needs help */
#define SPARE	50  /* one less is enough if the others would be busy for less than this */
#define CALM	4   /* looks in a row that say so, before one is taken out */

static unsigned own_threads(const struct xfn_supervisor *sup)
{
	unsigned n = 0;

	for (unsigned crew = 1; crew < XFN_POOLS; crew++)
		n += sup->own_threads[crew];
	return n;
}

/* A CPU for each worker, all queues together. */
static unsigned shared_max(const struct xfn_supervisor *sup)
{
	unsigned room = XFN_THREADS - sup->opts->dedicate_count;
	unsigned queues = xfn_nic_features__queues(sup) ?: 1, n;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (sup->opts->workers_max)
		return sup->opts->workers_max;
	n = cpus > 0 ? ((unsigned)cpus + queues - 1) / queues : 1;
	if (n < sup->opts->workers_min)
		n = sup->opts->workers_min;
	return n < room ? n : room;
}

unsigned xfn_pools__threads(const struct xfn_supervisor *sup)
{
	return shared_max(sup) + sup->opts->dedicate_count;
}

unsigned xfn_pools__shared(const struct xfn_supervisor *sup, unsigned queue)
{
	unsigned n = sup->shared[queue] ?: sup->opts->workers_min ?: 1, max = shared_max(sup);

	return n < max ? n : max;
}

/* Of a queue, from now on, also when its worker is made anew. 0, or -errno: as it was. */
static int share(struct xfn_supervisor *sup, struct xfn_worker_process *worker, unsigned count)
{
	unsigned was = worker->shared, wanted = sup->shared[worker->queue];
	int ret;

	worker->shared = sup->shared[worker->queue] = count;
	ret = xfn_pools__apply(sup, worker);
	if (ret) {
		worker->shared = was;
		sup->shared[worker->queue] = wanted;
	}
	return ret;
}

/* An unused crew, or 0. */
static unsigned free_pool(const struct xfn_supervisor *sup)
{
	for (unsigned crew = 1; crew < XFN_POOLS; crew++)
		if (!sup->own_threads[crew])
			return crew;
	return 0;
}

/* All functions of that name: one may stand on several addresses. 0, or -errno of one whose threads
 * are still those it had. */
static int assign(struct xfn_supervisor *sup, const char *name, unsigned crew)
{
	int ret = 0, err;

	for (unsigned i = 0; i < sup->function_count; i++) {
		struct xfn_deployed *fn = &sup->functions[i];

		if (strcmp(fn->mod->attr.name, name))
			continue;
		err = sup->loader ? xfn_loader__pool(sup->loader, i, crew) : 0;
		ret = ret ?: err;
		if (!err)
			fn->pool = crew;
	}
	return ret;
}

static const struct xfn_deployed *find(const struct xfn_supervisor *sup, const char *name)
{
	for (unsigned i = 0; i < sup->function_count; i++)
		if (!strcmp(sup->functions[i].mod->attr.name, name))
			return &sup->functions[i];
	return NULL;
}

void xfn_pools__load(struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->function_count; i++) {
		const struct xfn_deployed *fn = &sup->functions[i];

		if (fn->pool && (!sup->loader || fn->tier == XFN_TIER_SOCKET))
			xfn_log__line(LOG_WARNING,
				      "%s: is served behind UDP sockets; --dedicate gives it no "
				      "worker of its own there",
				      fn->mod->attr.name);
		if (sup->loader)
			xfn_loader__pool(sup->loader, i, fn->pool);
	}
}

int xfn_pools__open(struct xfn_supervisor *sup, struct xfn_error *err)
{
	const struct xfn_run_options *opts = sup->opts;

	if (opts->workers_max + opts->dedicate_count > XFN_THREADS ||
	    (opts->workers_min ?: 1) + opts->dedicate_count > XFN_THREADS)
		return xfn_fail(
			err, -ERANGE,
			"a queue has at most %d workers, those of --dedicate (%u) among them; ask "
			"for fewer",
			XFN_THREADS, opts->dedicate_count);
	memset(sup->own_threads, 0, sizeof(sup->own_threads));
	for (unsigned i = 0; i < opts->dedicate_count; i++) {
		const struct xfn_deployed *fn = find(sup, opts->dedicate[i]);
		unsigned crew = free_pool(sup);

		if (!fn)
			return xfn_fail(err, -ENOENT, "--dedicate %s: no such function in this run",
					opts->dedicate[i]);
		if (fn->pool)
			continue;
		sup->own_threads[crew] = 1;
		assign(sup, opts->dedicate[i], crew);
	}
	return 0;
}

int xfn_pools__apply(struct xfn_supervisor *sup, struct xfn_worker_process *worker)
{
	uint32_t was = worker->active, active = (1u << worker->shared) - 1;
	unsigned next = worker->shared;
	int ret;

	for (unsigned crew = 1; crew < XFN_POOLS; crew++) {
		active |= ((1u << sup->own_threads[crew]) - 1) << next;
		next += sup->own_threads[crew];
	}
	/* awake before it is asked, asked no longer before it rests */
	worker->active = was | active;
	xfn_workers__send_active(worker);
	ret = xfn_loader__indirection(sup->loader, worker->queue, 0, 0, worker->shared);
	next = worker->shared;
	for (unsigned crew = 1; !ret && crew < XFN_POOLS; crew++) {
		if (!sup->own_threads[crew])
			continue;
		ret = xfn_loader__indirection(sup->loader, worker->queue, crew, next,
					      sup->own_threads[crew]);
		next += sup->own_threads[crew];
	}
	if (ret) /* some may still be asked: all stay awake */
		return ret;
	worker->active = active;
	xfn_workers__send_active(worker);
	return 0;
}

const char *xfn_pools__serves(const struct xfn_supervisor *sup,
			      const struct xfn_worker_process *worker, unsigned thread)
{
	unsigned next = worker->shared;

	if (thread < next)
		return "all";
	for (unsigned crew = 1; crew < XFN_POOLS; crew++) {
		next += sup->own_threads[crew];
		if (thread >= next)
			continue;
		for (unsigned i = 0; i < sup->function_count; i++)
			if (sup->functions[i].pool == crew)
				return sup->functions[i].mod->attr.name;
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

static int scale_queues(struct xfn_supervisor *sup, int queue, unsigned count,
			struct xfn_error *err)
{
	unsigned own = own_threads(sup), met = 0;
	int ret;

	if (!count)
		return xfn_fail(err, -EINVAL,
				"a queue keeps at least one worker that all functions share");
	for (unsigned i = 0; i < sup->worker_count; i++) {
		const struct xfn_worker_process *worker = &sup->workers[i];

		if (xfn_worker_process__by_afxdp(worker) &&
		    (queue < 0 || worker->queue == (unsigned)queue) &&
		    !fits(worker, count, own, err))
			return -ERANGE;
	}
	for (unsigned i = 0; i < sup->worker_count; i++) {
		struct xfn_worker_process *worker = &sup->workers[i];

		if (!xfn_worker_process__by_afxdp(worker) ||
		    (queue >= 0 && worker->queue != (unsigned)queue))
			continue;
		met++;
		ret = share(sup, worker, count);
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
static int all_fit(const struct xfn_supervisor *sup, const struct xfn_deployed *fn, unsigned own,
		   struct xfn_error *err)
{
	unsigned met = 0;

	for (unsigned i = 0; i < sup->worker_count; i++) {
		if (!xfn_worker_process__by_afxdp(&sup->workers[i]))
			continue;
		met++;
		if (!fits(&sup->workers[i], sup->workers[i].shared, own, err))
			return -ERANGE;
	}
	if (met && fn->tier != XFN_TIER_SOCKET)
		return 0;
	return xfn_fail(err, -ENOENT, "%.64s: has no worker of AF_XDP; only these can be its own",
			fn->mod->attr.name);
}

static int scale_function(struct xfn_supervisor *sup, const char *name, unsigned count,
			  struct xfn_error *err)
{
	const struct xfn_deployed *fn = find(sup, name);
	unsigned crew, had;
	int ret;

	if (!fn)
		return xfn_fail(err, -ENOENT, "%.64s: no such function here; `xfn ls` lists them",
				name);
	crew = fn->pool ?: free_pool(sup);
	if (!crew)
		return xfn_fail(
			err, -ENOSPC,
			"%d functions have workers of their own already; `xfn scale NAME 0` takes "
			"one's away",
			XFN_POOLS - 1);
	ret = all_fit(sup, fn, own_threads(sup) - sup->own_threads[crew] + count, err);
	if (ret)
		return ret;
	/* the threads first, so that none of its requests meets one that rests */
	if (!count)
		ret = assign(sup, name, 0);
	if (ret)
		return not_scaled(ret, err);
	had = sup->own_threads[crew];
	sup->own_threads[crew] = count;
	for (unsigned i = 0; !ret && i < sup->worker_count; i++)
		if (xfn_worker_process__by_afxdp(&sup->workers[i]))
			ret = xfn_pools__apply(sup, &sup->workers[i]);
	if (!ret && count)
		ret = assign(sup, name, crew);
	/* what requests may go to stays with the function, and nothing where none do */
	if (ret && count)
		sup->own_threads[crew] = fn->pool == crew && count > had ? count : had;
	return ret ? not_scaled(ret, err) : 0;
}

json_t *xfn_pools__scale(struct xfn_supervisor *sup, json_t *args, struct xfn_error *err)
{
	const char *name = json_string_value(json_object_get(args, "name"));
	json_t *queue = json_object_get(args, "queue"), *count = json_object_get(args, "workers");
	json_int_t n = json_integer_value(count);
	int ret;

	if (!json_is_integer(count) || n < 0 || n > XFN_THREADS) {
		xfn_error__set(
			err,
			"scale wants a number of workers, 0 to %d; `xfn stat` tells of those now",
			XFN_THREADS);
		return NULL;
	}
	if (queue && (!json_is_integer(queue) || json_integer_value(queue) < 0 ||
		      json_integer_value(queue) >= XFN_QUEUES)) {
		xfn_error__set(err, "scale wants a queue, 0 to %d; leave it out for all of them",
			       XFN_QUEUES - 1);
		return NULL;
	}
	ret = name ? scale_function(sup, name, n, err) :
		     scale_queues(sup, queue ? (int)json_integer_value(queue) : -1, n, err);
	if (ret)
		return NULL;
	if (name)
		xfn_log__line(LOG_NOTICE, "%s has %u worker%s of its own on each queue", name,
			      (unsigned)n, n == 1 ? "" : "s");
	else
		xfn_log__line(LOG_NOTICE, "%u worker%s on %s", (unsigned)n, n == 1 ? "" : "s",
			      queue ? "that queue" : "each queue");
	xfn_error__set(err, "done, but out of memory for the answer; `xfn stat` tells of it");
	return json_pack("{s:s?, s:O?, s:i}", "name", name, "queue", queue, "workers", (int)n);
}

/*
 * One look at a queue. A thread is busy while it does not wait for requests, also where it is
 * another one's turn on the CPU.
 */
static void look(struct xfn_supervisor *sup, struct xfn_worker_process *worker, uint64_t elapsed_ns)
{
	uint64_t busiest = 0, all = 0, stalls = 0;
	unsigned min = sup->opts->workers_min ?: 1, max = shared_max(sup);
	unsigned count = worker->shared;

	xfn_page_check__read(sup, worker);
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
	if (share(sup, worker, count)) /* the next look tries again */
		return;
	xfn_log__line(LOG_NOTICE, "queue %u: %u workers, by load", worker->queue, worker->shared);
}

int xfn_pools__follow_load(struct xfn_supervisor *sup)
{
	uint64_t now = xfn_now_ns();
	bool any = false;

	if (!sup->opts->autoscale)
		return -1;
	for (unsigned i = 0; i < sup->worker_count; i++) {
		struct xfn_worker_process *worker = &sup->workers[i];

		if (!xfn_worker_process__by_afxdp(worker) || worker->state != XFN_WORKER_READY)
			continue;
		any = true;
		if (now < worker->next_load_ns)
			continue;
		if (worker->next_load_ns)
			look(sup, worker, now - worker->last_load_ns);
		worker->last_load_ns = now;
		worker->next_load_ns = now + LOOK_MS * 1000000ull;
	}
	return any ? LOOK_MS : -1;
}
