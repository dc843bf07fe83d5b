/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What native function code and the worker share: the request, the thread, the module's entry
 * table. Compiled into modules, so its layout is part of XFN_ABI. Must never know of engines or
 * processes.
 */
#ifndef XFN_REQUEST_H
#define XFN_REQUEST_H

#include "../../functions/xfn.h"

/* One request in native memory. The payload has `capacity` writable bytes, capacity >= room. */
struct xfn_req {
	uint8_t *payload;
	uint32_t len;	   /* payload bytes now */
	uint32_t room;	   /* largest len */
	uint32_t capacity; /* bytes behind payload that are ours */
	bool written;	   /* edited: checksum must be computed anew */
	bool resized;
	uint32_t refused; /* length of the last resize that was, 0 if none */
	struct xfn_address peer;
	struct xfn_address local;
#ifdef __clang_analyzer__
	void *lent[4]; /* the last pointers of xfn_at and xfn_edit */
#endif
};

/* A counter of the module. Each worker has a copy of the module's data, and so its own value. */
struct xfn_native_counter {
	const char *name;
	uint64_t *value; /* cell of this worker in its shared page; set at load, else `own` */
	uint64_t own;
};

/*
 * The running thread's clock and random source. The executable that loads modules defines the
 * variable xfn_thread and sets it in every thread that calls functions (userspace/call/call.c does
 * both).
 */
struct xfn_thread {
	uint64_t fixed_mono_ns; /* tests; 0: the real clock */
	uint64_t fixed_real_ns;
	uint32_t fixed_random;
	uint32_t zero;
	uint64_t random_state; /* never 0 */
};
extern __thread struct xfn_thread *xfn_thread __attribute__((tls_model("initial-exec")));

/* The module's native entry, exported as `xfn_module`. */
struct xfn_native_module {
	uint32_t api;
	uint32_t abi;
	const struct xfn_attributes *attr;
	int (*body)(struct xfn_req *req);
	int (*slow)(struct xfn_req *req);	    /* NULL: no slow half */
	int (*init)(void);			    /* NULL: nothing to set up */
	struct xfn_native_counter *const *counters; /* counters_end - counters of them */
	struct xfn_native_counter *const *counters_end;
};

#endif
