/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Units of time. Must never include anything. */
#ifndef XFN_UNITS_H
#define XFN_UNITS_H

#define XFN_NSEC_PER_USEC 1000ull
#define XFN_NSEC_PER_MSEC 1000000ull
#define XFN_NSEC_PER_SEC  1000000000ull

#endif
