/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the threads of workers tell in their pages: functions may have written anything there, so
 * only what can be is believed. Must never hand out a page as it is.
 */
#ifndef XFN_PAGE_CHECK_H
#define XFN_PAGE_CHECK_H

#include "workers.h"

/* Read the pages of all workers there are. */
void xfn_page_check__read_all(const struct xfn_workers *workers);
/* What thread `thread`, and those in its place before it, had counted then; .crash holds nothing.
 */
const struct xfn_page *xfn_page_check__sum(const struct xfn_page_check *checked, unsigned thread);
/* A place in the list of all sums; zeroes at first. */
struct xfn_page_place {
	unsigned worker, thread, past;
	const struct xfn_leaver *leaver;
};
/* The sums of all threads in turn, then those of workers that are ending, then that of those that
 * are no more; NULL at the end. */
const struct xfn_page *xfn_page_check__next(const struct xfn_workers *workers,
					    struct xfn_page_place *at);
/* A worker was asked for so many calls on purpose, which its engine does not count as received. */
void xfn_page_check__invoked(const struct xfn_worker_process *worker, uint64_t calls);

/* For this room: */
/* Pages for a place. 0 or -errno. */
int xfn_page_check__make(struct xfn_worker_process *worker);
/* A process is about to start in that place. */
void xfn_page_check__begin(const struct xfn_workers *workers, struct xfn_worker_process *worker);
/* Read the pages of one worker. */
void xfn_page_check__read(const struct xfn_workers *workers,
			  const struct xfn_worker_process *worker);
/* A worker that has ended, and whose place goes: its counts go to the retired ones. Frees both. */
void xfn_page_check__keep(struct xfn_workers *workers, struct xfn_page_check *checked,
			  struct xfn_page *pages, unsigned threads, const char *who);
/* The thread's number, if it is one of that process; else 0. */
pid_t xfn_worker_process__tid(const struct xfn_worker_process *worker, unsigned thread);

#endif
