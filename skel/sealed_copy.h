/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A file's bytes in memory that nobody can change or cut any more (memfd_create(2), F_SEAL_WRITE).
 * Must never know what the bytes are. Workers use it too: no library but libc.
 */
#ifndef XFN_SEALED_COPY_H
#define XFN_SEALED_COPY_H

#include <stddef.h>

/*
 * Copy the open regular file `fd`, from its first byte on. A descriptor of the copy, close-on-exec,
 * or -errno: -EFBIG where the file has more than `max` bytes. A file that is written to meanwhile
 * gives a mixture: the reader of the copy has to check it.
 */
int xfn_sealed_copy(int fd, size_t max);

#endif
