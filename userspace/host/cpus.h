/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* CPUs: which one handles a queue's interrupt, whose memory is near. Changes
 * nothing. */
#ifndef XFN_CPUS_H
#define XFN_CPUS_H

#include <stdbool.h>

#define XFN_CPUS_MAX 1024 /* the kernel's numbers that are known here */

/* May this process run on it? */
bool xfn_cpus__allowed(unsigned cpu);

/*
 * The CPU to which the kernel directs the interrupt of RX queue `queue`. -1: there is none (a
 * virtual link), it is not known by its name, several handle it, or this process may not run there.
 * `root` stands before /proc and /sys; "" but in tests.
 */
int xfn_cpus__of_queue(const char *root, const char *ifname, unsigned queue);

/* The NUMA node of a CPU, -1: not known. */
int xfn_cpus__node(int cpu);

/* The one CPU that process `pid` is bound to, -1: several, or there is no such process. */
int xfn_cpus__of_process(int pid);

#endif
