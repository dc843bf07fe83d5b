/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a worker gives up before it touches its first packet. Must never know of modules or rings.
 */
#ifndef XFN_SANDBOX_H
#define XFN_SANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include "../../skel/error.h"

#define XFN_NOBODY 65534 /* Debian's nobody and nogroup */

/* End with the supervisor, whatever ends it. Call first; again after a change of user. */
void xfn_sandbox__die_with_parent(void);

/* Be ended before the supervisor where the kernel is out of memory, by a tenth of all there is. */
void xfn_sandbox__end_first(void);

/*
 * Four steps, for good; each returns 0, or -errno with one line in err. capabilities(7),
 * seccomp(2), landlock(7).
 *
 * First, for this thread and those it makes from then on: no program that it could execute may give
 * it a capability.
 */
int xfn_sandbox__bound(struct xfn_error *err);
/* Then, for all threads there are: user and group, where it is root and uid is not 0. */
int xfn_sandbox__user(uint32_t uid, uint32_t gid, struct xfn_error *err);
/*
 * Then in each thread, and not in two at a time: every capability, new privileges, the file system
 * (Landlock, where the kernel has it).
 */
int xfn_sandbox__drop(struct xfn_error *err);
/*
 * At last, for all threads there are, once all files are open and all libraries warm: memory beyond
 * `memory` bytes more than now (0: no bound; setrlimit(2), RLIMIT_DATA), memory that this does not
 * bound, and every system call (EPERM; one made as those of another architecture ends the process)
 * but those that every worker needs and `calls`: SYS_* whose first argument is a descriptor, 0 ends
 * them. By what joins a worker to its supervisor (XFN_WORKER_PROTOCOL_FD) only messages go, as
 * worker_protocol.c makes them. NULL: this is no worker, and has no such descriptor.
 */
int xfn_sandbox__enter(const int *calls, uint64_t memory, struct xfn_error *err);
/* close(2), which functions have no more: for descriptors that came since. */
void xfn_sandbox__close(int fd);

/*
 * Before a process of one thread loads code that nobody vouches for, and runs its constructors and
 * its XFN_INIT: as nobody, where it is root; without capabilities, network, other programs and
 * processes; nothing can be written, and only the system's folders can be read. Of its descriptors
 * the standard three and the `count` of `keep` stay open. xfn_sandbox__whole is to follow. 0, or
 * -errno with one line in err.
 */
int xfn_sandbox__before_code(const int *keep, unsigned count, struct xfn_error *err);

/*
 * All four for a process of one thread that calls functions and needs no engine: as nobody, where
 * it is root.
 */
int xfn_sandbox__whole(struct xfn_error *err);

#endif
