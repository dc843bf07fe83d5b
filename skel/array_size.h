/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Elements of an array. Every room may include this header. Must never include anything. */
#ifndef XFN_ARRAY_SIZE_H
#define XFN_ARRAY_SIZE_H

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
