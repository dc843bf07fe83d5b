/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside `xfn run`: what its command line and its modules share. */
#ifndef XFN_RUN_INSIDE_H
#define XFN_RUN_INSIDE_H

#include <limits.h>
#include <signal.h>
#include "../../userspace/supervisor/fleet.h"
#include "../../userspace/host/cpus.h"

#define BIND_MAX 64

struct run {
	struct xfn_run_options opts;
	const char *ifname[XFN_FLEET_MAX];
	unsigned ifnames;
	const char *object; /* for the card, built by hand */
	const char *amplify[BIND_MAX];
	const char *bind[BIND_MAX];
	const char *address[BIND_MAX];
	const char *dedicate[BIND_MAX];
	uint16_t cpus[XFN_CPUS_MAX];
	unsigned workers[2]; /* of a queue: at first, and at most; 0: not given */
	int attach, route;   /* 1: libxdp, fib */
	char **spec;	     /* MODULE[@ADDR:PORT], as given */
	unsigned specs;
	struct xfn_run_module *modules;
	char folder[PATH_MAX - 64]; /* of what was built here, "" if nothing was */
	char card[PATH_MAX];	    /* object for the card, where it is made here */
	char worker[PATH_MAX];
};

extern volatile sig_atomic_t xfn_run_interrupted; /* the signal that came, 0: none */

/* run_modules.c: exit status each. */
int xfn_run__modules(struct run *run);	      /* find those named, or all shipped ones */
int xfn_run__sources(struct run *run);	      /* build what is a source, in a folder of its own */
int xfn_run__open(struct run *run);	      /* read all of them, once */
int xfn_run__offload_device(struct run *run); /* what the card is to take */
void xfn_run__remove(struct run *run);	      /* what was built and opened */

#endif
