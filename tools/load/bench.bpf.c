/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bench's side of the wire, in the kernel: a generator (run by BPF_PROG_TEST_RUN with live
 * frames), a sink that counts, checks and times replies, and the two bare programs that servers are
 * compared with. Must never know of xfn's own programs.
 */
#include "../../xdp/vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "../../xdp/protocols.h"
#include "bench_shared.h"

#define INLINE static inline __attribute__((always_inline))

char bench_license[] SEC("license") = "Dual BSD/GPL";

struct bench_conf conf;
struct bench_counters counters[BENCH_CPUS];
__u64 stamps[BENCH_PORTS];
__u32 samples[BENCH_SAMPLES]; /* round trips in ns */
__u64 sample_count;

struct payloads {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BENCH_POOL);
	__type(key, __u32);
	__type(value, struct bench_payload);
};
struct payloads requests SEC(".maps");
struct payloads replies SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_payload);
} got SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, BENCH_CPUS);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

INLINE __u16 be16(__u16 v)
{
	return __builtin_bswap16(v);
}

INLINE __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

INLINE struct bench_counters *own_counters(void)
{
	return &counters[bpf_get_smp_processor_id() & (BENCH_CPUS - 1)];
}

__u64 intended; /* when the request that leaves should have left */
__u64 due;	/* of the next request, where there is an interval */
__u64 last;	/* when a window's latest request left */

/* May a request leave now? Windows and intervals are one generator's. */
INLINE int may_send(struct bench_counters *own)
{
	__u64 now = bpf_ktime_get_ns(), came = 0;

	if (conf.limit && own->sent >= conf.limit)
		return 0;
	if (conf.interval_ns) {
		if (!due)
			due = now;
		if (now < due)
			return 0;
		intended = due;
		due += conf.interval_ns;
	}
	if (!conf.window)
		return 1;
	for (__u32 i = 0; i < BENCH_CPUS && i < conf.cpus; i++)
		came += counters[i].replies;
	if (own->sent < came + own->lost + conf.window) {
		last = now;
		return 1;
	}
	if (now - last < conf.timeout_ns)
		return 0;
	own->lost = own->sent - came;
	last = now;
	return 1;
}

/* One request: all headers anew, for pages come back as the server left them. */
SEC("xdp") int bench_generate(struct xdp_md *ctx)
{
	struct bench_counters *own = own_counters();
	__u32 flow, key, port, address, len, udp_len, sum;
	struct bench_payload *req;
	__u8 *d, *end;

	if ((conf.window || conf.interval_ns) && !may_send(own))
		return XDP_DROP;
	flow = (__u32)own->next++;
	if (own->next >= conf.flows)
		own->next = 0;
	key = flow & (conf.pool - 1) & (BENCH_POOL - 1);
	req = bpf_map_lookup_elem(&requests, &key);
	if (!req)
		return XDP_DROP;
	port = BENCH_PORT_FIRST + (flow & (BENCH_PORTS - 1));
	address = (conf.addr_low + flow / BENCH_PORTS) & 0xffff;
	udp_len = XFN_UDP_LEN + req->len;
	len = XFN_ETH_LEN + (conf.family == 4 ? XFN_IPV4_LEN : XFN_IPV6_LEN) + udp_len;
	if (len != conf.frame_len && bpf_xdp_adjust_tail(ctx, (int)len - (int)conf.frame_len))
		return XDP_DROP;
	d = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	sum = conf.udp_sum + address + port + 2 * udp_len + req->sum;
	if (conf.family == 4) {
		if (d + XFN_ETH_LEN + XFN_IPV4_LEN + XFN_UDP_LEN > end)
			return XDP_DROP;
		__builtin_memcpy(d, conf.head, XFN_ETH_LEN + XFN_IPV4_LEN + XFN_UDP_LEN);
		*(__u16 *)(d + XFN_ETH_LEN + 2) = be16((__u16)(XFN_IPV4_LEN + udp_len));
		*(__u16 *)(d + XFN_ETH_LEN + 14) = be16((__u16)address);
		*(__u16 *)(d + XFN_ETH_LEN + 10) =
			be16((__u16)~fold(conf.head_sum + XFN_IPV4_LEN + udp_len + address));
		d += XFN_ETH_LEN + XFN_IPV4_LEN;
	} else {
		if (d + XFN_ETH_LEN + XFN_IPV6_LEN + XFN_UDP_LEN > end)
			return XDP_DROP;
		__builtin_memcpy(d, conf.head, XFN_ETH_LEN + XFN_IPV6_LEN + XFN_UDP_LEN);
		*(__u16 *)(d + XFN_ETH_LEN + 4) = be16((__u16)udp_len);
		*(__u16 *)(d + XFN_ETH_LEN + 22) = be16((__u16)address);
		d += XFN_ETH_LEN + XFN_IPV6_LEN;
	}
	sum = (__u16)~fold(sum);
	*(__u16 *)d = be16((__u16)port);
	*(__u16 *)(d + 4) = be16((__u16)udp_len);
	*(__u16 *)(d + 6) = be16(sum ? (__u16)sum : 0xffff);
	if ((conf.flags & BENCH_REWRITE) && req->len) {
		__u32 bytes = req->len;

		if (bytes > BENCH_PAYLOAD)
			return XDP_DROP;
		if (bpf_xdp_store_bytes(ctx, len - bytes, req->words, bytes))
			return XDP_DROP;
	}
	own->sent++;
	if (conf.flags & BENCH_STAMP)
		stamps[flow & (BENCH_PORTS - 1)] = conf.interval_ns ? intended : bpf_ktime_get_ns();
	return bpf_redirect(conf.ifindex, 0);
}

/* Is the reply of `flow` the expected one? Its payload begins at `off`. */
INLINE int right(struct xdp_md *ctx, __u32 off, __u32 len, __u32 flow)
{
	__u32 key = flow & (conf.pool - 1) & (BENCH_POOL - 1), zero = 0;
	struct bench_payload *want = bpf_map_lookup_elem(&replies, &key);
	struct bench_payload *is = bpf_map_lookup_elem(&got, &zero);
	__u64 differ = 0;

	if (!want || !is || len != want->len)
		return 0;
	if (!len)
		return 1;
	if (len > BENCH_PAYLOAD)
		return 0;
	if (bpf_xdp_load_bytes(ctx, off, is->words, len))
		return 0;
	for (__u32 i = 0; i < BENCH_WORDS; i++) {
		__u64 mask = ~0ull;

		if (i * 8 >= len)
			break;
		if (len - i * 8 < 8)
			mask = (1ull << 8 * (len - i * 8)) - 1;
		differ |= (is->words[i] ^ want->words[i]) & mask;
	}
	return !differ;
}

/* Where replies arrive. What is no reply goes on to the stack. */
SEC("xdp") int bench_sink(struct xdp_md *ctx)
{
	__u8 *d = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct bench_counters *own = own_counters();
	__u32 head = XFN_ETH_LEN + XFN_IPV4_LEN, low, flow, len;
	__u16 type, from, to;

	if (d + XFN_ETH_LEN + XFN_IPV4_LEN + XFN_UDP_LEN > end)
		goto other;
	type = *(__u16 *)(d + 12);
	if (type == be16(ETH_P_IP) && d[XFN_ETH_LEN + 9] == IPPROTO_UDP) {
		low = *(__u16 *)(d + XFN_ETH_LEN + (conf.flags & BENCH_HAIRPIN ? 14 : 18));
	} else if (type == be16(ETH_P_IPV6) && d[XFN_ETH_LEN + 6] == IPPROTO_UDP) {
		head = XFN_ETH_LEN + XFN_IPV6_LEN;
		if (d + XFN_ETH_LEN + XFN_IPV6_LEN + XFN_UDP_LEN > end)
			goto other;
		low = *(__u16 *)(d + XFN_ETH_LEN + (conf.flags & BENCH_HAIRPIN ? 22 : 38));
	} else {
		goto other;
	}
	d += head;
	from = be16(*(__u16 *)d);
	to = be16(*(__u16 *)(d + 2));
	if ((conf.flags & BENCH_HAIRPIN ? to : from) != conf.port)
		goto other;
	len = be16(*(__u16 *)(d + 4)) - XFN_UDP_LEN;
	flow = ((conf.flags & BENCH_HAIRPIN ? from : to) - BENCH_PORT_FIRST) & (BENCH_PORTS - 1);
	if (conf.flags & BENCH_STAMP) {
		__u64 rtt = bpf_ktime_get_ns() - stamps[flow];
		__u64 at = __sync_fetch_and_add(&sample_count, 1);

		samples[at & (BENCH_SAMPLES - 1)] = rtt > 0xffffffff ? 0xffffffff : (__u32)rtt;
	}
	flow |= ((be16((__u16)low) - conf.addr_low) & 0xffff) * BENCH_PORTS;
	if ((conf.flags & BENCH_CHECK) && !right(ctx, head + XFN_UDP_LEN, len, flow)) {
		own->wrong++;
		own->first_wrong = flow + 1;
	}
	own->replies++;
	own->bytes += len;
	return XDP_DROP;
other:
	own->other++;
	return XDP_PASS;
}

/* The bound: a reply is a request with its addresses and ports swapped. */
SEC("xdp") int bench_bounce(struct xdp_md *ctx)
{
	__u8 *d = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 *ip;
	__u16 *udp, port;
	__u32 address;
	__u8 mac[ETH_ALEN];

	if (d + XFN_ETH_LEN + XFN_IPV4_LEN + XFN_UDP_LEN > end ||
	    *(__u16 *)(d + 12) != be16(ETH_P_IP) || d[XFN_ETH_LEN + 9] != IPPROTO_UDP)
		return XDP_PASS;
	__builtin_memcpy(mac, d, ETH_ALEN);
	__builtin_memcpy(d, d + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(d + ETH_ALEN, mac, ETH_ALEN);
	ip = (void *)(d + XFN_ETH_LEN + 12);
	address = ip[0];
	ip[0] = ip[1];
	ip[1] = address;
	udp = (void *)(d + XFN_ETH_LEN + XFN_IPV4_LEN);
	port = udp[0];
	udp[0] = udp[1];
	udp[1] = port;
	return XDP_TX;
}

/* The generator's own bound. */
SEC("xdp") int bench_drop(struct xdp_md *ctx)
{
	own_counters()->replies++;
	return ctx->data == ctx->data_end ? XDP_PASS : XDP_DROP;
}

/* Replies to the socket of their queue: a generator's in user space. */
SEC("xdp") int bench_collect(struct xdp_md *ctx)
{
	__u8 *d = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u8 *udp = d + XFN_ETH_LEN + XFN_IPV4_LEN;

	if (d + XFN_ETH_LEN + XFN_IPV4_LEN + XFN_UDP_LEN > end)
		return XDP_PASS;
	if (*(__u16 *)(d + 12) == be16(ETH_P_IPV6) && d[XFN_ETH_LEN + 6] == IPPROTO_UDP) {
		udp = d + XFN_ETH_LEN + XFN_IPV6_LEN;
		if (udp + XFN_UDP_LEN > end)
			return XDP_PASS;
	} else if (*(__u16 *)(d + 12) != be16(ETH_P_IP) || d[XFN_ETH_LEN + 9] != IPPROTO_UDP) {
		return XDP_PASS;
	}
	if (be16(*(__u16 *)udp) != conf.port)
		return XDP_PASS;
	return bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS);
}

/* A bare AF_XDP server's: every IPv4 UDP frame to the socket of its queue. */

SEC("xdp") int bench_redirect(struct xdp_md *ctx)
{
	__u8 *d = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (d + XFN_ETH_LEN + XFN_IPV4_LEN + XFN_UDP_LEN > end ||
	    *(__u16 *)(d + 12) != be16(ETH_P_IP) || d[XFN_ETH_LEN + 9] != IPPROTO_UDP)
		return XDP_PASS;
	return bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS);
}
