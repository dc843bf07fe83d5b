/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Guards that the runtime enforces, not the author: who gets no answer, how long an answer may be.
 * Pure decisions, the same in kernel programs and workers; must never touch a frame or a map.
 */
#ifndef XFN_GUARD_H
#define XFN_GUARD_H

#include "packet.h"

/* Is `sport` one of `list` (0 ends it)? An empty list means the well-known services that answer
 * anything. */
XFN_INLINE int xfn_guard_responder(const __u16 *list, unsigned max, __u16 sport)
{
	unsigned i;

	if (!list[0])
		return sport == 7 || sport == 13 || sport == 17 || sport == 19 || sport == 37 ||
		       sport == 69 || sport == 1900 || sport == 5353 || sport == 11211;
#ifdef __bpf__
#pragma clang loop unroll(full)
#endif
	for (i = 0; i < max; i++)
		if (list[i] && list[i] == sport)
			return 1;
	return 0;
}

/*
 * Largest reply payload for a request of `len` bytes: len + grow, within the MTU (IP bytes) and
 * within amplify times the request's IP bytes; never below len. amplify 0 means 3.
 */
XFN_INLINE __u32 xfn_guard_room(__u32 len, __u32 grow, __u32 amplify, __u32 mtu, __u32 version)
{
	__u32 head = (version == 4 ? XFN_IPV4_LEN : XFN_IPV6_LEN) + XFN_UDP_LEN;
	__u64 room = (__u64)len + grow;
	__u64 bound = mtu > head ? mtu - head : 0;

	if (room > bound)
		room = bound;
	bound = (__u64)(amplify ? amplify : 3) * (head + len) - head;
	if (room > bound)
		room = bound;
	return room < len ? len : (__u32)room;
}

#endif
