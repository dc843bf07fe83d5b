/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A program that waits for a file which may never give anything, a FIFO that nobody opens, or reads
 * one that never ends, as /dev/zero. The kernel tells by /proc which files a process has open, and
 * in which system call it stands. Changes nothing, and must never open what it looks at.
 */
#ifndef XFN_WAITING_H
#define XFN_WAITING_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct xfn_waiting {
	pid_t pid; /* that process, or one that it started */
	char file[PATH_MAX];
	const char *kind; /* "a FIFO", "a device" */
};

/*
 * Does `pid`, or a process below it, open a FIFO or a device by name, or have one open? One look
 * proves nothing: another one a while later must find the same. False also where /proc does not
 * tell. Left out are /dev/null, what this process has open too, and unnamed pipes, for it is on
 * these that programs wait for each other.
 */
bool xfn_waiting__find(pid_t pid, struct xfn_waiting *out);

#endif
