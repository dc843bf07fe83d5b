/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How many files a process may have open. getrlimit(2). */
#ifndef XFN_DESCRIPTORS_H
#define XFN_DESCRIPTORS_H

#include <stddef.h>

/* As many as its hard limit allows, for this process and its workers. */
void xfn_descriptors__allow(void);
/*
 * Where an error line tells that there are no more (EMFILE), its next step is to raise the limit,
 * to `needed` or so, 0: unknown; what it said to do instead is replaced.
 */
void xfn_descriptors__advise(char *line, size_t len, unsigned needed);

#endif
