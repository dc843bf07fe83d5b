/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one parser: Ethernet frame -> offsets. The dispatcher, every function's program and the
 *workers include it, so all take and refuse the same frames. The including file brings the __uNN
 *types (vmlinux.h or <linux/types.h>). Must never write to the frame, nor know what a function is.
 *
 * Two steps, because traffic that is not for a function must never be dropped by us:
 *	xfn_packet_parse	locates; every refusal leaves the frame to the host's stack
 *	xfn_packet_check	strict; only after the port is known to be a function's
 *
 * RFC 791, 8200, 768, 1122 (3.2.1.3); IEEE 802.1Q.
 */
#ifndef XFN_PACKET_H
#define XFN_PACKET_H

#include "abi.h"
#include "reason.h"

#define XFN_INLINE static inline __attribute__((always_inline, unused))

#define XFN_ETH_LEN   14
#define XFN_TAG_LEN   4
#define XFN_IPV4_LEN  20
#define XFN_IPV6_LEN  40
#define XFN_UDP_LEN   8
#define XFN_PROTO_UDP 17

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
 * Header fields stand at even addresses only. Kernel programs may load them in one piece; native
 * code must say so to the compiler.
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
 * Sum of 16-bit words in any byte order -> 16 bits (RFC 1071). Below 2^48, which 65,535 words of 32
 * bits do not exceed.
 */
XFN_INLINE __u16 xfn_fold(__u64 sum)
{
	__u32 low = (__u32)sum, high = (__u32)(sum >> 32);
	__u32 folded = (low & 0xffff) + (low >> 16) + high; /* at most 3 * 0xffff */

	folded = (folded & 0xffff) + (folded >> 16); /* at most 0x10001 */
	folded = (folded & 0xffff) + (folded >> 16);
	return (__u16)folded;
}

/* No arithmetic beyond the end before it is known to fit: native frames may be short. */
#ifdef __bpf__
#define XFN_SHORT(p, n) ((p) + (n) > e)
#else
#define XFN_SHORT(p, n) ((__u64)(e - (p)) < (n))
#endif

/*
 * Locate what nearly all requests are: untagged IPv4 without options, all offsets constants. 0: not
 * such a one, pkt is as it was; the general code below says what it is, and the same of such a one.
 */
XFN_INLINE int xfn_packet_plain(const void *data, const void *end, struct xfn_packet *pkt)
{
	const __u8 *d = data;
	const __u8 *e = end;
	const __u8 *ip = d + XFN_ETH_LEN;

	if (XFN_SHORT(d, XFN_ETH_LEN + XFN_IPV4_LEN + XFN_UDP_LEN) ||
	    XFN_LOAD(__u16, d + 12) != __builtin_bswap16(0x0800) || ip[0] != 0x45 ||
	    ip[9] != XFN_PROTO_UDP || XFN_LOAD(__u16, ip + 6) & __builtin_bswap16(0x3fff))
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
 * Locate. XFN_REASON_NONE, or why this is not a plain UDP datagram: always a case for the stack.
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
	if (proto == 0x8100 || proto == 0x88a8) {
		if (XFN_SHORT(d, XFN_ETH_LEN + XFN_TAG_LEN))
			return XFN_REASON_NOT_IP;
		pkt->tag[0] = xfn_load_be16(d + 14) & 0xfff;
		proto = xfn_load_be16(d + 16);
		pkt->tags = 1;
		pkt->l3_off = XFN_ETH_LEN + XFN_TAG_LEN;
		ip = d + XFN_ETH_LEN + XFN_TAG_LEN;
		if (proto == 0x8100 || proto == 0x88a8) {
			if (XFN_SHORT(d, XFN_ETH_LEN + 2 * XFN_TAG_LEN))
				return XFN_REASON_NOT_IP;
			pkt->tag[1] = xfn_load_be16(d + 18) & 0xfff;
			proto = xfn_load_be16(d + 20);
			pkt->tags = 2;
			pkt->l3_off = XFN_ETH_LEN + 2 * XFN_TAG_LEN;
			ip = d + XFN_ETH_LEN + 2 * XFN_TAG_LEN;
			if (proto == 0x8100 || proto == 0x88a8)
				return XFN_REASON_TAGS;
		}
	}

	if (proto == 0x0800) {
		if (XFN_SHORT(ip, XFN_IPV4_LEN) || ip[0] >> 4 != 4 || (ip[0] & 0xf) < 5)
			return XFN_REASON_NOT_IP;
		if (ip[9] != XFN_PROTO_UDP)
			return XFN_REASON_NOT_UDP;
		if ((ip[0] & 0xf) != 5)
			return XFN_REASON_IP_OPTIONS;
		/* More fragments, or an offset; the reserved bit and DF do not matter. */
		if (xfn_load_be16(ip + 6) & 0x3fff)
			return XFN_REASON_FRAGMENT;
		pkt->version = 4;
		pkt->l4_off = pkt->l3_off + XFN_IPV4_LEN;
		udp = ip + XFN_IPV4_LEN;
	} else if (proto == 0x86dd) {
		if (XFN_SHORT(ip, XFN_IPV6_LEN) || ip[0] >> 4 != 6)
			return XFN_REASON_NOT_IP;
		if (ip[6] == 44)
			return XFN_REASON_FRAGMENT;
		if (ip[6] == 0 || ip[6] == 43 || ip[6] == 51 || ip[6] == 60 || ip[6] == 135)
			return XFN_REASON_EXT_HEADER;
		if (ip[6] != XFN_PROTO_UDP)
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

/* :: and ::1, and IPv4 addresses as IPv6 ones (::ffff:0:0/96): not to be seen on a wire. */
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
 * What becomes of a frame that is for no function: it is the host's, whatever is wrong with it, but
 * for one from an address of this host's own. The host's stack would take that of IPv6 for local.
 */
#define XFN_TURNED_AWAY(reason) ((reason) == XFN_REASON_BAD_SOURCE ? XDP_DROP : XDP_PASS)

/*
 * Both for a plain request with nothing wrong: every condition leads to one exit, so the compiler
 * keeps no account of why. 0: anything else, for the two functions above to say what.
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
