/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The module: what `xfn build` makes of one function source. An ELF shared object NAME.xfn with
 *
 *	.xfn.attr	struct xfn_attributes, as compiled from XFN_FUNCTION (native half)
 *	.xfn.meta	struct xfn_module_meta: verdict, versions, figures
 *	.xfn.bpf	the BPF object, whole; absent where the function cannot run in the kernel
 *	(dynsym)	xfn_module, the native entry table (userspace/call/request.h)
 *
 * A module is read once, into a sealed copy in memory. Everything that loads the module uses this
 * copy, so that a later change of the file, or its removal, changes nothing. libelf finds the
 * sections in a confined process of its own, and no code of the module is run. The metadata has a
 * hash of each part, which is checked before anything else reads that part: a damaged module, or
 * one put together from two builds, is refused in words. The hashes guard against damage, not
 * against forgery: a forger writes the hashes as well. Must never know of libbpf.
 */
#ifndef XFN_MODULE_H
#define XFN_MODULE_H

#include <stddef.h>
#include <stdint.h>
#include "error.h"
#include "../functions/xfn.h"

#define XFN_MODULE_MAGIC   0x6d6e6678u /* "xfnm" */
#define XFN_MODULE_VERSION 3
#define XFN_MODULE_MAX	   (256u << 20) /* bytes of a module */
#define XFN_HASH_LEN	   32		/* SHA-256 */

#define XFN_SECTION_ATTR "xfn.attr"
#define XFN_SECTION_META "xfn.meta"
#define XFN_SECTION_BPF	 "xfn.bpf"

/* The cost of a request of `payload` bytes, headers and checksums included. 0 ns: not measured. */
struct xfn_module_cost {
	uint32_t payload;
	uint32_t kernel_ns; /* the function's program, by BPF_PROG_TEST_RUN */
	uint32_t native_ns; /* the worker's call path, without its engine */
	uint32_t action;    /* enum xfn_action that the function returned for it */
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
	char kernel[96]; /* release (uname) of the kernel that judged */
	char arch[16];
	char compiler[96];
	char source_hash[65]; /* SHA-256 of the source, hex */
	char pad[3];
	/* SHA-256 of what the dynamic linker maps and reads of the file (xfn_module__hash_native),
	 * of section .xfn.attr, and of section .xfn.bpf (zeroes where there is none) */
	uint8_t native_hash[XFN_HASH_LEN], attr_hash[XFN_HASH_LEN], kernel_hash[XFN_HASH_LEN];
	uint8_t meta_hash[XFN_HASH_LEN]; /* of all before it in this struct; last */
};

/* An open module. Owns its memory; strings stay valid until xfn_module__close. */
struct xfn_module {
	char *path;
	int fd; /* the sealed copy, close-on-exec; handed to workers */
	struct xfn_attributes attr;
	struct xfn_module_meta meta;
	void *bpf; /* BPF object bytes, NULL if none */
	size_t bpf_len;
};

/*
 * Open and check the module at `path`. On failure returns NULL and writes one line that names the
 * file and the next step to err. The caller closes the module.
 */
struct xfn_module *xfn_module__open(const char *path, struct xfn_error *err);
void xfn_module__close(struct xfn_module *mod);

/*
 * For the writer: the hash of the native half of the shared object in `fd`. A module made of that
 * object has the same hash: sections that are not loaded, and their table, are left out. 0 or
 * -errno.
 */
int xfn_module__hash_native(int fd, uint8_t hash[XFN_HASH_LEN]);
/* Fill meta's own hash; nothing in *meta may change afterwards. 0 or -errno. */
int xfn_module__hash_meta(struct xfn_module_meta *meta);
/* The hash of bytes. 0 or -errno. */
int xfn_module__hash(const void *bytes, size_t len, uint8_t hash[XFN_HASH_LEN]);

/* "xdp", "afxdp", "socket", "auto". */
const char *xfn_tier_name(int tier);

#endif
