/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes of workers: started, watched, and brought to their end. For this room only. */
#ifndef XFN_PROCESS_H
#define XFN_PROCESS_H

#include "workers.h"

/*
 * Hold the program of workers open: one that starts later is the program of now, and is found
 * without the privilege to search folders that are not root's. Where that cannot be, its path is.
 */
void xfn_process__hold_program(struct xfn_workers *workers);
/* Start a process with a pair, a pipe for what it prints, and a pidfd. 0 or -errno; err may tell.
 */
int xfn_process__start(const struct xfn_workers *workers, struct xfn_worker_process *worker,
		       struct xfn_error *err);
void xfn_process__kill(const struct xfn_worker_process *worker); /* with all that it has started */
bool xfn_process__has_ended(const struct xfn_worker_process *worker);
/* Wait for one that has ended, or was killed; its status. Safe where there is none. */
int xfn_process__status(struct xfn_worker_process *worker);
/* Tell it to end, and give it up: its place is free, and its page is added to what was counted. */
void xfn_process__retire(struct xfn_workers *workers, struct xfn_worker_process *worker);

#endif
