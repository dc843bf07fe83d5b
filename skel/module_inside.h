/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside skel/: hashes of a module's parts, shared by its reader and the writer's calls. */
#ifndef XFN_MODULE_INSIDE_H
#define XFN_MODULE_INSIDE_H

#include "module.h"

/* As xfn_module__hash_native, for a file in memory; -EBADMSG: it is no 64-bit ELF file. */
int xfn_module__hash_image(const uint8_t *bytes, size_t len, uint8_t hash[XFN_HASH_LEN]);

#endif
