/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What time it is, for whoever measures or waits. clock_gettime(2). */
#ifndef XFN_NOW_H
#define XFN_NOW_H

#include <stdint.h>
#include <time.h>
#include "../../xdp/units.h"

/* Nanoseconds of any clock. */
static inline uint64_t xfn_now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * XFN_NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* CLOCK_MONOTONIC, which nobody sets. */
static inline uint64_t xfn_now_ns(void)
{
	return xfn_now(CLOCK_MONOTONIC);
}

static inline uint64_t xfn_now_ms(void)
{
	return xfn_now_ns() / XFN_NSEC_PER_MSEC;
}

#endif
