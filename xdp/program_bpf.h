/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The XDP program around a function: admits a request, secures room, looks the route back up, calls
 * the body, and does what the returned action says. function_bpf.h includes it, and has the state
 * and the calls of xfn.h. Must never know what the body does.
 */
#ifndef XFN_PROGRAM_BPF_H
#define XFN_PROGRAM_BPF_H

/* Move the frame `grow` bytes towards its headroom, which leaves as much room behind it. 0, or -1:
 * the frame is as it was. */
XFN_INLINE int xfn_move_up(struct xfn_req *req, int grow)
{
#if XFN_MOVES
	struct xfn_move_buffer *buf;
	__u64 bytes = (__u64)req->pkt.payload_off + req->len;
	__u32 zero = 0;

	buf = bpf_map_lookup_elem(&xfn_move, &zero);
	if (!buf)
		return -1;
	if (bytes > XFN_OFFSET_MAX)
		return -1;
	/* in one asm: before 6.8 the verifier forgets the bound of a number spilled to the stack */
	asm volatile("%0 += -1\n\t%0 &= %1\n\t%0 += 1" : "+r"(bytes) : "i"(XFN_OFFSET_MAX));
	if (bpf_xdp_load_bytes(req->ctx, 0, buf->frame, bytes))
		return -1;
	if (bpf_xdp_adjust_head(req->ctx, -grow))
		return -1;
	if (bpf_xdp_store_bytes(req->ctx, 0, buf->frame, bytes))
		return -1;
	return bpf_xdp_adjust_tail(req->ctx, -grow) ? -1 : 0;
#else
	(void)req;
	(void)grow;
	return -1;
#endif
}

/*
 * Secure room before the body runs, so that the body can rely on xfn_room. Growing the tail and
 * taking the growth back proves the tailroom; without tailroom the frame is moved towards its
 * headroom. 0: secured. Else the frame is as it came, without its padding.
 */
XFN_INLINE int xfn_secure(struct xfn_req *req)
{
	int grow = (int)(req->room - req->len);

	/* take the padding off first: bytes that growth adds must be zero */
	if (xfn_frame_end(req, req->len))
		return -1;
	if (grow <= 0)
		return 0;
	/* a buffer may have more room than the longest frame whose bytes are edited and summed */
	if (xfn_settings.large &&
	    req->pkt.payload_off + req->room > XFN_FRAME_MAX + XFN_TAGS * XFN_TAG_LEN)
		return -1;
	if (!bpf_xdp_adjust_tail(req->ctx, grow))
		return bpf_xdp_adjust_tail(req->ctx, -grow) ? -1 : 0;

	return xfn_move_up(req, grow);
}

/*
 * The IP header at `l3_off` with the UDP header behind it, or NULL. Offset and version may be
 * constants, which makes shorter code.
 */
XFN_INLINE __u8 *xfn_l3_at(struct xfn_req *req, __u32 l3_off, __u32 version)
{
	__u8 *l3 = XFN_DATA(req->ctx), *end = XFN_DATA_END(req->ctx);

	l3 += l3_off;
	if (l3 + (version == 4 ? XFN_IPV4_LEN : XFN_IPV6_LEN) + XFN_UDP_LEN > end)
		return NULL;
	return l3;
}

/* The reply's checksum field, from its whole payload. 0: the frame is too short for its headers. */
XFN_INLINE __u16 xfn_reply_sum(struct xfn_req *req, __u32 l3_off, __u32 version)
{
	__u64 payload = xfn_sum_payload(req->ctx, req->pkt.payload_off, req->len);
	__u8 *l3 = xfn_l3_at(req, l3_off, version);
	__u32 udp_len = req->len + XFN_UDP_LEN;

	if (!l3)
		return 0;
	return xfn_sum_field(xfn_sum_pseudo(l3, version, udp_len),
			     *(__u32 *)(l3 + (version == 4 ? XFN_IPV4_LEN : XFN_IPV6_LEN)), udp_len,
			     payload);
}

/* Write headers, checksum and length of the reply. `keep` is the request's checksum field where
 * that stays right, or 0. */
XFN_INLINE int xfn_send(struct xfn_req *req, __u16 keep)
{
	__u16 field = keep;
	int sent;

	if ((!XFN_KEEP_PADDING || req->resized) &&
	    xfn_frame_len(req->ctx) != (__s64)req->pkt.payload_off + req->len &&
	    xfn_frame_end(req, req->len))
		return 0;
	if (!field || req->written || req->resized) {
		field = req->pkt.version == 4 ? xfn_reply_sum(req, req->pkt.l3_off, 4) :
						xfn_reply_sum(req, req->pkt.l3_off, 6);
		if (!field)
			return 0;
	}
	if (req->pkt.version == 4 && req->pkt.l3_off == XFN_ETH_LEN)
		sent = xfn_reply_headers(XFN_DATA(req->ctx), XFN_DATA_END(req->ctx), XFN_ETH_LEN, 4,
					 req->len, field);
	else
		sent = xfn_reply_headers(XFN_DATA(req->ctx), XFN_DATA_END(req->ctx),
					 req->pkt.l3_off, req->pkt.version, req->len, field);
	if (sent && req->routed) {
		__u8 *eth = xfn_frame_at(req->ctx, 0, XFN_ETH_LEN);

		if (!eth)
			return 0;
		__builtin_memcpy(eth, req->mac, sizeof(req->mac));
	}
	return sent;
}

/*
 * Look up the route back by this interface as the kernel would choose it. This is done before the
 * function runs: without a route the request goes to the stack as it came. The route of a tagged
 * frame is its VLAN device's, so its MACs are only swapped.
 */
XFN_INLINE int xfn_route(struct xfn_req *req)
{
	struct bpf_fib_lookup fib = { .ifindex = req->ctx->ingress_ifindex,
				      .l4_protocol = IPPROTO_UDP };
	struct xfn_address peer, local;

	if (req->pkt.tags)
		return 1;
	xfn_end_of(req, 0, &peer);
	xfn_end_of(req, 1, &local);
	if (req->pkt.version == 4) {
		fib.family = AF_INET;
		__builtin_memcpy(&fib.src[0], local.ip + 12, 4);
		__builtin_memcpy(&fib.dst[0], peer.ip + 12, 4);
	} else {
		fib.family = AF_INET6;
		__builtin_memcpy(fib.src, local.ip, 16);
		__builtin_memcpy(fib.dst, peer.ip, 16);
	}
	if (bpf_fib_lookup(req->ctx, &fib, sizeof(fib), BPF_FIB_LOOKUP_OUTPUT) ||
	    fib.ifindex != req->ctx->ingress_ifindex)
		return 0;
	__builtin_memcpy(req->mac, fib.dmac, 6);
	__builtin_memcpy(req->mac + 6, fib.smac, 6);
	req->routed = true;
	req->way_mtu = fib.mtu_result;
	return 1;
}

/* Is the reply longer than the MTU of the route that was looked up? */
XFN_INLINE int xfn_beyond_way(const struct xfn_req *req)
{
	__u32 head = (req->pkt.version == 4 ? XFN_IPV4_LEN : XFN_IPV6_LEN) + XFN_UDP_LEN;

	return req->way_mtu && req->len + head > req->way_mtu;
}

/* Verify the request's checksum. *keep: the field that a reply with the same payload may keep, or
 * 0. */
XFN_INLINE enum xfn_reason xfn_verify_at(struct xfn_req *req, __u16 *keep, __u32 l3_off,
					 __u32 version)
{
	__u32 flags = xfn_settings.flags;
	__u32 udp_len = req->len + XFN_UDP_LEN;
	__u8 *l3 = xfn_l3_at(req, l3_off, version), *udp;
	__u64 pseudo;
	__u32 ports;
	__u16 field;

	*keep = 0;
	if (!l3)
		return XFN_REASON_TRUNCATED;
	udp = l3 + (version == 4 ? XFN_IPV4_LEN : XFN_IPV6_LEN);
	ports = *(__u32 *)udp;
	field = *(__u16 *)(udp + 6);
	pseudo = xfn_sum_pseudo(l3, version, udp_len);
	if (xfn_sum_kind(field, pseudo, flags) != XFN_SUM_FULL)
		return XFN_REASON_NONE;
	*keep = field;
	if (flags & XFN_TRUST_CHECKSUM)
		return XFN_REASON_NONE;
	if (!xfn_sum_right(field, pseudo, ports, udp_len,
			   xfn_sum_payload(req->ctx, req->pkt.payload_off, req->len)))
		return xfn_sum_unfinished(field, pseudo) ? XFN_REASON_PARTIAL_SUM :
							   XFN_REASON_BAD_UDP_SUM;
	return XFN_REASON_NONE;
}

XFN_INLINE enum xfn_reason xfn_verify(struct xfn_req *req, __u16 *keep)
{
	if (req->pkt.version == 4)
		return xfn_verify_at(req, keep, req->pkt.l3_off, 4);
	return xfn_verify_at(req, keep, req->pkt.l3_off, 6);
}

/* Hand the request to the worker, or where there is none to the host, and count it so. */
XFN_INLINE int xfn_hand(struct xfn_req *req, struct xfn_slot_counters *stat, enum xfn_reason reason)
{
	int action = xfn_to_worker(req, reason);

	if (action == XDP_REDIRECT)
		xfn_add(&stat->handed, 1);
	else
		xfn_add(&stat->passed, 1);
	return action;
}

/* The body's action -> the XDP action. */
XFN_INLINE int xfn_finish(struct xfn_req *req, const struct xfn_attributes *attr,
			  struct xfn_slot_counters *stat, int action, __u16 keep)
{
	switch (action) {
	case XFN_REPLY:
		if ((xfn_settings.flags & XFN_ROUTE_FIB) && xfn_beyond_way(req)) {
			xfn_add(&stat->dropped, 1);
			return xfn_why(XFN_REASON_MTU, XDP_DROP);
		}
		if (!xfn_send(req, keep)) {
			xfn_add(&stat->dropped, 1);
			return xfn_why(XFN_REASON_ADJUST, XDP_DROP);
		}
		xfn_add(&stat->replies, 1);
		xfn_add(&stat->bytes_out, req->len);
		return XDP_TX;
	case XFN_CONSUME:
		xfn_add(&stat->consumed, 1);
		return XDP_DROP;
	case XFN_DROP:
		xfn_add(&stat->dropped, 1);
		if (!req->refused)
			return xfn_why(XFN_REASON_FUNCTION, XDP_DROP);
		return xfn_why(xfn_guard_why(req->refused, req->pkt.payload_len, attr->grow,
					     attr->amplify, req->pkt.version),
			       XDP_DROP);
	case XFN_PASS:
		if (attr->fallback != XFN_FALLBACK_HOST)
			break;
		if (req->written || req->resized) {
			xfn_add(&stat->dropped, 1);
			return xfn_why(XFN_REASON_NO_SLOW, XDP_DROP);
		}
		xfn_add(&stat->passed, 1);
		return xfn_why(XFN_REASON_HOST, XDP_PASS);
	case XFN_PUNT:
		if (req->written || req->resized) {
			xfn_add(&stat->dropped, 1);
			return xfn_why(XFN_REASON_NO_SLOW, XDP_DROP);
		}
		/* who takes it next counts it as a request */
		xfn_add(&stat->requests, -1ull);
		xfn_add(&stat->bytes_in, -(__u64)req->pkt.payload_len);
		return xfn_hand(req, stat, XFN_REASON_NONE);
	}
	xfn_add(&stat->dropped, 1);
	return xfn_why(XFN_REASON_BAD_ACTION, XDP_DROP);
}

/* Is the sender's prefix within --rate? */
XFN_INLINE int xfn_within_rate(struct xfn_req *req)
{
	struct xfn_address peer;
	__u64 prefix, first = 0, now = xfn_mono_ns();
	__u64 *due;

	xfn_end_of(req, 0, &peer);
	prefix = xfn_guard_prefix(peer.ip, req->pkt.version);
	due = bpf_map_lookup_elem(&xfn_rates, &prefix);
	if (due)
		return xfn_guard_rate(due, now, xfn_settings.rate);
	xfn_guard_rate(&first, now, xfn_settings.rate);
	bpf_map_update_elem(&xfn_rates, &prefix, &first, BPF_ANY);
	return 1;
}

/* The same number, of which the verifier knows only that it is below 64. */
XFN_INLINE __u32 xfn_forget(struct xdp_md *ctx, __u32 value)
{
	void *data = XFN_DATA(ctx), *p = data + value;

	asm volatile("%0 -= %1\n\t%0 &= 63" : "+r"(p) : "r"(data));
	return (__u32)(__u64)p;
}

/*
 * Make one verifier state of all versions and tags of a request: else the verifier walks the
 * function, and all that follows, for each of the six combinations.
 */
XFN_INLINE void xfn_forget_shape(struct xdp_md *ctx, struct xfn_packet *pkt)
{
	pkt->version = xfn_forget(ctx, pkt->version);
	pkt->l3_off = xfn_forget(ctx, pkt->l3_off);
	/* 20 or 40 by version 4 or 6, without a branch */
	pkt->l4_off = pkt->l3_off + XFN_IPV4_LEN +
		      (pkt->version & 2) * ((XFN_IPV6_LEN - XFN_IPV4_LEN) / 2);
	pkt->payload_off = pkt->l4_off + XFN_UDP_LEN;
}

/*
 * Long: the order of the checks is that of call_frame (userspace/call/call.c), which the differential
 * fuzzer holds it against; it is read as one list.
 */
XFN_INLINE int xfn_program(struct xdp_md *ctx, const struct xfn_attributes *attr)
{
	struct xfn_req req = { .ctx = ctx };
	struct xfn_slot_counters *stat;
	enum xfn_reason reason;
	__u32 slot = xfn_settings.slot;
	__u32 mtu = XFN_OBJECT_MTU;
	__u16 keep = 0;

	if (!xfn_packet_plain_right(XFN_DATA(ctx), XFN_DATA_END(ctx), &req.pkt)) {
		/* as in the dispatcher, a frame without plain headers is the host's */
		reason = xfn_packet_parse(XFN_DATA(ctx), XFN_DATA_END(ctx), &req.pkt);
		if (reason)
			return xfn_why(reason, XDP_PASS);
		reason = xfn_filter(ctx, &req.pkt);
		if (reason)
			return xfn_why(reason, XFN_TURNED_AWAY(reason));
		reason = xfn_packet_check(XFN_DATA(ctx), XFN_DATA_END(ctx), &req.pkt);
		if (reason == XFN_REASON_MULTICAST || reason == XFN_REASON_NOT_LOCAL)
			return xfn_why(reason, XDP_PASS);
		if (reason)
			return xfn_why(reason, XDP_DROP);
	} else {
		reason = xfn_filter(ctx, &req.pkt);
		if (reason)
			return xfn_why(reason, XFN_TURNED_AWAY(reason));
	}
	xfn_forget_shape(ctx, &req.pkt);
	/* the dispatcher leaves larger frames to the stack, and so must a standalone program */
	if (xfn_frame_len(ctx) > XFN_FRAME_SMALL + (__s64)xfn_settings.large ||
	    xfn_too_large(ctx, &req.pkt))
		return xfn_why(XFN_REASON_LARGE_FRAME, XDP_PASS);
	req.len = req.pkt.payload_len;
	stat = bpf_map_lookup_elem(&xfn_slot_stat, &slot);
	if (!stat)
		return xfn_why(XFN_REASON_NO_PROGRAM, XDP_DROP);
	if (xfn_guard_responder(attr->responders, XFN_RESPONDERS_MAX, req.pkt.sport)) {
		xfn_add(&stat->dropped, 1);
		return xfn_why(XFN_REASON_RESPONDER, XDP_DROP);
	}
	if (xfn_settings.rate && !xfn_within_rate(&req)) {
		xfn_add(&stat->dropped, 1);
		return xfn_why(XFN_REASON_RATE, XDP_DROP);
	}
	reason = xfn_verify(&req, &keep);
	if (reason)
		/* the sender may be local to a device below: the stack knows if the sum is right */
		return xfn_why(reason, reason == XFN_REASON_PARTIAL_SUM ? XDP_PASS : XDP_DROP);

	if ((xfn_settings.flags & XFN_ROUTE_FIB) && !xfn_route(&req)) {
		xfn_add(&stat->passed, 1);
		return xfn_why(XFN_REASON_NO_ROUTE, XDP_PASS);
	}
	req.room = req.len;
	if (attr->grow) {
		const struct xfn_runtime *runtime = xfn_runtime_now();

		if (runtime && runtime->mtu)
			mtu = runtime->mtu;
		if (req.way_mtu && req.way_mtu < mtu)
			mtu = req.way_mtu;
		req.room = xfn_guard_room(req.len, attr->grow, attr->amplify, mtu, req.pkt.version);
		if (xfn_secure(&req))
			return xfn_hand(&req, stat, XFN_REASON_NO_ROOM);
	}
	xfn_add(&stat->requests, 1);
	xfn_add(&stat->bytes_in, req.len);
	return xfn_finish(&req, attr, stat, xfn_body(&req), keep);
}

#endif
