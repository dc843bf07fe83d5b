/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Threads that stand still outside of functions. For this room only. */
#ifndef XFN_STANDSTILL_H
#define XFN_STANDSTILL_H

#include "workers.h"

/* A worker serves: end those that stand still, from now on. */
void xfn_standstill__watch(struct xfn_workers *workers);
/* ", after it had ..." of a worker whose .still is set. */
void xfn_standstill__sentence(const struct xfn_worker_process *worker, char *what, size_t len);
/* By SIGSTOP or the like: no function can do that. */
bool xfn_worker_process__is_stopped(const struct xfn_worker_process *worker);

#endif
