/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Running another program and hearing what it says. No shell. */
#ifndef XFN_COMMAND_H
#define XFN_COMMAND_H

#include <errno.h>
#include <sys/types.h>
#include "../../skel/error.h"

/* It waited for a file that gives nothing, and was ended: *said is "FILE, which is KIND". */
#define XFN_COMMAND_WAITS (-ENOTBLK)

/*
 * Run argv[0] (found by PATH) with its messages in English and wait. *said is all that it wrote to
 * standard output and error; the caller frees it. Returns its exit status, 128 + signal, -errno
 * where it could not be started, or XFN_COMMAND_WAITS.
 */
int xfn_command__run(char *const argv[], char **said);

/* Wait for a child. Its exit status, or 128 + signal; -errno: there is no such child. */
int xfn_command__wait(pid_t pid);

/*
 * Did the host fail `program`, and not what it was to judge: it could not be started, was ended by
 * a signal, or found no memory, disk or process? `ret` and `said` as xfn_command__run gave them. 0:
 * no; else -errno with one line in err.
 */
int xfn_command__fault(const char *program, int ret, const char *said, struct xfn_error *err);

/* The compiler of functions: what XFN_CLANG in the environment names, else "clang". */
const char *xfn_command__clang(void);

#endif
