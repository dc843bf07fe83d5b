// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The end of a worker that has served: why it came, who is to blame, and when the next one starts. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <syslog.h>
#include "../../host/log.h"
#include "../../host/now.h"
#include "quarantine.h"
#include "standstill.h"
#include "workers_inside.h"

#define STABLE_NS	10000000000ull
#define SERVED_NS	250000000ull /* was of use until it was killed from outside */
#define BACK_OFF_MAX_MS 5000

unsigned xfn_worker_process__back_off_ms(const struct xfn_worker_process *worker)
{
	unsigned ms = 100u << (worker->restarts < 6 ? worker->restarts : 6);

	return ms < BACK_OFF_MAX_MS ? ms : BACK_OFF_MAX_MS;
}

void xfn_workers__ended(struct xfn_workers *workers, struct xfn_worker_process *worker, int status,
			bool left)
{
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	enum xfn_blame blame = XFN_BLAME_NOBODY;
	bool outside;
	uint64_t now = xfn_now_ns();
	unsigned wait_ms = 0;
	char what[512] = ", from outside", who[XFN_WHO], killed[sizeof(worker->error) + 32] = "";

	/* No function can do that: it was the kernel, out of memory, or a person. */
	outside = sig == SIGKILL && !worker->hung && !left;
	if (outside && worker->still)
		xfn_standstill__sentence(worker, what, sizeof(what));
	if (!outside)
		blame = xfn_quarantine__ended(workers, worker, what, sizeof(what));
	if (!what[0] && (sig == SIGTERM || sig == SIGINT || sig == SIGHUP))
		snprintf(what, sizeof(what), ", from outside");
	/*
	 * One that keeps dying waits longer each time, but not for a function that is blamed: the
	 * wait would keep its next crash out of the time in which quarantine counts them, and the
	 * others of its worker from answering.
	 */
	if (blame != XFN_BLAME_NOBODY)
		wait_ms = 0;
	else if (now - worker->started_ns < (outside ? SERVED_NS : STABLE_NS) && worker->restarts)
		wait_ms = xfn_worker_process__back_off_ms(worker);
	else
		worker->restarts = 0;
	worker->ended_ns = now;
	worker->restart_at_ns = now + wait_ms * 1000000ull;
	worker->state = XFN_WORKER_DEAD;
	if (left)
		snprintf(killed, sizeof(killed), ", killed since %s",
			 worker->error.line[0] ? worker->error.line : "it had left its supervisor");
	xfn_log__line(LOG_WARNING, "%s ended (%s %d)%s%s; restart in %u ms",
		      xfn_worker_process__who(worker, who), sig ? "signal" : "status",
		      sig ?: WEXITSTATUS(status), killed, what, wait_ms);
	if (blame == XFN_BLAME_TOO_OFTEN)
		xfn_quarantine__begin(workers, worker);
}
