/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a run is asked to do. The command line fills it in; everything below the supervisor only
 * reads it. Holds values, never state.
 */
#ifndef XFN_SUPERVISOR_OPTIONS_H
#define XFN_SUPERVISOR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "../../skel/loader.h"
#include "../../xdp/abi.h"
#include "../nic/zero_copy.h"

#define XFN_AMPLIFY_FREE 10 /* .amplify above it wants to be allowed by name */

struct xfn_link_options {
	enum xfn_zero_copy zero_copy;
	uint16_t
		steer[XFN_QUEUES]; /* queues that requests are steered to; workers are there only */
	unsigned steer_count;	   /* 0: wherever the NIC spreads them */
	unsigned busy_poll; /* us that a worker polls its queue in vain before it sleeps, 0: none */
	unsigned defer;	    /* us that interrupts are held back, 0: as they are */
};

struct xfn_run_module {
	const char *path;	   /* module file, as named; mod is read from it once */
	struct xfn_module *mod;	   /* open, of all who serve it; the caller's */
	const char *addr;	   /* "" or an address of MODULE@ADDR:PORT */
	uint16_t port;		   /* 0: the module's default */
	const char *not_on_device; /* --mode offload: why it is not in that object; NULL: it is */
};

struct xfn_run_options {
	const char *ifname; /* NULL: UDP sockets only */
	bool wait;	    /* an interface that is missing or down is waited for, else an error */
	int report;	    /* say what is said once to this pipe (fleet.h), 0: standard output */
	bool beside;	    /* others serve beside this one: log lines name the interface */
	enum xfn_mode mode;
	int card;	      /* --mode offload: the object for the card, a sealed copy (skel/) */
	int tier;	      /* XFN_TIER_AUTO, or force one */
	const char *engine;   /* NULL: best that works */
	const char **address; /* serve these destinations only; NULL: those of the interface */
	unsigned address_count;
	const char **bind; /* addresses for sockets; NULL: 127.0.0.1 and ::1, or the interface's */
	unsigned bind_count;
	unsigned port_offset;	    /* 0: chosen where ports below 1024 cannot be bound, and said */
	unsigned rate;		    /* requests per second and source prefix, 0: no bound */
	unsigned deadline;	    /* ms a function may take for one request, 0: no bound */
	unsigned memory_mb;	    /* a worker may allocate while it serves, 0: no bound */
	const char **allow_amplify; /* functions that may answer with more than 10 times */
	unsigned allow_amplify_count;
	bool route_fib; /* replies take the kernel's route, not the way the request came */
	bool libxdp;	/* attach through libxdp, beside the programs of others */
	bool trust_checksum;
	bool spin;
	bool sqpoll;	       /* engine uring: a thread of the kernel takes submissions */
	unsigned workers_min;  /* AF_XDP workers of a queue at first; 0: one */
	unsigned workers_max;  /* as many as `scale` may make of them; 0: by the CPUs there are */
	bool autoscale;	       /* between these by load */
	const char **dedicate; /* functions that get a worker of their own on each queue */
	unsigned dedicate_count;
	const uint16_t *cpus; /* worker i is bound to the i-th, in turn; else by its interrupt */
	unsigned cpu_count;
	struct xfn_link_options links;
	bool json;	    /* print the ready message as JSON */
	const char *worker; /* path of xfn-worker */
	const struct xfn_run_module *modules;
	unsigned module_count;
};

/* Was engine packet asked for, which takes frames from a ring of the interface? */
static inline bool xfn_run_options__by_ring(const struct xfn_run_options *opts)
{
	return opts->engine && !strcmp(opts->engine, "packet");
}

#endif
