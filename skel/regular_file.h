/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files that a user names, opened without waiting for anything. A FIFO without a writer, a device
 * or a directory is refused by name. Must never know what is in a file.
 */
#ifndef XFN_REGULAR_FILE_H
#define XFN_REGULAR_FILE_H

#include <stdio.h>
#include "error.h"

/*
 * Open a regular file for reading, close-on-exec. A descriptor, or -errno with "PATH: WHY; NEXT" in
 * err; `next` is the step to try.
 */
int xfn_regular_file__open(const char *path, const char *next, struct xfn_error *err);
/* The same as a stream; NULL with errno set. The caller closes. An unnamed pipe, which a shell's
 * <(COMMAND) makes, is accepted too: its writer is there. */
FILE *xfn_regular_file__stream(const char *path, const char *next, struct xfn_error *err);
/* "a FIFO" and the like for what stat(2) calls `mode`; NULL: a regular file. */
const char *xfn_regular_file__other_kind(unsigned mode);

#endif
