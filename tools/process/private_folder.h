/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Private folders for what is compiled. Must never know what lies in them. */
#ifndef XFN_PRIVATE_FOLDER_H
#define XFN_PRIVATE_FOLDER_H

#include <stddef.h>
#include "../../skel/error.h"

/*
 * Make one under TMPDIR, or /tmp. Until it is removed, a signal that would end this process removes
 * it too; signals that are caught or ignored already stay so. 0, or -errno with one line in err.
 */
int xfn_private_folder__make(char *path, size_t len, struct xfn_error *err);

/* Remove it with its files; "" is none. */
void xfn_private_folder__remove(const char *path);

#endif
