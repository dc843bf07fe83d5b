/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a function itself answers: the reference that replies are compared with. */
#ifndef XFN_BENCH_REFERENCE_H
#define XFN_BENCH_REFERENCE_H

#include "../../skel/error.h"
#include "bench_load.h"

/*
 * Fill in the set's replies by the module's native code, called as a worker calls it behind a UDP
 * socket, in a sandboxed process of its own. 0 or -errno with one line in err: also where the
 * function leaves a request unanswered.
 */
int bench_reference__fill(struct bench_set *set, const char *module, struct xfn_error *err);

#endif
