/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where this xfn's own files lie, in the build tree and installed. */
#ifndef XFN_PATHS_H
#define XFN_PATHS_H

#include <stddef.h>
#include "../../skel/error.h"

/*
 * The folder that holds xdp/, userspace/, functions/ and skel/ headers: $XFN_SUPPORT, else found
 * from the program's own place. 0 or -ENOENT with one line in err.
 */
int xfn_paths__support(char *dir, size_t len, struct xfn_error *err);

/* The folder of the shipped modules; "" where there is none. */
void xfn_paths__modules(char *dir, size_t len);

/* The program xfn-worker. 0 or -ENOENT with one line in err. */
int xfn_paths__worker(char *path, size_t len, struct xfn_error *err);

#endif
