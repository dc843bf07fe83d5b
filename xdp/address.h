/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An address is 16 bytes in network order; an IPv4 address is mapped into IPv6 (::ffff:a.b.c.d, RFC
 * 4291, 2.5.5.2). Bytes at any alignment, which the libc's IN6_IS_ADDR_V4MAPPED does not take. Must
 * never include anything.
 */
#ifndef XFN_ADDRESS_H
#define XFN_ADDRESS_H

static inline __attribute__((unused)) int xfn_address__is_v4(const unsigned char ip[16])
{
	static const unsigned char mapped[12] = { [10] = 0xff, 0xff };

	return !__builtin_memcmp(ip, mapped, sizeof(mapped));
}

#endif
