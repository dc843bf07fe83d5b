/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* MODULE@ADDR:PORT and addresses as the command line has them. Must never print. */
#ifndef XFN_SPEC_H
#define XFN_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xfn_spec {
	const char *path; /* of the module or source */
	const char *addr; /* "": any served address */
	uint16_t port;	  /* 0: the function's default */
};

/*
 * "MODULE[@ADDR:PORT | @PORT]", cut in place: *out points into it. An '@' in the name of a file
 * that is there is the file's. NULL, or what is wrong with it and what to give.
 */
const char *xfn_spec__parse(char *spec, struct xfn_spec *out);

/* An IPv4 or IPv6 address; brackets of "[fd00::1]" are taken off into buf[len]. False: no address.
 */
bool xfn_spec__address(const char **text, char *buf, size_t len);

/* Why no host serves, or binds to, an address: what it is, and what to give. NULL: it may. */
const char *xfn_spec__not_served(const char *addr);
const char *xfn_spec__not_bound(const char *addr);

/* Is it a regular file? */
bool xfn_spec__is_file(const char *path);

#endif
