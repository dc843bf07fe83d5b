/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Running another program and hearing what it says. No shell. */
#ifndef XFN_COMMAND_H
#define XFN_COMMAND_H

/*
 * Run argv[0] (found by PATH) with its messages in English and wait. *said is all that it wrote to
 * standard output and error; the caller frees it. Returns its exit status, 128 + signal, or -errno
 * where it could not be started.
 */
int xfn_command__run(char *const argv[], char **said);

/* The compiler of functions: what XFN_CLANG in the environment names, else "clang". */
const char *xfn_command__clang(void);

#endif
