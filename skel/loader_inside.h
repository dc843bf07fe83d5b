/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside skel/: what loader.c and attach.c share of one interface. */
#ifndef XFN_LOADER_INSIDE_H
#define XFN_LOADER_INSIDE_H

#include <net/if.h>
#include <sys/types.h>
#include <bpf/libbpf.h>
#include "error.h"
#include "loader.h"

struct dispatcher_bpf;
struct slow_bpf;

struct xfn_loader {
	struct dispatcher_bpf *skel;
	struct slow_bpf *slow;			 /* NULL until a slow socket wants it */
	struct bpf_object *functions[XFN_SLOTS]; /* NULL: empty slot */
	const struct xfn_loader *before;	 /* NULL: nothing is taken over */
	struct xfn_settings settings;
	struct xfn_runtime runtime; /* as the kernel has it */
	unsigned ifindex;
	unsigned mtu;
	int cpus;    /* possible ones: values per per-CPU entry */
	int link_fd; /* held, never pinned; -1: not attached */
	/* attach_libxdp.c */
	bool below;	 /* libxdp's dispatcher calls ours, an extension of it */
	bool no_calls;	 /* and may not tail call: functions run in workers */
	int keeper_pipe; /* its end tells the keeper to detach; -1: there is none */
	pid_t keeper;
	char ifname[IF_NAMESIZE];
};

/*
 * Why the kernel does not attach program `fd` to the device in the mode of `flags`, in its own
 * words or else those of `err` (negative errno): BPF_LINK_CREATE gives none, so netlink is asked
 * again.
 */
void xfn_attach__why(int fd, unsigned ifindex, __u32 flags, int err, struct xfn_error *why);
/* An interface's maps and programs, opened but not loaded. 0 or -errno with err. */
int xfn_loader__prepare(const struct xfn_loader_options *opts, struct xfn_loader **out,
			struct xfn_error *err);
/* After the load: what running programs find at first. */
int xfn_loader__begin(struct xfn_loader *ld, struct xfn_error *err);
int xfn_loader__map(const struct xfn_loader *ld, const char *name); /* its descriptor, or -errno */
/* The per-CPU values of one key added up over `cpus`, each `words` 64-bit words. */
int xfn_map__sum(int fd, __u32 key, int cpus, unsigned words, __u64 *out);
/* xfn_own is to have these addresses and no others. -ENOSPC: the first XFN_OWN. */
int xfn_map__own(int fd, const uint8_t (*ips)[16], unsigned count);
int xfn_loader__write_runtime(const struct xfn_loader *ld); /* ld->runtime to the programs */

#endif
