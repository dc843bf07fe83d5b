// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The AF_XDP generator: frame i of the UMEM is flow i's request, built once and sent as often as it
 * is asked for; the frames behind those receive. libxdp works the rings
 * (Documentation/networking/af_xdp.rst).
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <xdp/xsk.h>
#include "../../skel/error.h"
#include "../../xdp/protocols.h"
#include "afxdp_config.h"
#include "hook.h"
#include "loop.h"
#include "bench.skel.h"

#define SIZE   2048
#define RING   2048
#define FRAMES (BENCH_AFXDP_FLOWS + RING)
#define BATCH  64

struct afxdp {
	const struct bench_wire *wire;
	const struct bench_set *set;
	uint32_t flows;
	uint8_t *area;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons comp, rx;
	uint32_t sending;
	uint32_t len[BENCH_AFXDP_FLOWS];
	uint16_t port[BENCH_AFXDP_FLOWS]; /* source port now */
};

static void put_be16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t sum_of(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t field_of(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/*
 * Write Ethernet, IP and UDP headers for `payload` at frame, and the payload behind them; returns
 * the frame's length. `sport` in host order.
 */
static size_t build_frame(uint8_t *frame, const struct bench_wire *wire, uint16_t sport,
			  const struct bench_payload *payload)
{
	uint32_t head = wire->v6 ? XFN_IPV6_LEN : XFN_IPV4_LEN,
		 udp_len = XFN_UDP_LEN + payload->len;
	uint8_t *ip = frame + ETH_HLEN, *udp = ip + head;
	uint16_t field;

	memset(frame, 0, ETH_HLEN + head + XFN_UDP_LEN);
	memcpy(frame, wire->target_mac, ETH_ALEN);
	memcpy(frame + ETH_ALEN, wire->source_mac, ETH_ALEN);
	put_be16(frame + 2 * ETH_ALEN, wire->v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (wire->v6) {
		ip[0] = XFN_IPV6_FIRST;
		put_be16(ip + 4, udp_len);
		ip[6] = IPPROTO_UDP;
		ip[7] = 64;
		memcpy(ip + 8, wire->source, 16);
		memcpy(ip + 24, wire->target, 16);
	} else {
		ip[0] = XFN_IPV4_FIRST;
		put_be16(ip + 2, XFN_IPV4_LEN + udp_len);
		put_be16(ip + 6, IP_DF);
		ip[8] = 64;
		ip[9] = IPPROTO_UDP;
		memcpy(ip + 12, wire->source, 4);
		memcpy(ip + 16, wire->target, 4);
		put_be16(ip + 10, field_of(sum_of(ip, XFN_IPV4_LEN, 0)));
	}
	put_be16(udp, sport);
	put_be16(udp + 2, wire->port);
	put_be16(udp + 4, udp_len);
	memcpy(udp + XFN_UDP_LEN, payload->words, payload->len);
	field = field_of(
		sum_of(udp, udp_len,
		       sum_of(ip + (wire->v6 ? 8 : 12), wire->v6 ? 32 : 8, IPPROTO_UDP + udp_len)));
	put_be16(udp + 6, field ?: 0xffff);
	return ETH_HLEN + head + udp_len;
}

static int afxdp_renew(void *carrier, uint32_t flow)
{
	struct afxdp *a = carrier;
	uint32_t step = a->port[flow] ? a->port[flow] - BENCH_PORT_FIRST + a->flows : flow;

	/* ports of one flow are `flows` apart: a late reply's is no flow's any more */
	if (step >= BENCH_PORTS)
		step = flow;
	a->port[flow] = (uint16_t)(BENCH_PORT_FIRST + step);
	a->len[flow] = (uint32_t)build_frame(a->area + (size_t)flow * SIZE, a->wire, a->port[flow],
					     &a->set->request[flow & (a->set->count - 1)]);
	return 0;
}

/* Sent frames stay where they are; only their number matters. */
static void reap(struct afxdp *a)
{
	uint32_t at, n = xsk_ring_cons__peek(&a->comp, RING, &at);

	if (n)
		xsk_ring_cons__release(&a->comp, n);
	a->sending -= n;
}

static void kick(struct afxdp *a)
{
	for (int i = 0; i < 4 && a->sending; i++) {
		if (xsk_ring_prod__needs_wakeup(&a->tx))
			sendto(xsk_socket__fd(a->xsk), NULL, 0, MSG_DONTWAIT, NULL, 0);
		reap(a);
	}
}

static unsigned afxdp_send(void *carrier, uint32_t flow, const struct bench_payload *request,
			   unsigned count)
{
	struct afxdp *a = carrier;
	uint32_t at, n = 0;

	(void)request;
	for (; n < count && xsk_ring_prod__reserve(&a->tx, 1, &at); n++)
		*xsk_ring_prod__tx_desc(&a->tx, at) =
			(struct xdp_desc){ .addr = (uint64_t)flow * SIZE, .len = a->len[flow] };
	xsk_ring_prod__submit(&a->tx, n);
	a->sending += n;
	return n;
}

/* A frame that the hook took: a reply, whole and to a port that a flow has. */
static void take(struct afxdp *a, struct bench_loop *loop, const uint8_t *f, uint32_t len)
{
	uint32_t head = ETH_HLEN + (a->wire->v6 ? XFN_IPV6_LEN : XFN_IPV4_LEN), port, flow, udp_len;

	if (len < head + 8)
		return;
	port = (uint32_t)f[head + 2] << 8 | f[head + 3];
	udp_len = (uint32_t)f[head + 4] << 8 | f[head + 5];
	flow = (port - BENCH_PORT_FIRST) % a->flows;
	if (port < BENCH_PORT_FIRST || a->port[flow] != port || udp_len < 8 || udp_len > len - head)
		return;
	bench_loop__take(loop, flow, f + head + 8, udp_len - 8);
}

static void afxdp_receive(void *carrier, struct bench_loop *loop, int wait_ms)
{
	struct afxdp *a = carrier;
	uint32_t at = 0, back = 0, n;

	kick(a);
	n = xsk_ring_cons__peek(&a->rx, BATCH, &at);
	if (!n && wait_ms) {
		struct pollfd wait = { .fd = xsk_socket__fd(a->xsk), .events = POLLIN };

		poll(&wait, 1, wait_ms);
		n = xsk_ring_cons__peek(&a->rx, BATCH, &at);
	}
	if (!n)
		return;
	/* as many frames are free as were received: the ring has room */
	xsk_ring_prod__reserve(&a->fill, n, &back);
	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&a->rx, at + i);

		take(a, loop, a->area + d->addr, d->len);
		*xsk_ring_prod__fill_addr(&a->fill, back + i) = d->addr & ~(uint64_t)(SIZE - 1);
	}
	xsk_ring_prod__submit(&a->fill, n);
	xsk_ring_cons__release(&a->rx, n);
}

static int open_rings(struct afxdp *a, const char *ifname, struct xfn_error *err)
{
	const struct xsk_umem_config umem_config = BENCH_UMEM_CONFIG(RING, SIZE);
	const struct xsk_socket_config config = BENCH_SOCKET_CONFIG(RING);
	uint32_t at = 0;
	int ret;

	a->area = mmap(NULL, (size_t)FRAMES * SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (a->area == MAP_FAILED)
		a->area = NULL;
	ret = a->area ? xsk_umem__create(&a->umem, a->area, (uint64_t)FRAMES * SIZE, &a->fill,
					 &a->comp, &umem_config) :
			-ENOMEM;
	ret = ret ?: xsk_socket__create(&a->xsk, ifname, 0, a->umem, &a->rx, &a->tx, &config);
	if (ret)
		return xfn_fail(err, ret, "%s: no AF_XDP socket on queue 0: %s", ifname,
				strerror(-ret));
	xsk_ring_prod__reserve(&a->fill, RING, &at);
	for (uint32_t i = 0; i < RING; i++)
		*xsk_ring_prod__fill_addr(&a->fill, at + i) =
			(uint64_t)(BENCH_AFXDP_FLOWS + i) * SIZE;
	xsk_ring_prod__submit(&a->fill, RING);
	return 0;
}

int bench_afxdp__run(const char *ifname, const struct bench_wire *wire,
		     const struct bench_plan *plan, struct bench_figures *out,
		     struct xfn_error *err)
{
	static const struct bench_carrier ops = { .send = afxdp_send,
						  .receive = afxdp_receive,
						  .renew = afxdp_renew };
	struct afxdp *a = calloc(1, sizeof(*a)); /* rings must begin as zeros */
	struct bench_histogram *rtt = out->rtt;
	struct bench_hook hook = {};
	struct bench_bpf *skel = NULL;
	int ret = 0;

	*out = (struct bench_figures){ .rtt = rtt };
	if (!a || !plan->flows || plan->flows > BENCH_AFXDP_FLOWS ||
	    plan->outstanding > plan->flows) {
		xfn_error__set(err, "AF_XDP: 1 to %d flows, each with one request under way",
			       BENCH_AFXDP_FLOWS);
		ret = a ? -EINVAL : -ENOMEM;
		goto out;
	}
	a->wire = wire;
	a->set = plan->set;
	a->flows = plan->flows;
	skel = bench_bpf__open_and_load();
	if (!skel) {
		ret = -(errno ?: EINVAL);
		xfn_error__set(err, "cannot load the generator's programs: %s; run as root",
			       strerror(-ret));
		goto out;
	}
	skel->bss->conf.port = wire->port;
	ret = open_rings(a, ifname, err);
	if (ret)
		goto out;
	for (uint32_t flow = 0; flow < a->flows; flow++)
		afxdp_renew(a, flow);
	ret = xsk_socket__update_xskmap(a->xsk, bpf_map__fd(skel->maps.sockets));
	ret = ret   ?:
		      bench_hook__take(&hook, ifname, bpf_program__fd(skel->progs.bench_collect),
				       err);
	ret = ret ?: bench_loop__run(&ops, a, plan, out, err);
out:
	bench_hook__give_back(&hook);
	if (a && a->xsk)
		xsk_socket__delete(a->xsk);
	if (a && a->umem)
		xsk_umem__delete(a->umem);
	if (a && a->area)
		munmap(a->area, (size_t)FRAMES * SIZE);
	bench_bpf__destroy(skel);
	free(a);
	return ret;
}
