// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs are kept from a worker's descriptors by close-on-exec, processes that go on without a
 * program by a handler of fork(2) in the child. What engines have mapped of a socket keeps it as
 * well: they map that with MADV_DONTFORK.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>
#include "own_descriptors.h"

#define DESCRIPTORS 8192 /* more than an engine's sockets, modules and rings together */

static bool owned[DESCRIPTORS];
static int first; /* the lowest one there may be */

/* In the child of a fork: nothing but system calls, other threads may have held any lock. */
static void close_owned(void)
{
	for (int fd = first; fd < DESCRIPTORS; fd++)
		if (owned[fd])
			close(fd);
}

int xfn_own_descriptors__begin(int pair)
{
	fcntl(pair, F_SETFD, FD_CLOEXEC);
	close_range((unsigned)pair + 1, ~0u, 0);
	first = pair;
	xfn_own_descriptors__add(pair);
	return -pthread_atfork(NULL, NULL, close_owned);
}

void xfn_own_descriptors__add(int fd)
{
	if (fd >= 0 && fd < DESCRIPTORS)
		owned[fd] = true;
}
