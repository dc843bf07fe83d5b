/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one parser: Ethernet frame -> offsets. The dispatcher, every function's program and the
 * workers include it, so all accept and refuse the same frames. Must never write to the frame, nor
 * know what a function is.
 *
 * There are two steps, because traffic that is not for a function must never be dropped by xfn:
 *	xfn_packet_parse	locates headers; every refusal leaves the frame to the host's stack
 *	xfn_packet_check	is strict, and runs only once the port is known to be a function's
 *
 * RFC 791, 8200, 768, 1122 (3.2.1.3); IEEE 802.1Q.
 */
#ifndef XFN_PACKET_H
#define XFN_PACKET_H

#ifndef __bpf__
#include <netinet/in.h>
#include <netinet/ip.h>
#include <linux/if_ether.h>
#endif
#include "abi.h"
#include "protocols.h"
#include "reason.h"

#define XFN_INLINE static inline __attribute__((always_inline, unused))

/* Offsets count from the frame's first byte; ports and lengths are in host order. */
struct xfn_packet {
	__u32 l3_off;
	__u32 l4_off;
	__u32 payload_off;
	__u32 payload_len;   /* set by xfn_packet_check */
	__u16 tag[XFN_TAGS]; /* VLAN ids outermost first, 0 is none */
	__u16 sport;
	__u16 dport;
	__u8 tags;
	__u8 version; /* 4 or 6 */
};

/*
 * Header fields may stand at addresses that are only even. Kernel programs load them in one piece
 * all the same; native code copies them, since the compiler may take a plain load to be aligned.
 */
#ifdef __bpf__
#define XFN_LOAD(type, p)     (*(const type *)(p))
#define XFN_STORE(type, p, v) (*(type *)(p) = (v))
#else
#define XFN_LOAD(type, p)                                                                          \
	({                                                                                         \
		type v_;                                                                           \
		__builtin_memcpy(&v_, (p), sizeof(v_));                                            \
		v_;                                                                                \
	})
#define XFN_STORE(type, p, v)                                                                      \
	({                                                                                         \
		type v_ = (v);                                                                     \
		__builtin_memcpy((p), &v_, sizeof(v_));                                            \
	})
#endif

XFN_INLINE __u16 xfn_load_be16(const void *p)
{
	return __builtin_bswap16(XFN_LOAD(__u16, p));
}

XFN_INLINE __u32 xfn_load_be32(const void *p)
{
	return __builtin_bswap32(XFN_LOAD(__u32, p));
}

/*
 * Fold a sum of 16-bit words in any byte order to 16 bits (RFC 1071). The sum is below 2^48, which
 * 65,535 words of 32 bits do not exceed.
 */
XFN_INLINE __u16 xfn_fold(__u64 sum)
{
	__u32 low = (__u32)sum, high = (__u32)(sum >> 32);
	__u32 folded = (low & 0xffff) + (low >> 16) + high; /* at most 3 * 0xffff */

	folded = (folded & 0xffff) + (folded >> 16); /* at most 0x10001 */
	folded = (folded & 0xffff) + (folded >> 16);
	return (__u16)folded;
}

/* Native frames may be short: no pointer is computed beyond the end. */
#ifdef __bpf__
#define XFN_SHORT(p, n) ((p) + (n) > e)
#else
#define XFN_SHORT(p, n) ((__u64)(e - (p)) < (n))
#endif

/*
 * Locate the headers of what nearly all requests are: untagged IPv4 without options, where all
 * offsets are constants. 0: the frame is something else, and *pkt is as it was; xfn_packet_parse
 * then judges it. For such a request xfn_packet_parse gives the same result.
 */
XFN_INLINE int xfn_packet_plain(const void *data, const void *end, struct xfn_packet *pkt)
{
	const __u8 *d = data;
	const __u8 *e = end;
	const __u8 *ip = d + XFN_ETH_LEN;

	if (XFN_SHORT(d, XFN_ETH_LEN + XFN_IPV4_LEN + XFN_UDP_LEN) ||
	    XFN_LOAD(__u16, d + 12) != __builtin_bswap16(ETH_P_IP) || ip[0] != XFN_IPV4_FIRST ||
	    ip[9] != IPPROTO_UDP || XFN_LOAD(__u16, ip + 6) & __builtin_bswap16(IP_MF | IP_OFFMASK))
		return 0;
	pkt->tags = 0;
	pkt->tag[0] = 0;
	pkt->tag[1] = 0;
	pkt->payload_len = 0;
	pkt->version = 4;
	pkt->l3_off = XFN_ETH_LEN;
	pkt->l4_off = XFN_ETH_LEN + XFN_IPV4_LEN;
	pkt->payload_off = XFN_ETH_LEN + XFN_IPV4_LEN + XFN_UDP_LEN;
	pkt->sport = xfn_load_be16(ip + XFN_IPV4_LEN);
	pkt->dport = xfn_load_be16(ip + XFN_IPV4_LEN + 2);
	return 1;
}

/*
 * Locate the headers. XFN_REASON_NONE, or why this is no plain UDP datagram: then it is the stack's.
 * Long: the verifier's bounds hold in the branch that checked them, and every offset is a constant there.
 */
XFN_INLINE enum xfn_reason xfn_packet_parse(const void *data, const void *end,
					    struct xfn_packet *pkt)
{
	const __u8 *d = data;
	const __u8 *e = end;
	const __u8 *ip;
	const __u8 *udp;
	__u16 proto;

	if (xfn_packet_plain(data, end, pkt))
		return XFN_REASON_NONE;
	pkt->tags = 0;
	pkt->tag[0] = 0;
	pkt->tag[1] = 0;
	pkt->payload_len = 0;
	if (XFN_SHORT(d, XFN_ETH_LEN))
		return XFN_REASON_NOT_IP;
	ip = d + XFN_ETH_LEN;
	proto = xfn_load_be16(d + 12);
	pkt->l3_off = XFN_ETH_LEN;
	if (proto == ETH_P_8021Q || proto == ETH_P_8021AD) {
		if (XFN_SHORT(d, XFN_ETH_LEN + XFN_TAG_LEN))
			return XFN_REASON_NOT_IP;
		pkt->tag[0] = xfn_load_be16(d + 14) & XFN_TAG_ID;
		proto = xfn_load_be16(d + 16);
		pkt->tags = 1;
		pkt->l3_off = XFN_ETH_LEN + XFN_TAG_LEN;
		ip = d + XFN_ETH_LEN + XFN_TAG_LEN;
		if (proto == ETH_P_8021Q || proto == ETH_P_8021AD) {
			if (XFN_SHORT(d, XFN_ETH_LEN + 2 * XFN_TAG_LEN))
				return XFN_REASON_NOT_IP;
			pkt->tag[1] = xfn_load_be16(d + 18) & XFN_TAG_ID;
			proto = xfn_load_be16(d + 20);
			pkt->tags = 2;
			pkt->l3_off = XFN_ETH_LEN + 2 * XFN_TAG_LEN;
			ip = d + XFN_ETH_LEN + 2 * XFN_TAG_LEN;
			if (proto == ETH_P_8021Q || proto == ETH_P_8021AD)
				return XFN_REASON_TAGS;
		}
	}

	if (proto == ETH_P_IP) {
		if (XFN_SHORT(ip, XFN_IPV4_LEN) || ip[0] >> 4 != 4 || (ip[0] & 0xf) < 5)
			return XFN_REASON_NOT_IP;
		if (ip[9] != IPPROTO_UDP)
			return XFN_REASON_NOT_UDP;
		if ((ip[0] & 0xf) != 5)
			return XFN_REASON_IP_OPTIONS;
		/* a fragment; the reserved bit and DF do not matter */
		if (xfn_load_be16(ip + 6) & (IP_MF | IP_OFFMASK))
			return XFN_REASON_FRAGMENT;
		pkt->version = 4;
		pkt->l4_off = pkt->l3_off + XFN_IPV4_LEN;
		udp = ip + XFN_IPV4_LEN;
	} else if (proto == ETH_P_IPV6) {
		if (XFN_SHORT(ip, XFN_IPV6_LEN) || ip[0] >> 4 != 6)
			return XFN_REASON_NOT_IP;
		if (ip[6] == IPPROTO_FRAGMENT)
			return XFN_REASON_FRAGMENT;
		if (ip[6] == IPPROTO_HOPOPTS || ip[6] == IPPROTO_ROUTING || ip[6] == IPPROTO_AH ||
		    ip[6] == IPPROTO_DSTOPTS || ip[6] == IPPROTO_MH)
			return XFN_REASON_EXT_HEADER;
		if (ip[6] != IPPROTO_UDP)
			return XFN_REASON_NOT_UDP;
		pkt->version = 6;
		pkt->l4_off = pkt->l3_off + XFN_IPV6_LEN;
		udp = ip + XFN_IPV6_LEN;
	} else {
		return XFN_REASON_NOT_IP;
	}
	if (XFN_SHORT(udp, XFN_UDP_LEN))
		return XFN_REASON_NOT_UDP;
	pkt->payload_off = pkt->l4_off + XFN_UDP_LEN;
	pkt->sport = xfn_load_be16(udp);
	pkt->dport = xfn_load_be16(udp + 2);
	return XFN_REASON_NONE;
}

/* The IPv4 part of xfn_packet_check. `ip` has its 28 bytes. */
XFN_INLINE enum xfn_reason xfn_packet_check4(const __u8 *ip, __u32 *ip_payload)
{
	__u32 src = xfn_load_be32(ip + 12);
	__u32 dst = xfn_load_be32(ip + 16);
	__u32 total = xfn_load_be16(ip + 2);
	__u64 sum = 0;

	sum += XFN_LOAD(__u32, ip);
	sum += XFN_LOAD(__u32, ip + 4);
	sum += XFN_LOAD(__u32, ip + 8);
	sum += XFN_LOAD(__u32, ip + 12);
	sum += XFN_LOAD(__u32, ip + 16);
	if (xfn_fold(sum) != 0xffff)
		return XFN_REASON_BAD_IP_SUM;
	if (total < XFN_IPV4_LEN + XFN_UDP_LEN)
		return XFN_REASON_BAD_IP;
	*ip_payload = total - XFN_IPV4_LEN;
	if (dst >> 28 >= 14)
		return XFN_REASON_MULTICAST;
	if (dst >> 24 == 0 || dst >> 24 == 127)
		return XFN_REASON_NOT_LOCAL;
	if (src >> 28 >= 14 || src >> 24 == 0 || src >> 24 == 127 || src == dst)
		return XFN_REASON_BAD_SOURCE;
	return XFN_REASON_NONE;
}

/* :: and ::1, and IPv4 addresses as IPv6 ones (::ffff:0:0/96): none may appear on a wire. */
XFN_INLINE int xfn_packet_odd6(__u64 hi, __u64 lo)
{
	return !hi &&
	       (!(lo & ~__builtin_bswap64(1)) || (lo & __builtin_bswap64(0xffffffff00000000)) ==
							 __builtin_bswap64(0x0000ffff00000000));
}

/* The IPv6 part. `ip` has its 48 bytes. */
XFN_INLINE enum xfn_reason xfn_packet_check6(const __u8 *ip, __u32 *ip_payload)
{
	__u64 src_hi = XFN_LOAD(__u64, ip + 8);
	__u64 src_lo = XFN_LOAD(__u64, ip + 16);
	__u64 dst_hi = XFN_LOAD(__u64, ip + 24);
	__u64 dst_lo = XFN_LOAD(__u64, ip + 32);

	*ip_payload = xfn_load_be16(ip + 4);
	if (*ip_payload < XFN_UDP_LEN)
		return XFN_REASON_BAD_IP;
	if (ip[24] == 0xff)
		return XFN_REASON_MULTICAST;
	if (xfn_packet_odd6(dst_hi, dst_lo))
		return XFN_REASON_NOT_LOCAL;
	if (ip[8] == 0xff || xfn_packet_odd6(src_hi, src_lo))
		return XFN_REASON_BAD_SOURCE;
	if (src_hi == dst_hi && src_lo == dst_lo)
		return XFN_REASON_BAD_SOURCE;
	if (!XFN_LOAD(__u16, ip + XFN_IPV6_LEN + 6))
		return XFN_REASON_NO_UDP_SUM;
	return XFN_REASON_NONE;
}

/*
 * Strict checks of a frame that xfn_packet_parse located; sets payload_len. Bytes after the
 * datagram are Ethernet padding and ignored. The UDP checksum is checksum.h's business.
 */
XFN_INLINE enum xfn_reason xfn_packet_check_at(const void *data, const void *end,
					       struct xfn_packet *pkt, __u32 l3_off, __u32 version)
{
	const __u8 *d = data;
	const __u8 *e = end;
	const __u8 *ip;
	const __u8 *udp;
	enum xfn_reason reason;
	__u32 ip_payload = 0;
	__u32 udp_len;

	if (XFN_SHORT(d, XFN_ETH_LEN))
		return XFN_REASON_TRUNCATED;
	if (d[0] & 1)
		return XFN_REASON_MULTICAST;
	/* The reply would go to a whole group (IEEE 802.3, 3.2.3). */
	if (d[6] & 1)
		return XFN_REASON_BAD_SOURCE;
	ip = d + l3_off;
	if (version == 4) {
		if (XFN_SHORT(ip, XFN_IPV4_LEN + XFN_UDP_LEN))
			return XFN_REASON_TRUNCATED;
		udp = ip + XFN_IPV4_LEN;
		reason = xfn_packet_check4(ip, &ip_payload);
	} else {
		if (XFN_SHORT(ip, XFN_IPV6_LEN + XFN_UDP_LEN))
			return XFN_REASON_TRUNCATED;
		udp = ip + XFN_IPV6_LEN;
		reason = xfn_packet_check6(ip, &ip_payload);
	}
	if (reason)
		return reason;
	if (ip_payload > (__u64)(e - udp))
		return XFN_REASON_TRUNCATED;
	udp_len = xfn_load_be16(udp + 4);
	if (udp_len != ip_payload)
		return XFN_REASON_BAD_UDP_LEN;
	if (!pkt->sport)
		return XFN_REASON_PORT_ZERO;
	pkt->payload_len = udp_len - XFN_UDP_LEN;
	return XFN_REASON_NONE;
}

XFN_INLINE enum xfn_reason xfn_packet_check(const void *data, const void *end,
					    struct xfn_packet *pkt)
{
	return xfn_packet_check_at(data, end, pkt, pkt->l3_off, pkt->version);
}

/*
 * What becomes of a frame that is for no function: it is left to the host, whatever is wrong with
 * it, unless it comes from an address of this host. The host's stack would take such a frame of
 * IPv6 for a local one.
 */
#define XFN_TURNED_AWAY(reason) ((reason) == XFN_REASON_BAD_SOURCE ? XDP_DROP : XDP_PASS)

/*
 * Both steps for a plain request with nothing wrong. Every condition leads to one exit, so the
 * compiler keeps no reason. 0: anything else, which the two functions above judge.
 */
XFN_INLINE int xfn_packet_plain_right(const void *data, const void *end, struct xfn_packet *pkt)
{
	return xfn_packet_plain(data, end, pkt) &&
	       !xfn_packet_check_at(data, end, pkt, XFN_ETH_LEN, 4);
}
#undef XFN_SHORT

/* The frame's destination as one number; `p` has eight bytes. */
XFN_INLINE __u64 xfn_packet_mac(const void *p)
{
	return XFN_LOAD(__u64, p) << 16; /* the source's first two bytes fall off */
}

/* The bit of a source address in xfn_runtime.own, as loaded from a frame; IPv4 in lo, hi 0. */
XFN_INLINE __u32 xfn_packet_own_bit(__u64 hi, __u64 lo)
{
	__u64 word = hi ^ lo;

	return ((__u32)word ^ (__u32)(word >> 32)) * 0x9e3779b1u >> (32 - XFN_OWN_BITS);
}

/* Source (which 0) or destination (1) as 16 bytes, IPv4 mapped. False: beyond the frame. */
XFN_INLINE int xfn_packet_address(const void *data, const void *end, const struct xfn_packet *pkt,
				  int which, __u8 ip[16])
{
	const __u8 *l3 = (const __u8 *)data + pkt->l3_off;
	__u32 word[4] = { 0, 0, __builtin_bswap32(0xffff), 0 };

	if (pkt->version == 4) {
		if (l3 + XFN_IPV4_LEN > (const __u8 *)end)
			return 0;
		word[3] = XFN_LOAD(__u32, l3 + 12 + 4 * which);
	} else {
		if (l3 + XFN_IPV6_LEN > (const __u8 *)end)
			return 0;
		word[0] = XFN_LOAD(__u32, l3 + 8 + 16 * which);
		word[1] = XFN_LOAD(__u32, l3 + 12 + 16 * which);
		word[2] = XFN_LOAD(__u32, l3 + 16 + 16 * which);
		word[3] = XFN_LOAD(__u32, l3 + 20 + 16 * which);
	}
	__builtin_memcpy(ip, word, 16);
	return 1;
}

#endif
