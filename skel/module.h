/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The module: what `xfn build` makes of one function source. An ELF shared object NAME.xfn with
 *
 *	.xfn.attr	struct xfn_attributes, as compiled from XFN_FUNCTION (native half)
 *	.xfn.meta	struct xfn_module_meta: verdict, versions, figures
 *	.xfn.bpf	the BPF object, whole; absent where the function cannot run in the kernel
 *	(dynsym)	xfn_module, the native entry table (userspace/request.h)
 *
 * Read with libelf only: opening a module runs nothing of it. Must never know of libbpf.
 */
#ifndef XFN_MODULE_H
#define XFN_MODULE_H

#include <stddef.h>
#include <stdint.h>
#include "../functions/xfn.h"

#define XFN_MODULE_MAGIC   0x6d6e6678u /* "xfnm" */
#define XFN_MODULE_VERSION 2

#define XFN_SECTION_ATTR "xfn.attr"
#define XFN_SECTION_META "xfn.meta"
#define XFN_SECTION_BPF	 "xfn.bpf"

/* What a request of `payload` bytes costs, headers and checksums included. 0 ns: not measured. */
struct xfn_module_cost {
	uint32_t payload;
	uint32_t kernel_ns; /* the function's program, by BPF_PROG_TEST_RUN */
	uint32_t native_ns; /* the worker's call path, without its engine */
	uint32_t action;    /* enum xfn_action that the function took on it */
};
#define XFN_COSTS 3

/* Fixed layout, host byte order; strings end with 0. A reader refuses another magic, version or
 * size. */
struct xfn_module_meta {
	uint32_t magic;
	uint32_t version;
	uint32_t api;	  /* XFN_API at build time */
	uint32_t abi;	  /* XFN_ABI at build time */
	uint8_t tier;	  /* the verdict, enum xfn_tier; SOCKET where .tier asks for it */
	uint8_t verified; /* 1: this build loaded it into a verifier; 0: "not verified here" */
	uint16_t zero;
	uint32_t line;		 /* of the first obstacle in `file`, 0 if none */
	uint32_t insns;		 /* BPF instructions after loading (0: no kernel half) */
	uint32_t verified_insns; /* instructions the verifier processed */
	uint32_t stack_bytes;
	uint32_t ns_per_request; /* in the kernel, the worst of `cost`; 0: not measured */
	struct xfn_module_cost cost[XFN_COSTS];
	char cost_note[96]; /* why the native code was not measured; "" if it was */
	char rule[32];	    /* identifier of skel/rules.h, "" if no obstacle */
	char reason[384];   /* a sentence */
	char remedy[256];
	char file[256];	 /* source, as named on the command line */
	char kernel[96]; /* uname release that judged */
	char arch[16];
	char compiler[96];
	char source_hash[65]; /* SHA-256 of the source, hex */
	char pad[3];
};

/* An open module. Owns its memory; strings stay valid until xfn_module__close. */
struct xfn_module {
	char *path;
	int fd; /* open for reading, close-on-exec; handed to workers */
	struct xfn_attributes attr;
	struct xfn_module_meta meta;
	void *bpf; /* BPF object bytes, NULL if none */
	size_t bpf_len;
};

/*
 * Open and check the module at `path`. On failure returns NULL and writes one line that names the
 * file and the next step to err[errlen]. The caller closes the module.
 */
struct xfn_module *xfn_module__open(const char *path, char *err, size_t errlen);
void xfn_module__close(struct xfn_module *mod);

/* "xdp", "afxdp", "socket", "auto". */
const char *xfn_tier_name(int tier);
/* The tier of that name, or -1. */
int xfn_tier_parse(const char *name);

#endif
