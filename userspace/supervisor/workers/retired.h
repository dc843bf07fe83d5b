/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters of workers that are no more: they go on. */
#ifndef XFN_RETIRED_H
#define XFN_RETIRED_H

#include "workers.h"

/* A reason's count in a page; some are the engine's own: a reply that the kernel refused, a request
 * that is too long. */
uint64_t xfn_retired__reason(const struct xfn_page *page, unsigned reason);

/* For this room: */
/* Add the counters of a worker that has ended, and whose page goes. */
void xfn_retired__keep(struct xfn_workers *workers, const struct xfn_page *page);
/* A new engine counts from zero: the reasons of the last one go on. */
void xfn_retired__new_engine(struct xfn_page *page);

#endif
