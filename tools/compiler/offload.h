/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Could a network card take a function, and what stands in the way? Judged from the source and from
 * the object of its offload flavour; loads and attaches nothing.
 */
#ifndef XFN_TOOLS_OFFLOAD_H
#define XFN_TOOLS_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include "../../skel/error.h"
#include "../../functions/xfn.h"

#define XFN_OBSTACLES 16

struct xfn_obstacle {
	char kind[16];	  /* "tier", "map", "global", "helper", "kfunc", "frags", "program" */
	char what[384];	  /* a sentence without its subject, the function */
	char remedy[256]; /* one thing to do */
	uint32_t line;	  /* of the function's source, 0: none */
	bool nfp; /* stands in the way of Netronome's cards; the kernel's own checks pass it */
};

struct xfn_obstacles {
	unsigned count;
	struct xfn_obstacle list[XFN_OBSTACLES]; /* what finds no place is left out */
};

/* Is there one that stands in the way of every card? The first, or NULL. */
const struct xfn_obstacle *xfn_obstacles__first(const struct xfn_obstacles *found);

/*
 * Look through an object of the offload flavour in the file `path`, made of `source`. 0, or -errno
 * with one line in err where it is no BPF object. xfn_offload__scan_globals: for globals only, in
 * the function's kernel half, where it cannot be built for a card because of them.
 */
int xfn_offload__scan(const char *path, const char *source, struct xfn_obstacles *out,
		      struct xfn_error *err);
int xfn_offload__scan_globals(const char *path, const char *source, struct xfn_obstacles *out,
			      struct xfn_error *err);

/*
 * `xfn build --offload -o OUT OPTION... SPEC...` (options end with NULL, or are NULL). 0, or -errno
 * with what stands in the way: -EIO where it is this host, and no card was asked.
 */
int xfn_offload__build(const char *const *options, const char *const *specs, unsigned count,
		       const char *out, struct xfn_obstacle *no);

/*
 * Judge one source: its function's name, and what stands in the way. 0, or -errno with one line in
 * err where nothing could be judged.
 */
int xfn_offload__judge(const char *source, char name[XFN_NAME_MAX + 1], struct xfn_obstacles *out,
		       struct xfn_error *err);

/*
 * `xfn run --mode offload`: settle which of the modules go on the card, and with which object:
 * opts->card and not_on_device of each module. `object` has been built by hand; NULL: it is made from
 * the modules' sources, in the file `made`. 0, or -errno with one line in err: also where the card
 * takes none of them; -EINVAL: an option is nothing for a card.
 */
struct xfn_run_options;
struct xfn_run_module;
int xfn_offload__choose(struct xfn_run_options *opts, struct xfn_run_module *modules,
			const char *object, const char *made, struct xfn_error *err);

#endif
