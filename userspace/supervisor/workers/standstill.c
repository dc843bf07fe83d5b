// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Threads of workers that stand still outside of functions: one that serves makes a round ten times
 * a second, also where it is idle, and once a second where it rests. One that makes none, and has
 * been free to, ends its worker; no function is blamed. What holds one up inside of a function is
 * quarantine.c's business. Changes nothing but by a signal.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../host/now.h"
#include "page_check.h"
#include "process.h"
#include "quarantine.h"
#include "standstill.h"
#include "workers_inside.h"

#define LOOK_MS 500
#define LOOKS	6    /* samples in a row without a round; several times the longest pause */
#define FROM	3    /* at which its time on a CPU is first taken */
#define LOOP_MS 1000 /* on a CPU since then, without a round: it loops */

/* What the kernel says of a thread. `state` is 0 where it says nothing. proc(5) */
struct thread_state {
	char state;
	uint64_t cpu_ms;
};

bool xfn_worker_process__is_stopped(const struct xfn_worker_process *worker)
{
	siginfo_t info = {};

	return !waitid(P_PID, (id_t)worker->pid, &info, WSTOPPED | WNOHANG | WNOWAIT) &&
	       info.si_pid == worker->pid;
}

/* False: there is no such file. */
static bool read_state(const char *path, struct thread_state *out)
{
	unsigned long user = 0, kernel = 0;
	char line[512] = "", *at;
	FILE *f = fopen(path, "re");

	*out = (struct thread_state){};
	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	/* the fields stand behind the name, which may hold anything */
	at = strrchr(line, ')');
	if (at && sscanf(at + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &out->state,
			 &user, &kernel) != 3)
		out->state = 0;
	out->cpu_ms = (user + kernel) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK);
	return true;
}

/* Of that process: whatever number a worker wrote down, other processes' threads are not found. */
static bool read_thread(const struct xfn_worker_process *worker, unsigned thread,
			struct thread_state *out)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%u/stat", worker->pid,
		 worker->page[thread].tid);
	return read_state(path, out);
}

/*
 * Why a thread that has made no round for so long makes none, NULL: it could not, or nobody can
 * tell. One that waits for a CPU, for the disk (it was swapped out) or for a debugger is left
 * alone.
 */
static const char *why_still(const struct xfn_worker_process *worker, unsigned thread)
{
	struct thread_state process, now;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", worker->pid);
	/* where others' processes are hidden (hidepid) the kernel tells a parent no more than stops
	 */
	if (!read_state(path, &process))
		return NULL;
	if (!read_thread(worker, thread, &now))
		return "its thread has ended";
	if (now.state == 'S')
		return "it waits for something that does not come";
	if (now.state == 'R' && now.cpu_ms >= worker->progress[thread].cpu_ms + LOOP_MS)
		return "it loops";
	return NULL;
}

/* Rounds, and calls: a round of slow ones takes long. */
static uint64_t steps_of(const struct xfn_workers *workers, const struct xfn_page *page)
{
	uint64_t steps = __atomic_load_n(&page->rounds, __ATOMIC_RELAXED);

	for (unsigned i = 0; i < xfn_functions__count(workers->of.functions); i++)
		steps += __atomic_load_n(&page->slots[i].requests, __ATOMIC_RELAXED);
	return steps;
}

/* Samples are counted, not time: while this process is stopped, its workers may be as well. */
static void look(const struct xfn_workers *workers, struct xfn_worker_process *worker,
		 unsigned thread, bool stopped)
{
	struct xfn_progress *p = &worker->progress[thread];
	uint64_t steps = steps_of(workers, &worker->page[thread]);
	struct thread_state state;
	const char *why;

	if (steps != p->steps ||
	    (!stopped && xfn_quarantine__running(workers, &worker->page[thread]))) {
		*p = (struct xfn_progress){ .steps = steps };
		return;
	}
	if (++p->looks == FROM && read_thread(worker, thread, &state))
		p->cpu_ms = state.cpu_ms;
	if (p->looks < LOOKS)
		return;
	why = stopped ? "stopped by a signal" : why_still(worker, thread);
	if (!why)
		return;
	worker->still = why;
	xfn_process__kill(worker);
}

static void check_all(void *ctx)
{
	struct xfn_workers *workers = ctx;
	bool any = false;

	for (unsigned i = 0; i < workers->count; i++) {
		struct xfn_worker_process *worker = &workers->all[i];
		bool stopped;

		if (worker->state != XFN_WORKER_READY)
			continue;
		any = true;
		xfn_page_check__read(workers,
				     worker); /* so that impossible counts are logged soon */
		stopped = xfn_worker_process__is_stopped(worker);
		for (unsigned t = 0; !worker->still && t < worker->threads; t++)
			look(workers, worker, t, stopped);
	}
	if (any)
		xfn_events__after(workers->of.loop, &workers->progress_look, LOOK_MS, check_all,
				  workers);
}

void xfn_standstill__watch(struct xfn_workers *workers)
{
	if (!workers->progress_look.events)
		xfn_events__after(workers->of.loop, &workers->progress_look, 0, check_all, workers);
}

void xfn_standstill__sentence(const struct xfn_worker_process *worker, char *what, size_t len)
{
	snprintf(what, len, ", after it had stood still for %d s outside of functions: %s",
		 LOOKS * LOOK_MS / 1000, worker->still);
}
