/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The folder of what a run has besides its memory (a socket, a journal), and how a file in it is
 * named after an interface.
 *
 * $XFN_RUNTIME_DIR where that is set (any user; an absolute path), else /run/xfn for root, else
 * $XDG_RUNTIME_DIR/xfn. Name: IFACE; outside the host's network namespace IFACE:NAMESPACE, so that
 * interfaces of one name do not meet (no interface's name has a colon). NAMESPACE is the kernel's
 * number of it (SO_NETNS_COOKIE), which is 1 for the host's. Makes nothing.
 */
#ifndef XFN_RUNTIME_DIR_H
#define XFN_RUNTIME_DIR_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../../skel/error.h"

#define XFN_RUNTIME_HOST    1	       /* the first namespace that the kernel makes */
#define XFN_RUNTIME_SOCKETS "@sockets" /* in place of IFACE, where a run uses none */

struct xfn_runtime_name {
	char iface[IF_NAMESIZE];
	uint64_t space; /* its network namespace */
};

/* Where it is. 0 or -errno with one line in err: -ENOENT where this user has none. */
int xfn_runtime_dir(char *dir, size_t len, struct xfn_error *err);

/* This network namespace's number. */
uint64_t xfn_runtime_dir__namespace(void);

/* IFACE or IFACE:NAMESPACE, of namespace `here` where none is named. False: it is neither. */
bool xfn_runtime_dir__parse(const char *text, uint64_t here, struct xfn_runtime_name *out);

/*
 * The path of a file of `name`, which ends with `suffix`: IFACE in this network namespace, or
 * IFACE:NAMESPACE in that one. 0 or -errno with one line in err.
 */
int xfn_runtime_dir__path(const char *name, const char *suffix, char *path, size_t len,
			  struct xfn_error *err);

#endif
