/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Guards that the runtime enforces, whatever the author wrote: who gets no answer, and how long an
 * answer may be. Pure decisions, the same in kernel programs and workers; must never touch a frame
 * or a map.
 */
#ifndef XFN_GUARD_H
#define XFN_GUARD_H

#include "../functions/xfn.h"
#include "packet.h"
#include "units.h"

/* Is `sport` in `list` (0 ends it)? An empty list means XFN_RESPONDERS. */
XFN_INLINE int xfn_guard_responder(const __u16 *list, unsigned max, __u16 sport)
{
	static const __u16 known[] = { XFN_RESPONDERS };
	unsigned i;

	if (!list[0]) {
#ifdef __bpf__
#pragma clang loop unroll(full)
#endif
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (sport == known[i])
				return 1;
		return 0;
	}
#ifdef __bpf__
#pragma clang loop unroll(full)
#endif
	for (i = 0; i < max; i++)
		if (list[i] && list[i] == sport)
			return 1;
	return 0;
}

/*
 * Largest reply payload for a request of `len` bytes: len + grow, but no more than the MTU (IP
 * bytes) and amplify times the request's IP bytes allow, and never below len. amplify 0 means
 * XFN_AMPLIFY_DEFAULT.
 */
XFN_INLINE __u32 xfn_guard_room(__u32 len, __u32 grow, __u32 amplify, __u32 mtu, __u32 version)
{
	__u32 head = (version == 4 ? XFN_IPV4_LEN : XFN_IPV6_LEN) + XFN_UDP_LEN;
	__u64 room = (__u64)len + grow;
	__u64 bound = mtu > head ? mtu - head : 0;

	if (room > bound)
		room = bound;
	bound = (__u64)(amplify ? amplify : XFN_AMPLIFY_DEFAULT) * (head + len) - head;
	if (room > bound)
		room = bound;
	return room < len ? len : (__u32)room;
}

/*
 * Why a reply of `n` bytes to a request of `len` was above xfn_guard_room: the function asked for
 * more than its .grow, or the reply exceeds its .amplify, or the MTU (or the frame's own end).
 */
XFN_INLINE enum xfn_reason xfn_guard_why(__u32 n, __u32 len, __u32 grow, __u32 amplify,
					 __u32 version)
{
	__u32 head = (version == 4 ? XFN_IPV4_LEN : XFN_IPV6_LEN) + XFN_UDP_LEN;

	if (n > (__u64)len + grow)
		return XFN_REASON_FUNCTION;
	if ((__u64)n + head > (__u64)(amplify ? amplify : XFN_AMPLIFY_DEFAULT) * (head + len))
		return XFN_REASON_AMPLIFY;
	return XFN_REASON_MTU;
}

#define XFN_RATE_BURST_MIN 16

/* The prefix that shares a bucket: /24 of IPv4, /48 of IPv6 (RFC 6177). `ip` is 16 bytes, IPv4
 * mapped. */
XFN_INLINE __u64 xfn_guard_prefix(const __u8 ip[16], __u32 version)
{
	if (version == 4)
		return (__u64)ip[12] << 16 | (__u64)ip[13] << 8 | ip[14];
	return 1ull << 63 | (__u64)ip[0] << 40 | (__u64)ip[1] << 32 | (__u64)ip[2] << 24 |
	       (__u64)ip[3] << 16 | (__u64)ip[4] << 8 | ip[5];
}

/*
 * A token bucket in one number (ITU-T I.371, virtual scheduling): `due` is when the next request
 * would be due at `rate` per second. False: the burst is used up, which is a tenth of a second's
 * requests and at least 16. Two CPUs that race on one prefix may let one request more through,
 * never fewer than the rate.
 */
XFN_INLINE int xfn_guard_rate(__u64 *due, __u64 now_ns, __u32 rate)
{
	__u64 step = (__u32)XFN_NSEC_PER_SEC / rate;
	__u64 burst = rate / 10 > XFN_RATE_BURST_MIN ? rate / 10 : XFN_RATE_BURST_MIN;
	__u64 at = *due;

	if (at < now_ns)
		at = now_ns;
	if (at - now_ns >= burst * step)
		return 0;
	*due = at + step;
	return 1;
}

#endif
