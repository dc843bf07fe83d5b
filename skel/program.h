/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside skel/: one function's kernel half as a libbpf object, shared by loader and trial. */
#ifndef XFN_PROGRAM_H
#define XFN_PROGRAM_H

#include <bpf/libbpf.h>
#include "error.h"
#include "../xdp/abi.h"

/* Room for a verifier log: level 1 of a refused program near the instruction limit. */
#define XFN_LOG_LEN (16u << 20)

/*
 * Open the object bytes and set its settings (NULL: zeroes). *prog is its first program; others,
 * which are other forms of the same, will not be loaded. NULL with a line in err. The caller closes
 * with bpf_object__close.
 */
struct bpf_object *xfn_program__open(const void *obj, size_t len, const char *name,
				     const struct xfn_settings *settings, struct bpf_program **prog,
				     struct xfn_error *err);

/* libbpf's messages go nowhere unless XFN_DEBUG is set: then to stderr, indented under its name. */
void xfn_program__quiet_libbpf(void);

/*
 * The kernel's words (netlink's extended acknowledgement) on the last request that it refused to
 * libbpf, or libbpf's own "map 'NAME': failed to create: ..."; "" if none. They are returned once.
 * Call xfn_program__quiet_libbpf before.
 */
const char *xfn_program__kernel_said(void);

#endif
