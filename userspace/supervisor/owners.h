/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The owners that workers are made from, and that requests ask. */
#ifndef XFN_OWNERS_H
#define XFN_OWNERS_H

struct xfn_run_options;
struct xfn_events;
struct xfn_functions;
struct xfn_interface_state;
struct xfn_attachment;
struct xfn_ingress;

/* All stay the supervisor's, and outlive whom they are handed to. */
struct xfn_owners {
	const struct xfn_run_options *opts;
	struct xfn_events *loop;
	const struct xfn_functions *functions;
	const struct xfn_interface_state *interface;
	const struct xfn_attachment *attachment;
	struct xfn_ingress *ingress;
};

#endif
