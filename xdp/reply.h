/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Turns a request's headers into its reply's: swaps MACs, addresses and ports, and keeps tags. TTL,
 * lengths and IPv4's header checksum are new, DF is set, id is 0, ECN is cleared. The request's
 * headers are read from `from`, which may be the same place. Must never touch the payload.
 */
#ifndef XFN_REPLY_H
#define XFN_REPLY_H

#include "packet.h"

#define XFN_REPLY_TTL 64 /* RFC 1700's default, as Linux sends */

XFN_INLINE void xfn_reply_mac(__u8 *d, const __u8 *from)
{
	__u32 dst_a = XFN_LOAD(__u32, from);
	__u16 dst_b = XFN_LOAD(__u16, from + 4);
	__u16 src_a = XFN_LOAD(__u16, from + 6);
	__u32 src_b = XFN_LOAD(__u32, from + 8);

	XFN_STORE(__u16, d, src_a);
	XFN_STORE(__u32, d + 2, src_b);
	XFN_STORE(__u32, d + 6, dst_a);
	XFN_STORE(__u16, d + 10, dst_b);
}

/*
 * Headers are put together in registers and stored in whole words: a load of a word that was just
 * stored in smaller pieces waits until those have reached the cache.
 */
XFN_INLINE void xfn_reply_udp(__u8 *udp, const __u8 *from, __u32 udp_len, __u16 field)
{
	__u32 ports = XFN_LOAD(__u32, from);

	XFN_STORE(__u32, udp, ports << 16 | ports >> 16);
	XFN_STORE(__u32, udp + 4, (__u32)field << 16 | __builtin_bswap16((__u16)udp_len));
}

XFN_INLINE void xfn_reply_ipv4(__u8 *ip, const __u8 *from, __u32 udp_len)
{
	__u32 first = __builtin_bswap32(XFN_LOAD(__u32, from)); /* version, DSCP and ECN, length */
	__u32 third = __builtin_bswap32(XFN_LOAD(__u32, from + 8)); /* TTL, protocol, checksum */
	__u32 second = __builtin_bswap32(IP_DF);		    /* id, DF */
	__u32 src = XFN_LOAD(__u32, from + 12);
	__u32 dst = XFN_LOAD(__u32, from + 16);
	__u32 field;

	first = __builtin_bswap32((first & 0xfffc0000) | (XFN_IPV4_LEN + udp_len));
	third = __builtin_bswap32(XFN_REPLY_TTL << 24 | (third & 0x00ff0000));
	field = (__u16)~xfn_fold((__u64)first + second + third + src + dst);
	XFN_STORE(__u32, ip, first);
	XFN_STORE(__u32, ip + 4, second);
	XFN_STORE(__u32, ip + 8, third | field << 16);
	XFN_STORE(__u32, ip + 12, dst);
	XFN_STORE(__u32, ip + 16, src);
}

XFN_INLINE void xfn_reply_ipv6(__u8 *ip, const __u8 *from, __u32 udp_len)
{
	__u64 src_hi = XFN_LOAD(__u64, from + 8);
	__u64 src_lo = XFN_LOAD(__u64, from + 16);

	ip[1] = from[1] & 0xcf;
	XFN_STORE(__u16, ip + 4, __builtin_bswap16((__u16)udp_len));
	ip[7] = XFN_REPLY_TTL;
	XFN_STORE(__u64, ip + 8, XFN_LOAD(__u64, from + 24));
	XFN_STORE(__u64, ip + 16, XFN_LOAD(__u64, from + 32));
	XFN_STORE(__u64, ip + 24, src_hi);
	XFN_STORE(__u64, ip + 32, src_lo);
}

/*
 * Rewrite the headers, whose place and version `pkt` has, for a payload of `len` bytes with `field` as
 * UDP checksum (wire order). 0: the frame is too short for its headers.
 */
XFN_INLINE int xfn_reply_headers_from(void *data, void *end, const void *from,
				      const struct xfn_packet *pkt, __u32 len, __u16 field)
{
	const __u8 *f = from;
	__u8 *d = data;
	__u8 *ip = d + pkt->l3_off;
	const __u8 *ip_from = from == data ? ip : f + pkt->l3_off;

	if (d + XFN_ETH_LEN > (__u8 *)end)
		return 0;
	if (pkt->version == 4) {
		if (ip + XFN_IPV4_LEN + XFN_UDP_LEN > (__u8 *)end)
			return 0;
		xfn_reply_ipv4(ip, ip_from, len + XFN_UDP_LEN);
		xfn_reply_udp(ip + XFN_IPV4_LEN, ip_from + XFN_IPV4_LEN, len + XFN_UDP_LEN, field);
	} else {
		if (ip + XFN_IPV6_LEN + XFN_UDP_LEN > (__u8 *)end)
			return 0;
		xfn_reply_ipv6(ip, ip_from, len + XFN_UDP_LEN);
		xfn_reply_udp(ip + XFN_IPV6_LEN, ip_from + XFN_IPV6_LEN, len + XFN_UDP_LEN, field);
	}
	xfn_reply_mac(d, f);
	return 1;
}

/* The same in place, for a frame whose headers nothing but the kernel could have changed. */
XFN_INLINE int xfn_reply_headers(void *data, void *end, __u32 l3_off, __u32 version, __u32 len,
				 __u16 field)
{
	const struct xfn_packet pkt = { .l3_off = l3_off, .version = version };

	return xfn_reply_headers_from(data, end, data, &pkt, len, field);
}

#endif
