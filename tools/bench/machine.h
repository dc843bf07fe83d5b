/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What makes two measurements on one machine alike: CPUs, sleep states, statistics. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdbool.h>

/* Run on `cpu` from now on; `idle`: only where nothing else wants it. */
void bench_machine__move(int cpu, bool idle);
/*
 * Have no CPU sleep deeper than its shallowest state, and warn of what halves rates. Returns a
 * descriptor that holds it so until it is closed, or -1.
 */
int bench_machine__quiet(void);

#endif
