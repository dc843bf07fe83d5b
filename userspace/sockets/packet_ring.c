// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* AF_PACKET sockets, and the filters of theirs and of UDP sockets, which share datagrams. Must
 * never touch a ring. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "../../xdp/address.h"
#include "../../xdp/protocols.h"
#include "packet_ring.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/* Offsets in a frame whose VLAN tag the kernel has taken off. */
#define L3	   ETH_HLEN
#define IPV4_PORT  (L3 + XFN_IPV4_LEN + 2)
#define IPV6_PORT  (L3 + XFN_IPV6_LEN + 2)
#define MEM_TAG	   0
#define MEM_PORT   1
#define WHOLE	   0x40000 /* bytes of the frame that are taken */
#define FIELD(off) (uint32_t)(SKF_AD_OFF + (off))

struct program {
	struct sock_filter insns[BPF_MAXINSNS];
	unsigned count; /* may exceed the array: then too much is to be served */
};

/* What the frame filter takes at most, in IP bytes, on an interface of this MTU. */
static uint32_t longest_of(uint32_t mtu)
{
	return mtu < XFN_PACKET_MTU_MAX ? mtu : XFN_PACKET_MTU_MAX;
}

uint32_t xfn_packet_ring__block(uint32_t mtu)
{
	return mtu <= XFN_PACKET_BLOCK_MTU ? XFN_PACKET_BLOCK : XFN_PACKET_BLOCK_JUMBO;
}

static unsigned emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (p->count < BPF_MAXINSNS)
		p->insns[p->count] = (struct sock_filter){ code, jt, jf, k };
	return p->count++;
}

static void load(struct program *p, uint16_t size, uint32_t off)
{
	emit(p, BPF_LD | size | BPF_ABS, off, 0, 0);
}

/* Go on where `test` of the accumulator and k is `want`, else answer `ret`. */
static void demand(struct program *p, uint16_t test, uint32_t k, bool want, uint32_t ret)
{
	emit(p, BPF_JMP | test | BPF_K, k, want, !want);
	emit(p, BPF_RET | BPF_K, ret, 0, 0);
}

/* A jump over code to come: land() ends it. */
static unsigned jump(struct program *p)
{
	return emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
}

static void land(struct program *p, unsigned from)
{
	if (from < BPF_MAXINSNS)
		p->insns[from].k = p->count - from - 1;
}

/*
 * Go on, with the port in MEM_PORT, where (destination, tag) is one of the targets' of this version
 * from `off` on; else drop.
 */
static void demand_address(struct program *p, const struct xfn_packet_target *targets,
			   unsigned count, bool v4, uint32_t off)
{
	unsigned found[BPF_MAXINSNS / 4], founds = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct xfn_packet_target *t = &targets[i];
		bool again = xfn_address__is_v4(t->addr.ip) != v4;

		for (unsigned j = 0; j < i && !again; j++)
			again = !memcmp(targets[j].addr.ip, t->addr.ip, 16) &&
				targets[j].tag == t->tag;
		if (again || founds == ARRAY_SIZE(found))
			continue;
		/* each mismatch skips what is left: two per further word, then tag and jump */
		for (unsigned word = v4 ? 3 : 0; word < 4; word++) {
			load(p, BPF_W, off + (word - (v4 ? 3 : 0)) * 4);
			emit(p, BPF_JMP | BPF_JEQ | BPF_K, xfn_get_be32(t->addr.ip + word * 4), 0,
			     (uint8_t)((3 - word) * 2 + 3));
		}
		emit(p, BPF_LD | BPF_MEM, MEM_TAG, 0, 0);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, t->tag, 0, 1);
		found[founds++] = jump(p);
	}
	emit(p, BPF_RET | BPF_K, 0, 0, 0);
	for (unsigned i = 0; i < founds; i++)
		land(p, found[i]);
}

#define OWN_INSNS     2048 /* of a frame filter, for addresses that nothing comes from */
#define OWN_INSNS_UDP 1024 /* of a UDP socket's: net.core.optmem_max bounds it, 20 KB at first */
#define LOOPBACK      1	   /* the index of lo, in every network namespace */

/* Drop what comes from one of these, of this version, in `room` words; the source is at `off`. */
static void refuse_sources(struct program *p, const uint8_t (*own)[16], unsigned count, bool v4,
			   uint32_t off, unsigned room)
{
	unsigned end = p->count + room;

	if (v4)
		load(p, BPF_W, off);
	for (unsigned i = 0; i < count && p->count + 9 < end; i++) {
		if (xfn_address__is_v4(own[i]) != v4)
			continue;
		/* a mismatch skips the words that are left, two each, and the drop */
		for (unsigned word = v4 ? 3 : 0; word < 4; word++) {
			if (!v4)
				load(p, BPF_W, off + word * 4);
			emit(p, BPF_JMP | BPF_JEQ | BPF_K, xfn_get_be32(own[i] + word * 4), 0,
			     (uint8_t)((3 - word) * 2 + 1));
		}
		emit(p, BPF_RET | BPF_K, 0, 0, 0);
	}
}

static void frame_filter(struct program *p, uint32_t longest,
			 const struct xfn_packet_target *targets, unsigned count,
			 const uint8_t (*own)[16], unsigned own_count)
{
	unsigned to_ports, from;

	load(p, BPF_B, FIELD(SKF_AD_PKTTYPE));
	demand(p, BPF_JEQ, PACKET_HOST, true, 0);
	load(p, BPF_B, FIELD(SKF_AD_VLAN_TAG_PRESENT));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
	load(p, BPF_H, FIELD(SKF_AD_VLAN_TAG));
	emit(p, BPF_ALU | BPF_AND | BPF_K, XFN_TAG_ID, 0, 0);
	emit(p, BPF_ST, MEM_TAG, 0, 0);
	load(p, BPF_H, FIELD(SKF_AD_PROTOCOL));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 1, 0);
	from = jump(p);
	/* IPv4: no options, UDP, no fragment, not longer than a frame */
	load(p, BPF_B, L3);
	demand(p, BPF_JEQ, XFN_IPV4_FIRST, true, 0);
	load(p, BPF_B, L3 + 9);
	demand(p, BPF_JEQ, IPPROTO_UDP, true, 0);
	load(p, BPF_H, L3 + 6);
	demand(p, BPF_JSET, IP_MF | IP_OFFMASK, false, 0);
	load(p, BPF_H, L3 + 2);
	demand(p, BPF_JGT, longest, false, 0);
	load(p, BPF_H, IPV4_PORT);
	emit(p, BPF_ST, MEM_PORT, 0, 0);
	refuse_sources(p, own, own_count, true, L3 + 12, OWN_INSNS / 2);
	demand_address(p, targets, count, true, L3 + 16);
	to_ports = jump(p);
	land(p, from);
	demand(p, BPF_JEQ, ETH_P_IPV6, true, 0);
	load(p, BPF_B, L3 + 6);
	demand(p, BPF_JEQ, IPPROTO_UDP, true, 0);
	load(p, BPF_H, L3 + 4);
	demand(p, BPF_JGT, longest - XFN_IPV6_LEN, false, 0);
	load(p, BPF_H, IPV6_PORT);
	emit(p, BPF_ST, MEM_PORT, 0, 0);
	refuse_sources(p, own, own_count, false, L3 + 8, OWN_INSNS / 2);
	demand_address(p, targets, count, false, L3 + 24);
	land(p, to_ports);
	emit(p, BPF_LD | BPF_MEM, MEM_PORT, 0, 0);
	for (unsigned i = 0; i < count; i++) {
		bool again = false;

		for (unsigned j = 0; j < i && !again; j++)
			again = targets[j].addr.port == targets[i].addr.port;
		if (!again)
			demand(p, BPF_JEQ, targets[i].addr.port, false, WHOLE);
	}
	emit(p, BPF_RET | BPF_K, 0, 0, 0);
}

static int attach(int fd, struct program *p)
{
	struct sock_fprog prog = { .len = (unsigned short)p->count, .filter = p->insns };

	if (p->count > BPF_MAXINSNS)
		return -E2BIG;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) ? -errno : 0;
}

/* Go on with what comes from another host, or by lo. */
static void demand_other(struct program *p, const uint8_t (*own)[16], unsigned count)
{
	unsigned inside, from, done;

	load(p, BPF_W, FIELD(SKF_AD_IFINDEX));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, LOOPBACK, 0, 1);
	inside = jump(p);
	load(p, BPF_H, FIELD(SKF_AD_PROTOCOL));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 1, 0);
	from = jump(p);
	refuse_sources(p, own, count, true, (uint32_t)SKF_NET_OFF + 12, OWN_INSNS_UDP / 2);
	done = jump(p);
	land(p, from);
	refuse_sources(p, own, count, false, (uint32_t)SKF_NET_OFF + 8, OWN_INSNS_UDP / 2);
	land(p, done);
	land(p, inside);
}

/*
 * Go on with what was sent to this host alone, by another one, and whose UDP length, to which the
 * stack has cut it, is IP's; behind IPv6 extension headers IP's is not looked for.
 */
static void demand_strict(struct program *p, const uint8_t (*own)[16], unsigned own_count)
{
	unsigned from, odd;

	load(p, BPF_B, FIELD(SKF_AD_PKTTYPE));
	demand(p, BPF_JEQ, PACKET_HOST, true, 0);
	demand_other(p, own, own_count);
	load(p, BPF_H, FIELD(SKF_AD_PROTOCOL));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 4);
	emit(p, BPF_LDX | BPF_B | BPF_MSH, (uint32_t)SKF_NET_OFF, 0, 0);
	load(p, BPF_H, (uint32_t)SKF_NET_OFF + 2);
	emit(p, BPF_ALU | BPF_SUB | BPF_X, 0, 0, 0);
	from = jump(p);
	load(p, BPF_B, (uint32_t)SKF_NET_OFF + 6);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0);
	odd = jump(p);
	load(p, BPF_H, (uint32_t)SKF_NET_OFF + 4);
	land(p, from);
	emit(p, BPF_MISC | BPF_TAX, 0, 0, 0);
	emit(p, BPF_LD | BPF_W | BPF_LEN, 0, 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0);
	emit(p, BPF_RET | BPF_K, 0, 0, 0);
	land(p, odd);
}

int xfn_packet_ring__strict(int udp, const uint8_t (*own)[16], unsigned own_count)
{
	struct program *p = calloc(1, sizeof(*p));
	int ret = p ? 0 : -ENOMEM;

	if (!ret) {
		demand_strict(p, own, own_count);
		emit(p, BPF_RET | BPF_K, WHOLE, 0, 0);
		ret = attach(udp, p);
	}
	free(p);
	return ret;
}

int xfn_packet_ring__park(int udp, uint32_t mtu, const unsigned *ifindexes, unsigned count,
			  const uint8_t (*own)[16], unsigned own_count)
{
	uint32_t longest = longest_of(mtu);
	struct program *p = calloc(1, sizeof(*p));
	unsigned from;
	int ret;

	if (!p)
		return -ENOMEM;
	demand_strict(p, own, own_count);
	load(p, BPF_W, FIELD(SKF_AD_IFINDEX));
	for (unsigned i = 0; i < count; i++) {
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, ifindexes[i], 0, 1);
		/* to where the shape is looked at, behind all comparisons and one answer */
		emit(p, BPF_JMP | BPF_JA, (count - 1 - i) * 2 + 1, 0, 0);
	}
	emit(p, BPF_RET | BPF_K, WHOLE, 0, 0);
	load(p, BPF_H, FIELD(SKF_AD_PROTOCOL));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 1, 0);
	from = jump(p);
	load(p, BPF_B, (uint32_t)SKF_NET_OFF);
	demand(p, BPF_JEQ, XFN_IPV4_FIRST, true, WHOLE);
	load(p, BPF_H, (uint32_t)SKF_NET_OFF + 2);
	demand(p, BPF_JGT, longest, false, WHOLE);
	emit(p, BPF_RET | BPF_K, 0, 0, 0);
	land(p, from);
	load(p, BPF_B, (uint32_t)SKF_NET_OFF + 6);
	demand(p, BPF_JEQ, IPPROTO_UDP, true, WHOLE);
	load(p, BPF_H, (uint32_t)SKF_NET_OFF + 4);
	demand(p, BPF_JGT, longest - XFN_IPV6_LEN, false, WHOLE);
	emit(p, BPF_RET | BPF_K, 0, 0, 0);
	ret = attach(udp, p);
	free(p);
	return ret;
}

int xfn_packet_ring__sender(unsigned ifindex)
{
	/* protocol 0: it takes nothing */
	const struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = (int)ifindex };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1, ret;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
	if (!bind(fd, (const struct sockaddr *)&at, sizeof(at)))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int xfn_packet_ring__open(const struct xfn_packet_ring_config *config, struct xfn_packet_ring *out,
			  struct xfn_error *err)
{
	uint32_t block = xfn_packet_ring__block(config->mtu);
	struct tpacket_req3 ring = { .tp_block_size = block,
				     .tp_block_nr = XFN_PACKET_RING / block,
				     .tp_frame_size = block,
				     .tp_frame_nr = XFN_PACKET_RING / block,
				     .tp_retire_blk_tov = XFN_PACKET_RETIRE_MS };
	const int on = 1, version = TPACKET_V3;
	const char *what = "open AF_PACKET sockets for";
	struct program *p = calloc(1, sizeof(*p));
	int ret = p ? 0 : -ENOMEM;

	/* protocol 0: it takes nothing before it is bound */
	out->receive = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	ret = out->receive < 0 ? -errno : ret;
	out->send = xfn_packet_ring__sender(config->ifindex);
	ret = ret ?: out->send < 0 ? out->send : 0;
	if (ret)
		goto fail;
	what = "filter frames of";
	frame_filter(p, longest_of(config->mtu), config->targets, config->count, config->own,
		     config->own_count);
	ret = attach(out->receive, p);
	if (ret)
		goto fail;
	what = "make an AF_PACKET ring for";
	if (setsockopt(out->receive, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(out->receive, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
	    setsockopt(out->receive, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)))
		goto fail;
	setsockopt(out->receive, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	free(p);
	return 0;
fail:
	ret = ret ?: -errno;
	xfn_error__set(err, "cannot %s %s: %s%s", what, config->ifname, strerror(-ret),
		       ret == -EPERM	    ? "; it wants CAP_NET_RAW" :
		       ret == -E2BIG	    ? "; serve fewer addresses (--address) or functions" :
		       ret == -EAFNOSUPPORT ? "; this kernel is built without AF_PACKET" :
					      "");
	free(p);
	xfn_packet_ring__close(out);
	return ret;
}

int xfn_packet_ring__bind(const struct xfn_packet_ring *ring, const char *ifname, unsigned ifindex,
			  struct xfn_error *err)
{
	const struct sockaddr_ll at = { .sll_family = AF_PACKET,
					.sll_ifindex = (int)ifindex,
					.sll_protocol = htons(ETH_P_ALL) };
	int ret;

	if (!bind(ring->receive, (const struct sockaddr *)&at, sizeof(at)))
		return 0;
	ret = -errno;
	return xfn_fail(err, ret, "cannot bind AF_PACKET to %s: %s", ifname, strerror(-ret));
}

void xfn_packet_ring__stop(const struct xfn_packet_ring *ring)
{
	struct sock_filter none = { .code = BPF_RET | BPF_K };
	const struct sock_fprog prog = { .len = 1, .filter = &none };

	if (ring->receive >= 0)
		setsockopt(ring->receive, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

void xfn_packet_ring__close(struct xfn_packet_ring *ring)
{
	/* A worker that has it still answers what it holds, and nothing that another one gets too.
	 */
	xfn_packet_ring__stop(ring);
	if (ring->receive >= 0)
		close(ring->receive);
	if (ring->send >= 0)
		close(ring->send);
	ring->receive = ring->send = -1;
}
