/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The supervisor: `xfn run`. Owns BPF objects, links, sockets, UMEM and the control socket; execs
 * the workers. Runs no function code and touches no packet.
 */
#ifndef XFN_SUPERVISOR_H
#define XFN_SUPERVISOR_H

#include "../skel/loader.h"
#include "links.h"

struct xfn_run_module {
	const char *path; /* module file */
	const char *addr; /* "" or an address of MODULE@ADDR:PORT */
	uint16_t port;	  /* 0: the module's default */
};

struct xfn_run_options {
	const char *ifname; /* NULL: UDP sockets only */
	enum xfn_mode mode;
	int tier;	      /* XFN_TIER_AUTO, or force one */
	const char *engine;   /* NULL: best that works */
	const char **address; /* serve these destinations only; NULL: those of the interface */
	unsigned address_count;
	const char **bind; /* addresses for sockets; NULL: 127.0.0.1 and ::1, or the interface's */
	unsigned bind_count;
	unsigned port_offset;	    /* 0: chosen where ports below 1024 cannot be bound, and said */
	unsigned rate;		    /* requests per second and source prefix, 0: no bound */
	unsigned deadline;	    /* ms a function may take for one request, 0: no bound */
	const char **allow_amplify; /* functions that may answer with more than 10 times */
	unsigned allow_amplify_count;
	bool route_fib; /* replies take the kernel's route, not the way the request came */
	bool trust_checksum;
	bool spin;
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

/* Serve until SIGINT or SIGTERM. Returns the exit status: 0, 1 (failed) or 2 (usage). */
int xfn_supervisor__run(const struct xfn_run_options *opts);

#endif
