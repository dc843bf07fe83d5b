/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a dying worker leaves to the supervisor: the request it was called for, copied to the shared
 * page by the handler of the signal that ends it. So nothing is copied while all goes well, and the
 * buffers of every engine stay private. Must never know of engines.
 */
#ifndef XFN_CRASH_NOTE_H
#define XFN_CRASH_NOTE_H

#include "../call/call.h"

/* For this process, before its threads enter. */
void xfn_crash_note__install(void);
/*
 * For the calling thread, whose calls are made through `c`, from now on. Before the sandbox, which
 * forbids what it takes. 0 or -errno.
 */
int xfn_crash_note__enter(const struct xfn_call *c);

#endif
