// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Functions that end their workers: by a crash, or by not returning. Which one it was is known from
 * the page that the worker shares; what does it again and again is not called any more, so that the
 * others of its worker go on. A function that cannot be loaded is set aside likewise, at once.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>
#include "../../host/log.h"
#include "../../host/now.h"
#include "crash_pcap.h"
#include "process.h"
#include "provision.h"
#include "quarantine.h"
#include "standstill.h"
#include "workers_inside.h"

#define LOOKS 2 /* per deadline */

static const char *name_of(const struct xfn_workers *workers, unsigned slot)
{
	return xfn_deployed__name(xfn_functions__at(workers->of.functions, slot));
}

uint32_t xfn_quarantine__running(const struct xfn_workers *workers, const struct xfn_page *page)
{
	uint32_t slot = __atomic_load_n(&page->running_slot, __ATOMIC_RELAXED);

	return slot <= xfn_functions__count(workers->of.functions) ? slot : 0;
}

/* Who is to blame for a worker's end, and by which page that is known. */
struct culprit {
	const struct xfn_page *page; /* NULL: nobody is known to be */
	uint32_t slot;
	bool after; /* it had returned: the last one called before the fault */
};

/*
 * The page of the thread in which a worker ended: one that has noted its request, or that did not
 * return; else of the first in a function. Others may have been in one too, and are not to blame.
 */
static const struct xfn_page *page_in_function(const struct xfn_workers *workers,
					       const struct xfn_worker_process *worker)
{
	const struct xfn_page *found = NULL;

	for (unsigned i = 0; i < worker->threads; i++) {
		const struct xfn_page *page = &worker->page[i];

		if (!xfn_quarantine__running(workers, page))
			continue;
		if (page->crash.noted || (worker->hung && worker->seen[i].looks >= LOOKS))
			return page;
		found = found ?: page;
	}
	return found;
}

/* Of a careful worker, where no thread was in a function: the last one of the thread at fault. */
static struct culprit culprit(const struct xfn_workers *workers,
			      const struct xfn_worker_process *worker)
{
	const struct xfn_page *page = page_in_function(workers, worker);

	if (page)
		return (struct culprit){ page, xfn_quarantine__running(workers, page) - 1, false };
	for (unsigned i = 0; i < worker->threads; i++) {
		uint32_t slot = __atomic_load_n(&worker->page[i].after_slot, __ATOMIC_RELAXED);

		if (worker->page[i].fault && slot &&
		    slot <= xfn_functions__count(workers->of.functions))
			return (struct culprit){ &worker->page[i], slot - 1, true };
	}
	return (struct culprit){};
}

/*
 * Samples are counted, not time: while this process is stopped, its workers may be as well. A slot's
 * requests grow before each call, so the same number is the same call.
 */
static void look(const struct xfn_workers *workers, struct xfn_worker_process *worker,
		 unsigned thread)
{
	const struct xfn_page *page = &worker->page[thread];
	struct xfn_seen *seen = &worker->seen[thread];
	uint32_t slot = xfn_quarantine__running(workers, page);
	uint64_t calls =
		slot ? __atomic_load_n(&page->slots[slot - 1].requests, __ATOMIC_RELAXED) : 0;

	if (!slot || slot != seen->slot || calls != seen->calls) {
		*seen = (struct xfn_seen){ .slot = slot, .calls = calls };
		return;
	}
	if (++seen->looks < LOOKS)
		return;
	/* SIGABRT lets it note its request; a function may have blocked that. */
	worker->hung = true;
	if (seen->looks == LOOKS)
		syscall(SYS_tgkill, worker->pid, page->tid, SIGABRT);
	else
		kill(worker->pid, SIGKILL);
}

static void check_all(void *ctx)
{
	struct xfn_workers *workers = ctx;
	bool any = false;

	for (unsigned i = 0; i < workers->count; i++) {
		struct xfn_worker_process *worker = &workers->all[i];

		if (worker->state != XFN_WORKER_READY)
			continue;
		any = true;
		/* a stopped worker may stand in the midst of any call */
		if (xfn_worker_process__is_stopped(worker))
			memset(worker->seen, 0, sizeof(worker->seen));
		else
			for (unsigned t = 0; t < worker->threads; t++)
				look(workers, worker, t);
	}
	if (any)
		xfn_events__after(workers->of.loop, &workers->calls_look,
				  (workers->of.opts->deadline + LOOKS - 1) / LOOKS, check_all,
				  workers);
}

void xfn_quarantine__watch(struct xfn_workers *workers)
{
	if (workers->of.opts->deadline && !workers->calls_look.events)
		xfn_events__after(workers->of.loop, &workers->calls_look, 0, check_all, workers);
}

static int tell(struct xfn_worker_process *worker, unsigned slot, bool on)
{
	struct xfn_message msg = { .type = XFN_MESSAGE_QUARANTINE,
				   .version = XFN_WORKER_PROTOCOL_VERSION,
				   .quarantine = { .slot = slot, .on = on } };

	return xfn_workers__command(worker, &msg);
}

int xfn_quarantine__send(const struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	int ret = 0;

	for (unsigned slot = 0; !ret && slot < xfn_functions__count(workers->of.functions); slot++)
		if (workers->health[slot].quarantined)
			ret = tell(worker, slot, true);
	return ret;
}

/* Tell the workers that run; the others are told when they start. */
static void set(struct xfn_workers *workers, unsigned slot, bool on)
{
	workers->health[slot].quarantined = on;
	workers->health[slot].crash_count = 0;
	for (unsigned i = 0; i < workers->count; i++)
		if (workers->all[i].sock >= 0)
			tell(&workers->all[i], slot, on);
}

static void release_command(const struct xfn_workers *workers, unsigned slot, char *text,
			    size_t len)
{
	snprintf(text, len, "`xfn release %s%s%s`", name_of(workers, slot),
		 workers->of.interface->iface.name[0] ? " -i " : "",
		 workers->of.interface->iface.name);
}

/* Count a crash. True: the function has crashed too often. */
static bool count(struct xfn_health *fn)
{
	uint64_t now = xfn_now_ns(), first;

	fn->crashes_ns[fn->crash_count++ % XFN_CRASHES] = now;
	if (fn->crash_count < XFN_CRASHES)
		return false;
	first = fn->crashes_ns[fn->crash_count % XFN_CRASHES];
	return now - first <= XFN_CRASHES_S * 1000000000ull;
}

/* Did a fault of its own end it, and nobody is known whose doing that was? */
static bool ended_by_nobody(const struct xfn_worker_process *worker)
{
	for (unsigned i = 0; i < worker->threads; i++)
		if (worker->page[i].fault)
			return true;
	return false;
}

enum xfn_blame xfn_quarantine__ended(struct xfn_workers *workers, struct xfn_worker_process *worker,
				     char *what, size_t len)
{
	const struct culprit who = culprit(workers, worker);
	const struct xfn_page *page = who.page;
	char path[320], how[80] = "";
	int n, ret;

	what[0] = 0;
	worker->careful = page ? who.after : ended_by_nobody(worker);
	if (!page && worker->careful)
		snprintf(what, len,
			 " outside of functions; the next one answers one request at a time for %d "
			 "s, to find the function behind it",
			 XFN_CAREFUL_S);
	if (!page)
		return XFN_BLAME_NOBODY;
	if (who.after)
		snprintf(how, sizeof(how),
			 ", the last one called, which has broken memory of its worker");
	else if (worker->hung)
		snprintf(how, sizeof(how), ", which had not returned within %u ms",
			 workers->of.opts->deadline);
	else if (page->overrun == XFN_OVERRUN_BEFORE)
		snprintf(how, sizeof(how), ", which had written before its payload");
	else if (page->overrun)
		snprintf(how, sizeof(how), ", which had written past its payload");
	ret = xfn_crash_pcap__keep(
		workers->of.interface->iface.name[0] ? workers->of.interface->iface.name : NULL,
		name_of(workers, who.slot), &page->crash, path, sizeof(path));
	n = snprintf(what, len, " %s function %s%s", who.after ? "after" : "in",
		     name_of(workers, who.slot), how);
	if (!ret)
		snprintf(what + n, len - n, "; its request: %s", path);
	else if (ret != -ENODATA)
		snprintf(what + n, len - n, "; its request cannot be kept%s%s: %s",
			 path[0] ? " in " : "", path, strerror(-ret));
	if (workers->health[who.slot].quarantined)
		return XFN_BLAME_NOBODY;
	return count(&workers->health[who.slot]) ? XFN_BLAME_TOO_OFTEN : XFN_BLAME_FUNCTION;
}

void xfn_quarantine__begin(struct xfn_workers *workers, const struct xfn_worker_process *worker)
{
	const struct culprit who = culprit(workers, worker);
	char next[80];

	if (!who.page)
		return;
	set(workers, who.slot, true);
	release_command(workers, who.slot, next, sizeof(next));
	xfn_log__line(
		LOG_ERR,
		"%s ended its worker %d times within %d s; workers drop its requests from now "
		"on (QUARANTINE); mend it, or %s lets it run again",
		name_of(workers, who.slot), XFN_CRASHES, XFN_CRASHES_S, next);
}

bool xfn_quarantine__blame(struct xfn_workers *workers, const struct xfn_worker_process *worker,
			   int ret, const char *err)
{
	const char *name;
	bool in_kernel;
	uint32_t slot = 0;
	struct xfn_health *health;
	char next[80];
	size_t len;

	/* ended from outside: by the kernel, out of memory, or a person */
	if (ret == -EINTR || !worker->page)
		return false;
	for (unsigned i = 0; !slot && i < worker->threads; i++)
		slot = xfn_quarantine__running(workers, &worker->page[i]);
	if (!slot)
		return false;
	health = &workers->health[--slot];
	/* set aside by another worker, which started at the same time */
	if (health->set_aside[0])
		return worker->begun_ns < health->set_aside_ns;
	name = name_of(workers, slot);
	in_kernel = xfn_functions__at(workers->of.functions, slot)->in_kernel;
	len = strlen(name);
	if (!strncmp(err, name, len) && !strncmp(err + len, ": ", 2))
		err += len + 2;
	snprintf(health->set_aside, sizeof(health->set_aside), "%s", err);
	health->set_aside_ns = xfn_now_ns();
	/* the only function, never served: the run ends with this line */
	if (xfn_functions__count(workers->of.functions) == 1 &&
	    !xfn_functions__served_once(workers->of.functions) && !in_kernel)
		return true;
	release_command(workers, slot, next, sizeof(next));
	xfn_log__line(LOG_ERR,
		      "%s: %s; it is set aside, %s; where the module is not the cause, %s tries "
		      "again",
		      name, health->set_aside,
		      in_kernel ? "the kernel goes on answering" :
				  "its requests are dropped (QUARANTINE), the others go on",
		      next);
	return true;
}

void xfn_quarantine__forget_set_aside(struct xfn_workers *workers)
{
	for (unsigned i = 0; i < xfn_functions__count(workers->of.functions); i++)
		workers->health[i].set_aside[0] = '\0';
}

int xfn_quarantine__any_serves(const struct xfn_workers *workers, struct xfn_error *err)
{
	const char *reason = workers->health[0].set_aside;

	for (unsigned i = 0; i < xfn_functions__count(workers->of.functions); i++)
		if (!workers->health[i].set_aside[0] ||
		    xfn_functions__at(workers->of.functions, i)->in_kernel ||
		    xfn_functions__at(workers->of.functions, i)->on_device)
			return 0;
	if (!xfn_functions__count(workers->of.functions))
		return 0;
	if (xfn_functions__count(workers->of.functions) == 1)
		xfn_error__set(err, "%s: %s", name_of(workers, 0), reason);
	else
		xfn_error__set(err, "none of the %u functions can be loaded; %s: %s",
			       xfn_functions__count(workers->of.functions), name_of(workers, 0),
			       reason);
	return -ECANCELED;
}

const char *xfn_quarantine__state(const struct xfn_workers *workers, unsigned slot)
{
	const struct xfn_health *fn = &workers->health[slot];

	return fn->set_aside[0] ? "set_aside" : fn->quarantined ? "quarantined" : "";
}

int xfn_quarantine__release(struct xfn_workers *workers, const char *name, bool starting,
			    struct xfn_error *err)
{
	unsigned count = xfn_functions__count(workers->of.functions);
	unsigned first = xfn_functions__find(workers->of.functions, name, 0);
	bool released = false, again = false;

	for (unsigned slot = first; slot < count;
	     slot = xfn_functions__find(workers->of.functions, name, slot + 1)) {
		if (workers->health[slot].set_aside[0] && starting)
			return xfn_fail(err, -EBUSY,
					"%.64s: workers are starting; try again in a second", name);
		if (workers->health[slot].set_aside[0]) {
			workers->health[slot].set_aside[0] = '\0';
			again = true;
		} else if (workers->health[slot].quarantined) {
			released = true;
			set(workers, slot, false);
		}
	}
	if (first == count)
		return xfn_fail(err, -ENOENT, "%.64s: no such function here; `xfn ls` lists them",
				name);
	if (!released && !again)
		return xfn_fail(
			err, -EALREADY,
			"%.64s: is neither in quarantine nor set aside; `xfn ls` shows what is",
			name);
	xfn_log__line(LOG_NOTICE, again ? "%s is loaded again" : "%s is released from quarantine",
		      name);
	return again;
}

void xfn_quarantine__sentence(const struct xfn_workers *workers, unsigned slot, char *text,
			      size_t len)
{
	bool in_kernel = xfn_functions__at(workers->of.functions, slot)->in_kernel;
	const char *reason = workers->health[slot].set_aside;
	char next[80];

	text[0] = 0;
	if (!xfn_quarantine__state(workers, slot)[0])
		return;
	release_command(workers, slot, next, sizeof(next));
	if (reason[0]) {
		snprintf(text, len, "set aside: %s; %s; mend it, then %s or a new start", reason,
			 in_kernel ? "workers drop its requests, the kernel goes on answering" :
				     "its requests are dropped",
			 next);
		return;
	}
	snprintf(text, len, "quarantined: ended its worker %d times within %d s; %s; %s",
		 XFN_CRASHES, XFN_CRASHES_S,
		 in_kernel ? "workers drop its requests, the kernel goes on answering" :
			     "its requests are dropped",
		 next);
}
