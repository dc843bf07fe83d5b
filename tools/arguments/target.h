/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* HOST:PORT as people write it. Must never send anything. */
#ifndef XFN_TARGET_H
#define XFN_TARGET_H

#include <netdb.h>
#include "../../skel/error.h"

/*
 * Addresses of "192.0.2.1:7", "[2001:db8::1]:7" or "name:service" for UDP, of `family` (AF_UNSPEC:
 * any), in the resolver's order. 0, and the caller frees with freeaddrinfo; or with one line in err
 * -EINVAL: the text is none, -EHOSTUNREACH: it does not resolve.
 */
int xfn_target__resolve(const char *text, int family, struct addrinfo **out, struct xfn_error *err);

#endif
