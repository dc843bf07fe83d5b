/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The descriptors that a worker process owns: the pair, what came with its messages, what its
 * engines opened. Neither programs nor processes that a library starts may have them: a queue or a
 * port would stay taken for as long as these run. Must never know what the descriptors are.
 */
#ifndef XFN_OWN_DESCRIPTORS_H
#define XFN_OWN_DESCRIPTORS_H

/*
 * Before the first message: close all that the supervisor was started with, but for the standard
 * three and `pair`, which is the first one owned. 0 or -errno.
 */
int xfn_own_descriptors__begin(int pair);
/* Own `fd`, which stays open while libraries may start processes; -1 is none. */
void xfn_own_descriptors__add(int fd);

#endif
