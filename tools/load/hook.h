/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An interface's XDP hook, borrowed and given back. Must never know what for. */
#ifndef XFN_BENCH_HOOK_H
#define XFN_BENCH_HOOK_H

#include <stdbool.h>
#include <stdint.h>
#include "../../skel/error.h"

struct bench_hook {
	unsigned ifindex;
	uint32_t mode; /* XDP_FLAGS_... */
	int before;    /* the program that was there; -1: none */
	bool attached;
};

/*
 * Attach the program in place of the one that is there, in its mode; native, else generic, where
 * there is none. A program held by a bpf_link is not replaced. 0 or -errno with one line in err.
 */
int bench_hook__take(struct bench_hook *hook, const char *ifname, int prog, struct xfn_error *err);
/* As it was before. Safe on one that was never taken, if zeroed. */
void bench_hook__give_back(struct bench_hook *hook);

#endif
