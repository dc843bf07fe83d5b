/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How many files a process may have open, how long one may be, what a worker may allocate.
 * getrlimit(2). */
#ifndef XFN_LIMITS_H
#define XFN_LIMITS_H

#include <stddef.h>

#define XFN_MEMORY_MB 1024 /* of a worker while it serves, where nothing is said */

/* As many open files as the hard limit allows, for this process and its workers. */
void xfn_limits__raise(void);
/*
 * Where an error line tells of a limit (EMFILE, EFBIG), its next step is to raise that; what it
 * said to do instead is replaced. `needed` is how many files are to be open, about; 0: unknown.
 */
void xfn_limits__advise(char *line, size_t len, unsigned needed);

#endif
