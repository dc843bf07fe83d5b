/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files of a standalone object: clang, libbpf's linker, libelf. Must never judge a function. */
#ifndef XFN_STANDALONE_LINK_H
#define XFN_STANDALONE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include "../../skel/error.h"

/* One function's source. */
struct xfn_object_unit {
	const char *source;
	const char *name;
};

struct xfn_object_plan {
	const char *folder;   /* private, for what is made on the way */
	const char *support;  /* where xdp/ and functions/ lie */
	const char *settings; /* the header that xdp/standalone_bpf.h wants */
	const struct xfn_object_unit *units;
	unsigned count;
	bool unroll; /* loops */
	bool nic;    /* constants stay in the code */
};

/* All return 0, or -errno with one line in err. */

/*
 * Compile every unit, and for several the one that finds the function, each a translation unit of
 * its own, and link them to `out`: what is static in one is not seen in another.
 */
int xfn_object__compile(const struct xfn_object_plan *plan, const char *out, struct xfn_error *err);

struct xfn_object_file {
	void *bytes;
	size_t len;
	bool resizes; /* it calls a kernel function that changes a packet's length */
};

/*
 * Read the object, which errors name `out`; the caller frees file->bytes, NULL after an error. With
 * `nic`, an object with variables or constants in memory is refused.
 */
int xfn_object__read(const char *path, const char *out, bool nic, struct xfn_object_file *file,
		     struct xfn_error *err);

#endif
