/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A file that a verb writes by name: made whole beside its place, then moved there. It takes the
 * place of nothing or of a regular file only, and never of what it was made of.
 */
#ifndef XFN_OUTPUT_FILE_H
#define XFN_OUTPUT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include "../../skel/error.h"

/* Why not, of a file that is read: its name as it is to be written, and as it is read. */
#define XFN_OUTPUT_IS_INPUT "%s: is what it would be made of (%s); choose another name with -o"

/* Are both names of one file (by device and inode, whatever the names)? */
bool xfn_output_file__same(const char *a, const char *b);

/*
 * May `out` be written? Not where a device, FIFO, folder or symbolic link stands. 0, or -errno with
 * one line in err.
 */
int xfn_output_file__free(const char *out, struct xfn_error *err);

/*
 * Is `out` one of the files that a compiler's list of dependencies names (-MD)? No list, no answer:
 * 0. -EEXIST with one line in err: it is.
 */
int xfn_output_file__not_listed(const char *out, const char *list, struct xfn_error *err);

/* Put the bytes at `out`, whole or not at all. 0, or -errno with one line in err. */
int xfn_output_file__put(const char *out, const void *bytes, size_t len, struct xfn_error *err);

#endif
