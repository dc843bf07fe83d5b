/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses of xdp/address.h: what user space asks of them, and their text. */
#ifndef XFN_IP_H
#define XFN_IP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "../../xdp/address.h"

static inline bool xfn_ip__is_loopback(const uint8_t ip[16])
{
	struct in6_addr in6; /* aligned for words */

	memcpy(&in6, ip, sizeof(in6));
	return xfn_address__is_v4(ip) ? ip[12] == IN_LOOPBACKNET : IN6_IS_ADDR_LOOPBACK(&in6);
}

/* Parse "10.0.0.1", "fd00::1" or "[fd00::1]". 0 or -EINVAL, and ip is undefined. */
int xfn_ip__parse(const char *text, uint8_t ip[16]);

/* "10.0.0.1", "fd00::1". Returns text. */
const char *xfn_ip__text(const uint8_t ip[16], char text[INET6_ADDRSTRLEN]);

#endif
