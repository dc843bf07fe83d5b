/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An interface's AF_PACKET sockets with their ring, made by the supervisor, used by a worker
 * (engine/packet.c). A filter (classic BPF, no privilege for BPF wanted) lets in only what a worker
 * can answer: plain UDP frames for this host, of one buffer, to the addresses and ports given.
 *
 * The host's own stack sees each of these frames too. UDP sockets bound to the same addresses keep
 * it from saying "port unreachable": xfn_packet_ring__park lets them take the datagrams that the
 * frame filter refuses for their shape, and drop the others. So each is answered once.
 *
 * packet(7), Documentation/networking/packet_mmap.rst.
 */
#ifndef XFN_PACKET_RING_H
#define XFN_PACKET_RING_H

#include <stdint.h>
#include "../../skel/error.h"
#include "../../functions/xfn.h"

/*
 * TPACKET_V3 gives frames to the worker by the block: when a frame does not fit any more, or when
 * the block's time is over. Small blocks are full soon under load (4 KiB hold 20 small requests);
 * what is alone waits for the timer, whose shortest time is 1 ms.
 */
#define XFN_PACKET_BLOCK       4096u	  /* bytes, for MTUs up to XFN_PACKET_BLOCK_MTU */
#define XFN_PACKET_BLOCK_MTU   3506u	  /* leaves room for the block's and the frame's header */
#define XFN_PACKET_BLOCK_JUMBO 16384u	  /* bytes, for larger MTUs */
#define XFN_PACKET_MTU_MAX     9216u	  /* longer ones are left to the UDP sockets */
#define XFN_PACKET_RING	       (4u << 20) /* bytes: what a worker's start or stall lets wait */
#define XFN_PACKET_RETIRE_MS   1

/* An address and port to be served, as they stand in frames. */
struct xfn_packet_target {
	struct xfn_address addr;
	uint16_t tag; /* VLAN id, 0: none */
};

/* What a worker receives from, and what it sends with. Both close-on-exec. */
struct xfn_packet_ring {
	int receive; /* with the ring; tells of each frame whether it is several in one */
	int send;    /* receives nothing */
};

/* What a ring is made for. */
struct xfn_packet_ring_config {
	const char *ifname;
	unsigned ifindex;
	uint32_t mtu; /* IP bytes */
	const struct xfn_packet_target *targets;
	unsigned count;		  /* of them */
	const uint8_t (*own)[16]; /* addresses that send no requests; IPv4 is mapped */
	unsigned own_count;
};

/*
 * Make both, with a ring of xfn_packet_ring__block(mtu) bytes a block. It
 * serves every port of the targets on every address of them: which pairs are right is for the caller
 * to check. Nothing comes from one of the `own` addresses, as many as its filter has room for.
 * Wants CAP_NET_RAW. 0 or -errno with one line in err, then nothing is open. The caller closes.
 * Nothing comes before it is bound, and nothing more when it was told to stop: both take effect at
 * once, where making and closing a ring wait for the kernel (RCU), tens of milliseconds.
 */
int xfn_packet_ring__open(const struct xfn_packet_ring_config *config, struct xfn_packet_ring *out,
			  struct xfn_error *err);
int xfn_packet_ring__bind(const struct xfn_packet_ring *ring, const char *ifname, unsigned ifindex,
			  struct xfn_error *err);
void xfn_packet_ring__stop(const struct xfn_packet_ring *ring);
void xfn_packet_ring__close(struct xfn_packet_ring *ring);
uint32_t xfn_packet_ring__block(uint32_t mtu);
/*
 * A socket that sends frames on that interface, past its queueing discipline, and receives none;
 * close-on-exec. Wants CAP_NET_RAW. The descriptor or -errno.
 */
int xfn_packet_ring__sender(unsigned ifindex);

/*
 * Let a UDP socket take only what the fast path would: frames sent to this host alone, datagrams as
 * long as their IP header says, and but for what comes by lo from none of the `own` addresses, as
 * many as the filter has room for. The kernel counts what is refused as the socket's drops. Replaces
 * an earlier filter. 0 or -errno.
 */
int xfn_packet_ring__strict(int udp, const uint8_t (*own)[16], unsigned own_count);
/*
 * The same, and leave a UDP socket what the ring's filter refuses for its shape, and all that did
 * not come by one of the `count` devices on which the ring's frames reach the stack. Replaces an
 * earlier filter. 0 or -errno.
 */
int xfn_packet_ring__park(int udp, uint32_t mtu, const unsigned *ifindexes, unsigned count,
			  const uint8_t (*own)[16], unsigned own_count);

#endif
