// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the threads of workers tell in their pages, as far as it can be: functions may have written
 * anything there, of their own or of another. Counters are taken by what they grew since they were
 * last read; where that is no growth, or more than the time or the received requests allow, nothing
 * is added, and counting goes on from there. Must never hand out a page as it is.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>
#include "../../host/log.h"
#include "../../host/now.h"
#include "page_check.h"
#include "retired.h"
#include "workers_inside.h"

#define NS_PER_PACKET 4		     /* no engine is as fast */
#define SLACK_NS      10000000000ull /* engines tell their counts now and then */
/* Calls that are counted before their requests are: ROUNDS_PER_LOOK of worker_thread.c, twice. */
#define UNTOLD (2 * 1024 * XFN_BATCH)

struct xfn_page_check {
	struct xfn_page sum; /* what is believed, of all workers of the place; .crash is not used */
	struct xfn_page last; /* as it was last read */
	uint64_t read_ns;
	uint64_t invoked; /* calls on purpose, which no engine has received */
	bool said;	  /* logged that this worker wrote impossible counts */
};

/* One reading. */
struct reading {
	const struct xfn_functions *functions;
	struct xfn_page_check *checked;
	const struct xfn_page *page;
	const char *who;
	uint64_t elapsed_ns;
	unsigned slot;
};

int xfn_page_check__make(struct xfn_worker_process *worker)
{
	const unsigned seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	size_t len = worker->threads * sizeof(*worker->page);
	int fd = memfd_create("xfn-page", MFD_CLOEXEC | MFD_ALLOW_SEALING), ret;
	void *page = MAP_FAILED;

	/* the worker must not be able to shrink it while it is read here */
	if (fd >= 0 && !ftruncate(fd, (off_t)len) && !fcntl(fd, F_ADD_SEALS, seals))
		page = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ret = page == MAP_FAILED ? -errno : 0;
	if (!ret) {
		worker->checked = calloc(worker->threads, sizeof(*worker->checked));
		ret = worker->checked ? 0 : -ENOMEM;
	}
	if (!ret) {
		worker->page = page;
		worker->page_fd = fd;
		return 0;
	}
	if (page != MAP_FAILED)
		munmap(page, len);
	if (fd >= 0)
		close(fd);
	return ret;
}

void xfn_page_check__begin(const struct xfn_workers *workers, struct xfn_worker_process *worker)
{
	size_t len = worker->threads * sizeof(*worker->page);

	xfn_page_check__read(workers, worker);
	for (unsigned i = 0; i < worker->threads; i++) {
		struct xfn_page_check *checked = &worker->checked[i];

		/* a new engine counts from zero, reasons go on */
		xfn_retired__new_engine(&checked->sum);
		checked->sum.cpu_ns = 0;
		memset(&checked->last, 0, offsetof(struct xfn_page, crash));
		checked->said = false;
	}
	/* the next worker finds nothing of what the last one left */
	if (fallocate(worker->page_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)len))
		memset(worker->page, 0, len);
}

void xfn_page_check__invoked(const struct xfn_worker_process *worker, uint64_t calls)
{
	for (unsigned i = 0; worker->checked && i < worker->threads; i++)
		worker->checked[i].invoked += calls;
}

/* Once for each worker. */
static void say(const struct reading *r, const char *what, const char *how)
{
	bool known = r->slot < xfn_functions__count(r->functions);

	if (r->checked->said)
		return;
	r->checked->said = true;
	xfn_log__line(LOG_WARNING,
		      "%s: its %s%s%s %s, which cannot be and is not counted; one of its functions "
		      "overwrites memory: give them workers of their own (--dedicate) to learn "
		      "which",
		      r->who, what, known ? " of " : "",
		      known ? xfn_functions__at(r->functions, r->slot)->mod->attr.name : "", how);
}

/*
 * Add to what is believed of the page's word at `at` what the worker's has grown since it was last read.
 * A fall of at most `back` is none: what an engine has counted as sent may be refused later.
 */
static void take(const struct reading *r, size_t at, uint64_t most, uint64_t back, const char *what)
{
	const uint64_t *cell = (const void *)((const char *)r->page + at);
	uint64_t *last = (void *)((char *)&r->checked->last + at);
	uint64_t *sum = (void *)((char *)&r->checked->sum + at);
	uint64_t is = __atomic_load_n(cell, __ATOMIC_RELAXED), was = *last;
	char how[80];

	if (is == was || (is < was && was - is <= back))
		return;
	*last = is;
	if (is < was || is - was > most) {
		snprintf(how, sizeof(how), "went from %" PRIu64 " to %" PRIu64 " within %u ms", was,
			 is, (unsigned)(r->elapsed_ns / 1000000));
		say(r, what, how);
		return;
	}
	*sum += is - was;
}

#define AT(member) offsetof(struct xfn_page, member)

/* A module's counter has a name of C. */
static bool is_name(const char *name, size_t len)
{
	size_t n = strnlen(name, len);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return false;
	return n && n < len;
}

/* The first right name of a counter is kept; later ones must be the same. */
static bool take_name(const struct reading *r, const char *cell, char *last, char *sum, size_t len)
{
	char name[sizeof(r->checked->sum.counters[0][0].name)];

	memcpy(name, cell, len);
	if (!memcmp(name, last, len))
		return sum[0];
	memcpy(last, name, len);
	if (!sum[0] && is_name(name, len))
		memcpy(sum, name, len);
	else if (memcmp(name, sum, len))
		say(r, "counters", "have names that are none of theirs");
	return sum[0];
}

static void take_slot(struct reading *r, unsigned slot, uint64_t calls)
{
	struct xfn_page *last = &r->checked->last, *sum = &r->checked->sum;

	r->slot = slot;
#define TAKE(name, per_request, sentence)                                                          \
	take(r, AT(slots[slot].name), calls *(per_request), 0, "counter " #name);
	XFN_SLOT_COUNTERS(TAKE)
#undef TAKE
	for (unsigned i = 0; i < XFN_PAGE_COUNTERS; i++)
		if (take_name(r, r->page->counters[slot][i].name, last->counters[slot][i].name,
			      sum->counters[slot][i].name, sizeof(sum->counters[slot][i].name)))
			take(r, AT(counters[slot][i].value), r->elapsed_ns + SLACK_NS, 0,
			     "counters");
}

/* What the engine tells. Returns how many datagrams it has received since. */
static uint64_t take_engine(const struct reading *r)
{
	uint64_t most = (r->elapsed_ns + SLACK_NS) / NS_PER_PACKET;
	uint64_t before = r->checked->sum.engine.received;

#define TAKE(name, reason, sentence)                                                               \
	take(r, AT(engine.name), most, AT(engine.name) == AT(engine.received) ? 0 : UNTOLD,        \
	     "counter " #name);
	XFN_ENGINE_COUNTERS(TAKE)
#undef TAKE
	return r->checked->sum.engine.received - before;
}

static void read_page(const struct xfn_workers *workers, struct xfn_page_check *checked,
		      const struct xfn_page *page, const char *who)
{
	uint64_t now = xfn_now_ns(), calls, most_ns;
	struct reading r = { .functions = workers->functions,
			     .checked = checked,
			     .page = page,
			     .who = who,
			     .elapsed_ns = checked->read_ns ? now - checked->read_ns : 0,
			     .slot = XFN_SLOTS };

	checked->read_ns = now;
	most_ns = r.elapsed_ns + SLACK_NS;
	calls = take_engine(&r) + checked->invoked + UNTOLD;
	take(&r, AT(cpu_ns), most_ns, 0, "time on a CPU");
	take(&r, AT(idle_ns), most_ns, 0, "idle time");
	for (unsigned i = 0; i < XFN_REASON_SLOTS; i++)
		take(&r, AT(reasons[i]), calls, 0, "reasons");
	for (unsigned slot = 0; slot < xfn_functions__count(workers->functions); slot++)
		take_slot(&r, slot, calls);
}

void xfn_page_check__read(const struct xfn_workers *workers,
			  const struct xfn_worker_process *worker)
{
	char who[XFN_WHO];

	xfn_worker_process__who(worker, who);
	for (unsigned i = 0; worker->page && i < worker->threads; i++)
		read_page(workers, &worker->checked[i], &worker->page[i], who);
}

void xfn_page_check__read_all(const struct xfn_workers *workers)
{
	for (unsigned i = 0; i < workers->count; i++)
		xfn_page_check__read(workers, &workers->all[i]);
	for (const struct xfn_leaver *l = workers->leavers; l; l = l->next)
		for (unsigned i = 0; l->page && i < l->threads; i++)
			read_page(workers, &l->checked[i], &l->page[i], l->who);
}

const struct xfn_page *xfn_page_check__next(const struct xfn_workers *workers,
					    struct xfn_page_place *at)
{
	for (; at->worker < workers->count; at->worker++, at->thread = 0) {
		const struct xfn_worker_process *worker = &workers->all[at->worker];

		if (worker->page && at->thread < worker->threads)
			return xfn_page_check__sum(worker->checked, at->thread++);
	}
	if (!at->past && !at->leaver)
		at->leaver = workers->leavers;
	for (; at->leaver; at->leaver = at->leaver->next, at->thread = 0)
		if (at->leaver->page && at->thread < at->leaver->threads)
			return xfn_page_check__sum(at->leaver->checked, at->thread++);
	return at->past++ ? NULL : workers->retired;
}

const struct xfn_page *xfn_page_check__sum(const struct xfn_page_check *checked, unsigned thread)
{
	return &checked[thread].sum;
}

pid_t xfn_worker_process__tid(const struct xfn_worker_process *worker, unsigned thread)
{
	pid_t tid = (pid_t)worker->page[thread].tid;

	return tid > 0 && !syscall(SYS_tgkill, worker->pid, tid, 0) ? tid : 0;
}

void xfn_page_check__keep(struct xfn_workers *workers, struct xfn_page_check *checked,
			  struct xfn_page *pages, unsigned threads, const char *who)
{
	for (unsigned i = 0; i < threads; i++) {
		read_page(workers, &checked[i], &pages[i], who);
		xfn_retired__keep(workers, &checked[i].sum);
	}
	munmap(pages, threads * sizeof(*pages));
	free(checked);
}
