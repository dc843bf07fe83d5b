/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a worker gives up before it touches its first packet. Must never know of modules or rings.
 */
#ifndef XFN_SANDBOX_H
#define XFN_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/* End with the supervisor, whatever ends it. Call first; again after a change of user. */
void xfn_sandbox__die_with_parent(void);

/*
 * The part of xfn_sandbox__enter that is not about system calls: user, group, capabilities, new
 * privileges, files. Once, before it. 0 or -errno with one line in err.
 */
int xfn_sandbox__drop(uint32_t uid, uint32_t gid, char *err, size_t errlen);

/*
 * For this process, for good: user and group (where it is root), every capability, new privileges,
 * the file system (Landlock, where the kernel has it), and every system call that `engine` does not
 * need (EPERM), in each thread of it. Call in the only one of ours, once all files are open and all
 * libraries warm. 0 or -errno with one line in err. capabilities(7), seccomp(2), landlock(7).
 */
int xfn_sandbox__enter(const char *engine, uint32_t uid, uint32_t gid, char *err, size_t errlen);

#endif
