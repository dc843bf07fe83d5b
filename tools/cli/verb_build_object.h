/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The part of `xfn build` that makes objects for other loaders. */
#ifndef XFN_VERB_BUILD_OBJECT_H
#define XFN_VERB_BUILD_OBJECT_H

#include "../compiler/standalone.h"
#include "options.h"

/* Build the object and print what was made, or what is wrong; `verbose`: what its makers said too.
 * Exit status. */
int xfn_build__object(const struct xfn_object_options *how, struct xfn_words files, const char *out,
		      bool json, bool verbose);

#endif
