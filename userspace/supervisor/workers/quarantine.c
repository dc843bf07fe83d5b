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
#include "../../../skel/error.h"
#include "../../host/log.h"
#include "../../host/now.h"
#include "../supervisor_inside.h"

#define LOOKS 2 /* per deadline */

static const char *name_of(const struct xfn_deployed *fn)
{
	return fn->mod->attr.name;
}

uint32_t xfn_quarantine__running(const struct xfn_supervisor *sup, const struct xfn_page *page)
{
	uint32_t slot = __atomic_load_n(&page->running_slot, __ATOMIC_RELAXED);

	return slot <= sup->function_count ? slot : 0;
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
static const struct xfn_page *page_in_function(const struct xfn_supervisor *sup,
					       const struct xfn_worker_process *worker)
{
	const struct xfn_page *found = NULL;

	for (unsigned i = 0; i < worker->threads; i++) {
		const struct xfn_page *page = &worker->page[i];

		if (!xfn_quarantine__running(sup, page))
			continue;
		if (page->crash.noted || (worker->hung && worker->seen[i].looks >= LOOKS))
			return page;
		found = found ?: page;
	}
	return found;
}

/* Of a careful worker, where no thread was in a function: the last one of the thread at fault. */
static struct culprit culprit(const struct xfn_supervisor *sup,
			      const struct xfn_worker_process *worker)
{
	const struct xfn_page *page = page_in_function(sup, worker);

	if (page)
		return (struct culprit){ page, xfn_quarantine__running(sup, page) - 1, false };
	for (unsigned i = 0; i < worker->threads; i++) {
		uint32_t slot = __atomic_load_n(&worker->page[i].after_slot, __ATOMIC_RELAXED);

		if (worker->page[i].fault && slot && slot <= sup->function_count)
			return (struct culprit){ &worker->page[i], slot - 1, true };
	}
	return (struct culprit){};
}

/*
 * Looks are counted, not time: while this process is stopped, its workers may be as well. A slot's
 * requests grow before each call, so the same number is the same call.
 */
static void look(const struct xfn_supervisor *sup, struct xfn_worker_process *worker,
		 unsigned thread)
{
	const struct xfn_page *page = &worker->page[thread];
	struct xfn_seen *seen = &worker->seen[thread];
	uint32_t slot = xfn_quarantine__running(sup, page);
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

static void check_all(struct xfn_supervisor *sup)
{
	for (unsigned i = 0; i < sup->worker_count; i++) {
		struct xfn_worker_process *worker = &sup->workers[i];

		if (worker->state != XFN_WORKER_READY)
			continue;
		/* one that is stopped may be so in the midst of any call */
		if (xfn_worker_process__is_stopped(worker))
			memset(worker->seen, 0, sizeof(worker->seen));
		else
			for (unsigned t = 0; t < worker->threads; t++)
				look(sup, worker, t);
	}
}

int xfn_quarantine__watch(struct xfn_supervisor *sup)
{
	uint64_t now = xfn_now_ns();
	bool any = false;

	for (unsigned i = 0; i < sup->worker_count; i++)
		any = any || sup->workers[i].state == XFN_WORKER_READY;
	if (!sup->opts->deadline || !any)
		return -1;
	if (now >= sup->next_poll_ns) {
		check_all(sup);
		sup->next_poll_ns = now + sup->opts->deadline * (1000000ull / LOOKS);
	}
	return (int)((sup->next_poll_ns - now) / 1000000) + 1;
}

static int tell(struct xfn_worker_process *worker, unsigned slot, bool on)
{
	struct xfn_message msg = { .type = XFN_MESSAGE_QUARANTINE,
				   .version = XFN_WORKER_PROTOCOL_VERSION,
				   .quarantine = { .slot = slot, .on = on } };

	return xfn_workers__command(worker, &msg);
}

int xfn_quarantine__send(const struct xfn_supervisor *sup, struct xfn_worker_process *worker)
{
	int ret = 0;

	for (unsigned slot = 0; !ret && slot < sup->function_count; slot++)
		if (sup->functions[slot].quarantined)
			ret = tell(worker, slot, true);
	return ret;
}

/* To those that run; the others hear it when they start. */
static void set(struct xfn_supervisor *sup, unsigned slot, bool on)
{
	sup->functions[slot].quarantined = on;
	sup->functions[slot].crash_count = 0;
	for (unsigned i = 0; i < sup->worker_count; i++)
		if (sup->workers[i].sock >= 0)
			tell(&sup->workers[i], slot, on);
}

static void release_command(const struct xfn_supervisor *sup, const struct xfn_deployed *fn,
			    char *text, size_t len)
{
	snprintf(text, len, "`xfn release %s%s%s`", name_of(fn), sup->iface.name[0] ? " -i " : "",
		 sup->iface.name);
}

/* Note one crash more. True: that was one too many. */
static bool count(struct xfn_deployed *fn)
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

enum xfn_blame xfn_quarantine__ended(struct xfn_supervisor *sup, struct xfn_worker_process *worker,
				     char *what, size_t len)
{
	const struct culprit who = culprit(sup, worker);
	const struct xfn_page *page = who.page;
	char path[320], how[80] = "";
	struct xfn_deployed *fn;
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
	fn = &sup->functions[who.slot];
	if (who.after)
		snprintf(how, sizeof(how),
			 ", the last one called, which has broken memory of its worker");
	else if (worker->hung)
		snprintf(how, sizeof(how), ", which had not returned within %u ms",
			 sup->opts->deadline);
	else if (page->overrun == XFN_OVERRUN_BEFORE)
		snprintf(how, sizeof(how), ", which had written before its payload");
	else if (page->overrun)
		snprintf(how, sizeof(how), ", which had written past its payload");
	ret = xfn_crash_pcap__keep(sup->iface.name[0] ? sup->iface.name : NULL, name_of(fn),
				   &page->crash, path, sizeof(path));
	n = snprintf(what, len, " %s function %s%s", who.after ? "after" : "in", name_of(fn), how);
	if (!ret)
		snprintf(what + n, len - n, "; its request: %s", path);
	else if (ret != -ENODATA)
		snprintf(what + n, len - n, "; its request cannot be kept%s%s: %s",
			 path[0] ? " in " : "", path, strerror(-ret));
	if (fn->quarantined)
		return XFN_BLAME_NOBODY;
	return count(fn) ? XFN_BLAME_TOO_OFTEN : XFN_BLAME_FUNCTION;
}

void xfn_quarantine__begin(struct xfn_supervisor *sup, const struct xfn_worker_process *worker)
{
	const struct culprit who = culprit(sup, worker);
	struct xfn_deployed *fn;
	char next[80];

	if (!who.page)
		return;
	fn = &sup->functions[who.slot];
	set(sup, fn - sup->functions, true);
	release_command(sup, fn, next, sizeof(next));
	xfn_log__line(
		LOG_ERR,
		"%s ended its worker %d times within %d s; workers drop its requests from now "
		"on (QUARANTINE); mend it, or %s lets it run again",
		name_of(fn), XFN_CRASHES, XFN_CRASHES_S, next);
}

bool xfn_quarantine__blame(struct xfn_supervisor *sup, const struct xfn_worker_process *worker,
			   int ret, const char *err)
{
	struct xfn_deployed *fn;
	uint32_t slot = 0;
	char next[80];
	size_t len;

	/* ended from outside: by the kernel, out of memory, or a person */
	if (ret == -EINTR || !worker->page)
		return false;
	for (unsigned i = 0; !slot && i < worker->threads; i++)
		slot = xfn_quarantine__running(sup, &worker->page[i]);
	if (!slot)
		return false;
	fn = &sup->functions[slot - 1];
	/* by another worker, which started at the same time */
	if (fn->set_aside[0])
		return worker->begun_ns < fn->set_aside_ns;
	len = strlen(name_of(fn));
	if (!strncmp(err, name_of(fn), len) && !strncmp(err + len, ": ", 2))
		err += len + 2;
	snprintf(fn->set_aside, sizeof(fn->set_aside), "%s", err);
	fn->set_aside_ns = xfn_now_ns();
	/* alone, and not served yet: the run ends with these words */
	if (sup->function_count == 1 && !sup->served_once && !fn->in_kernel)
		return true;
	release_command(sup, fn, next, sizeof(next));
	xfn_log__line(LOG_ERR,
		      "%s: %s; it is set aside, %s; where the module is not the cause, %s tries "
		      "again",
		      name_of(fn), fn->set_aside,
		      fn->in_kernel ? "the kernel goes on answering" :
				      "its requests are dropped (QUARANTINE), the others go on",
		      next);
	return true;
}

int xfn_quarantine__any_serves(const struct xfn_supervisor *sup, struct xfn_error *err)
{
	const struct xfn_deployed *first = sup->functions;

	for (unsigned i = 0; i < sup->function_count; i++)
		if (!sup->functions[i].set_aside[0] || sup->functions[i].in_kernel ||
		    sup->functions[i].on_device)
			return 0;
	if (!sup->function_count)
		return 0;
	if (sup->function_count == 1)
		xfn_error__set(err, "%s: %s", name_of(first), first->set_aside);
	else
		xfn_error__set(err, "none of the %u functions can be loaded; %s: %s",
			       sup->function_count, name_of(first), first->set_aside);
	return -ECANCELED;
}

const char *xfn_quarantine__state(const struct xfn_deployed *fn)
{
	return fn->set_aside[0] ? "set_aside" : fn->quarantined ? "quarantined" : "";
}

json_t *xfn_quarantine__release(struct xfn_supervisor *sup, json_t *args, struct xfn_error *err)
{
	const char *name = json_string_value(json_object_get(args, "name"));
	bool known = false, released = false, again = false;

	if (!name) {
		xfn_error__set(err, "release wants the name of a function; `xfn ls` lists them");
		return NULL;
	}
	for (unsigned slot = 0; slot < sup->function_count; slot++) {
		if (strcmp(name_of(&sup->functions[slot]), name))
			continue;
		known = true;
		if (sup->functions[slot].set_aside[0] && sup->phase != XFN_PHASE_NONE) {
			xfn_error__set(err, "%.64s: workers are starting; try again in a second",
				       name);
			return NULL;
		}
		if (sup->functions[slot].set_aside[0]) {
			sup->functions[slot].set_aside[0] = '\0';
			again = true;
		} else if (sup->functions[slot].quarantined) {
			released = true;
			set(sup, slot, false);
		}
	}
	/* by new workers: how that went, the log and `xfn ls` tell */
	if (again && sup->serving)
		xfn_serving__renew_workers(sup);
	released = released || again;
	if (!known)
		xfn_error__set(err, "%.64s: no such function here; `xfn ls` lists them", name);
	else if (!released)
		xfn_error__set(
			err,
			"%.64s: is neither in quarantine nor set aside; `xfn ls` shows what is",
			name);
	if (!released)
		return NULL;
	xfn_log__line(LOG_NOTICE, again ? "%s is loaded again" : "%s is released from quarantine",
		      name);
	return json_pack("{s:s, s:b}", "name", name, "released", 1);
}

void xfn_quarantine__sentence(const struct xfn_supervisor *sup, const struct xfn_deployed *fn,
			      char *text, size_t len)
{
	char next[80];

	text[0] = 0;
	if (!xfn_quarantine__state(fn)[0])
		return;
	release_command(sup, fn, next, sizeof(next));
	if (fn->set_aside[0]) {
		snprintf(text, len, "set aside: %s; %s; mend it, then %s or a new start",
			 fn->set_aside,
			 fn->in_kernel ? "workers drop its requests, the kernel goes on answering" :
					 "its requests are dropped",
			 next);
		return;
	}
	snprintf(text, len, "quarantined: ended its worker %d times within %d s; %s; %s",
		 XFN_CRASHES, XFN_CRASHES_S,
		 fn->in_kernel ? "workers drop its requests, the kernel goes on answering" :
				 "its requests are dropped",
		 next);
}
