/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How far the kernel's TAI clock, which programs can read, is ahead of UTC, which authors are
 * promised; and when that changes. clock_gettime(2), timerfd_create(2).
 */
#ifndef XFN_CLOCK_H
#define XFN_CLOCK_H

#include <stdint.h>

/* CLOCK_TAI less CLOCK_REALTIME in nanoseconds, whole seconds. */
uint64_t xfn_clock__tai_offset_ns(void);

/* A descriptor that polls readable when the system's clock has been set; -errno. The caller closes.
 */
int xfn_clock__watch(void);
/* Take the news, watch on. */
void xfn_clock__taken(int fd);

#endif
