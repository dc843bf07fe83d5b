/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options of `xfn run` on what a NIC and its driver do for AF_XDP workers. */
#ifndef XFN_RUN_LINKS_H
#define XFN_RUN_LINKS_H

#include <argp.h>
#include <stddef.h>
#include "../../userspace/supervisor/ingress/nic_features.h"

struct xfn_run_links {
	struct xfn_link_options opts;
	const char *zero_copy, *steer, *busy_poll, *defer; /* as given, NULL: not */
};

/* A child of `xfn run`'s parser; its input is a struct xfn_run_links. */
extern const struct argp xfn_run_links_argp;

/*
 * Texts to options. NULL, or what is wrong as "OPTION 'VALUE': what to do" in err; `interface`:
 * there is one.
 */
const char *xfn_run_links__take(struct xfn_run_links *links, int interface, char *err,
				size_t errlen);

#endif
