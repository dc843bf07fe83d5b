/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The module writer; skel/module.h is the reader. */
#ifndef XFN_MODULE_WRITE_H
#define XFN_MODULE_WRITE_H

#include "../../skel/error.h"
#include "../../skel/module.h"

/*
 * Make a module of the shared object at so_path: add `verdict` and, unless NULL, the BPF object as
 * sections, their hashes filled in, and move the result to out_path in one step (no half-written
 * module is ever seen there). 0 or -errno with one line in err.
 */
int xfn_module__write(const char *so_path, const struct xfn_module_meta *verdict, const void *bpf,
		      size_t bpf_len, const char *out_path, struct xfn_error *err);

#endif
