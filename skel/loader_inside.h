/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside skel/: what loader.c and attach.c share of one interface. */
#ifndef XFN_LOADER_INSIDE_H
#define XFN_LOADER_INSIDE_H

#include <net/if.h>
#include <bpf/libbpf.h>
#include "loader.h"

struct dispatcher_bpf;
struct slow_bpf;

struct xfn_loader {
	struct dispatcher_bpf *skel;
	struct slow_bpf *slow;			 /* NULL until a slow socket wants it */
	struct bpf_object *functions[XFN_SLOTS]; /* NULL: empty slot */
	struct xfn_settings settings;
	struct xfn_live live; /* as the kernel has it */
	unsigned ifindex;
	unsigned mtu;
	int cpus;    /* possible ones: values per per-CPU entry */
	int link_fd; /* held, never pinned; -1: not attached */
	char ifname[IF_NAMESIZE];
};

/*
 * Why the kernel does not attach program `fd` to the device in the mode of `flags`, in its own words
 * or else those of `err` (negative errno): BPF_LINK_CREATE gives none, so netlink is asked again.
 */
void xfn_attach__why(int fd, unsigned ifindex, __u32 flags, int err, char *why, size_t whylen);

#endif
