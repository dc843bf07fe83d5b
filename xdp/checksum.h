/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Internet checksums (RFC 1071) of UDP over IPv4 and IPv6: verify a request's, make a reply's. Must
 * never change a frame.
 *
 * A frame of a local stack (veth, virtio) may have CHECKSUM_PARTIAL: the checksum field then holds
 * the folded, uncomplemented sum of the pseudo-header, and nothing of the payload.
 */
#ifndef XFN_CHECKSUM_H
#define XFN_CHECKSUM_H

#include "packet.h"

XFN_INLINE __u64 xfn_sum64(__u64 word)
{
	return (word & 0xffffffff) + (word >> 32);
}

#ifdef __bpf__
/*
 * Data and end of the frame. They are read from the context each time and are opaque to the
 * compiler: else its optimizations turn the bound checks into forms that the verifier does not
 * follow.
 */
#define XFN_DATA(ctx)                                                                              \
	({                                                                                         \
		void *d_;                                                                          \
		asm volatile("%0 = *(u32 *)(%1 + 0)" : "=r"(d_) : "r"(ctx));                       \
		d_;                                                                                \
	})
#define XFN_DATA_END(ctx)                                                                          \
	({                                                                                         \
		void *e_;                                                                          \
		asm volatile("%0 = *(u32 *)(%1 + 4)" : "=r"(e_) : "r"(ctx));                       \
		e_;                                                                                \
	})

/* The length is a plain number to the compiler, which else does 32-bit arithmetic on pointers. */
XFN_INLINE __s64 xfn_frame_len(struct xdp_md *ctx)
{
	__s64 len = XFN_DATA_END(ctx) - XFN_DATA(ctx);

	asm volatile("" : "+r"(len));
	return len;
}

#define XFN_OFFSET_MAX 4095 /* no linear frame is longer; bounds every variable offset */

/*
 * `n` bytes (constant) at `off` of the frame, or NULL. The compiler is told that the pointer is
 * aligned: else a memcpy becomes loads byte by byte. Kernel programs may access unaligned words
 * where xfn runs (x86-64, arm64).
 */
XFN_INLINE void *xfn_frame_at(struct xdp_md *ctx, __u64 off, __u64 n)
{
	void *p, *end;

	asm volatile("" : "+r"(off));
	if (off > XFN_OFFSET_MAX)
		return (void *)0;
	p = XFN_DATA(ctx);
	end = XFN_DATA_END(ctx);
	p += off;
	asm volatile("" : "+r"(p));
	if (p + n > end)
		return (void *)0;
	return __builtin_assume_aligned(p, 8);
}

/*
 * Sum of `len` bytes at `off`. The offset of each piece is a mask of `len`, not a running sum: so
 * the verifier sees the same unknown offset on both sides of each branch, and does not walk every
 * combination of pieces.
 */
XFN_INLINE __u64 xfn_sum_payload(struct xdp_md *ctx, __u32 off, __u32 len)
{
	__u64 sum = 0;
	__u64 i;
	__u8 *p;

	for (i = 0; i < XFN_FRAME_MAX / 512; i++) {
		if ((i + 1) * 512 > len)
			break;
		p = xfn_frame_at(ctx, off + i * 512, 512);
		if (!p)
			break;
		sum += (__u32)bpf_csum_diff((void *)0, 0, (void *)p, 512, 0);
	}
#define XFN_PIECE(size, code)                                                                      \
	if (len & (size)) {                                                                        \
		p = xfn_frame_at(ctx, (__u64)off + (len & ~(2u * (size)-1)), size);                \
		if (p) {                                                                           \
			code;                                                                      \
		}                                                                                  \
	}
	XFN_PIECE(256, sum += (__u32)bpf_csum_diff((void *)0, 0, (void *)p, 256, 0))
	XFN_PIECE(128, sum += (__u32)bpf_csum_diff((void *)0, 0, (void *)p, 128, 0))
	XFN_PIECE(64, sum += (__u32)bpf_csum_diff((void *)0, 0, (void *)p, 64, 0))
	XFN_PIECE(32, sum += xfn_sum64(*(__u64 *)p) + xfn_sum64(*(__u64 *)(p + 8)) +
			     xfn_sum64(*(__u64 *)(p + 16)) + xfn_sum64(*(__u64 *)(p + 24)))
	XFN_PIECE(16, sum += xfn_sum64(*(__u64 *)p) + xfn_sum64(*(__u64 *)(p + 8)))
	XFN_PIECE(8, sum += xfn_sum64(*(__u64 *)p))
	XFN_PIECE(4, sum += *(__u32 *)p)
	XFN_PIECE(2, sum += *(__u16 *)p)
	XFN_PIECE(1, sum += *p)
#undef XFN_PIECE
	return sum;
}
#else
/* Two words summed at a time take half the time per byte, for all but short payloads. */
typedef __u64 xfn_words __attribute__((vector_size(16)));

XFN_INLINE xfn_words xfn_sum_words(const __u8 *p)
{
	xfn_words words = XFN_LOAD(xfn_words, p);

	return (words & 0xffffffff) + (words >> 32);
}

XFN_INLINE __u64 xfn_sum_payload(const void *data, __u32 len)
{
	const __u8 *p = data;
	__u64 sum = 0;

	if (len >= 128) {
		xfn_words a = {}, b = {};

		for (; len >= 32; len -= 32, p += 32) {
			a += xfn_sum_words(p);
			b += xfn_sum_words(p + 16);
		}
		a += b;
		sum = a[0] + a[1];
	}
	for (; len >= 8; len -= 8, p += 8)
		sum += xfn_sum64(XFN_LOAD(__u64, p));
	if (len & 4) {
		sum += XFN_LOAD(__u32, p);
		p += 4;
	}
	if (len & 2) {
		sum += XFN_LOAD(__u16, p);
		p += 2;
	}
	if (len & 1)
		sum += *p;
	return sum;
}
#endif

/* Sum of the pseudo-header; `l3` is a whole IP header. The addresses' order does not matter. */
XFN_INLINE __u64 xfn_sum_pseudo(const void *l3, __u32 version, __u32 udp_len)
{
	const __u8 *ip = l3;
	__u64 sum = (__u64)__builtin_bswap16((__u16)udp_len) + __builtin_bswap16(IPPROTO_UDP);

	if (version == 4)
		return sum + XFN_LOAD(__u32, ip + 12) + XFN_LOAD(__u32, ip + 16);
	return sum + xfn_sum64(XFN_LOAD(__u64, ip + 8)) + xfn_sum64(XFN_LOAD(__u64, ip + 16)) +
	       xfn_sum64(XFN_LOAD(__u64, ip + 24)) + xfn_sum64(XFN_LOAD(__u64, ip + 32));
}

/* The reply's field from pseudo-header, ports, length and payload; never 0, which means "none". */
XFN_INLINE __u16 xfn_sum_field(__u64 pseudo, __u32 ports, __u32 udp_len, __u64 payload)
{
	__u16 sum = (__u16)~xfn_fold(pseudo + ports + __builtin_bswap16((__u16)udp_len) + payload);

	return sum ? sum : 0xffff;
}

/* What the request's checksum field is. */
enum xfn_sum_kind {
	XFN_SUM_NONE,	 /* 0: the sender computed none (IPv4 only) */
	XFN_SUM_PARTIAL, /* the pseudo-header's sum, which is right on this link */
	XFN_SUM_FULL,	 /* to be verified, unless trusted */
};

/* Does the field hold the pseudo-header's sum only? One in 65536 full sums looks the same. */
XFN_INLINE int xfn_sum_unfinished(__u16 field, __u64 pseudo)
{
	return field && field == xfn_fold(pseudo);
}

XFN_INLINE enum xfn_sum_kind xfn_sum_kind(__u16 field, __u64 pseudo, __u32 flags)
{
	if (!field)
		return XFN_SUM_NONE;
	if ((flags & XFN_LOCAL_PEER) && xfn_sum_unfinished(field, pseudo))
		return XFN_SUM_PARTIAL;
	return XFN_SUM_FULL;
}

/* Is a full field right? */
XFN_INLINE int xfn_sum_right(__u16 field, __u64 pseudo, __u32 ports, __u32 udp_len, __u64 payload)
{
	return xfn_fold(pseudo + ports + __builtin_bswap16((__u16)udp_len) + field + payload) ==
	       0xffff;
}

#endif
