// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * AF_PACKET: frames from the TPACKET_V3 ring of a socket that the supervisor bound (packet_ring.h),
 * for hosts without AF_XDP. Each frame is copied to a buffer of its own, where its reply may be
 * longer, and its block goes back at once; replies leave by a second socket (send.h; on veth
 * a TX ring took 10 to 20 % longer per frame). The kernel has taken the VLAN tag off: it is put
 * back, so that the worker sees the frame as it was on the wire.
 *
 * The ring outlives a worker, and the next one reads on where the last one stopped: how far it has
 * read stands in the ring alone. A worker that died may have written anything there; offsets and
 * lengths are bounded, and a place that turns out wrong is looked for again.
 *
 *	block:	  0	  1	  2	  3	  4	  5
 *		kernel	kernel	 user	 user	kernel	kernel
 *				  ^		  ^
 *		    e->block: the oldest	the kernel fills it now
 *
 * Latency: a frame is seen when its block is full or 1 ms old. Must never know of headers beyond
 * Ethernet's, but for the length of those that the ring's filter lets in. packet(7),
 * Documentation/networking/packet_mmap.rst.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include "../../skel/error.h"
#include "../../xdp/protocols.h"
#include "engine.h"
#include "send.h"

#define ADDRESSES (2 * ETH_ALEN)
#define TAG	  4
#define UDP_IPV4  (ETH_HLEN + XFN_IPV4_LEN + XFN_UDP_LEN) /* bytes before the payload: without */
#define UDP_IPV6  (ETH_HLEN + XFN_IPV6_LEN + XFN_UDP_LEN) /* options or extension headers */
#define SPINS	  65536 /* rounds between two looks at the whole ring, of a worker that spins idly */

struct xfn_engine {
	int fd;	  /* with the ring */
	int send; /* without */
	bool spin;
	uint8_t *ring;
	size_t ring_len;
	uint32_t block_size, block_count;
	uint32_t block; /* being read, or next to be */
	uint32_t left;	/* frames of it not taken yet */
	uint32_t at;	/* bytes from the block's begin to the next of them */
	bool lost;	/* which block is next must be found out */
	uint32_t spins;
	uint8_t *data; /* XFN_BATCH buffers, `stride` apart */
	size_t stride;
	struct xfn_frame_sender sender;
	struct xfn_engine_stats stats;
};

static struct tpacket_hdr_v1 *head_of(const struct xfn_engine *e, uint32_t block)
{
	struct tpacket_block_desc *desc = (void *)(e->ring + (size_t)block * e->block_size);

	return &desc->hdr.bh1;
}

/* Are its frames ours to read? */
static bool is_full(const struct xfn_engine *e, uint32_t block)
{
	return __atomic_load_n(&head_of(e, block)->block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

static void release(const struct xfn_engine *e, uint32_t block)
{
	__atomic_store_n(&head_of(e, block)->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}

/* So many on, less than there are. */
static uint32_t next_to(const struct xfn_engine *e, uint32_t block, uint32_t steps)
{
	block += steps;
	return block < e->block_count ? block : block - e->block_count;
}

/*
 * The oldest of the full blocks; block_count: none is full. One that is neither full nor the
 * kernel's, as only a dead worker can have said, goes back: the kernel would fill it again and
 * again, and never give it.
 */
static uint32_t oldest_block(const struct xfn_engine *e)
{
	uint32_t oldest = e->block_count;

	for (uint32_t i = 0; i < e->block_count; i++) {
		uint32_t status = __atomic_load_n(&head_of(e, i)->block_status, __ATOMIC_ACQUIRE);

		if (status & TP_STATUS_USER) {
			if (oldest == e->block_count ||
			    head_of(e, i)->seq_num < head_of(e, oldest)->seq_num)
				oldest = i;
		} else if (status != TP_STATUS_KERNEL) {
			release(e, i);
		}
	}
	return oldest;
}

/* Find the block that is next: the oldest one. False: none is full, and the kernel tells of none. */
static bool find_block(struct xfn_engine *e)
{
	uint32_t block = oldest_block(e), run = 0;
	uint64_t number;

	if (block == e->block_count)
		return false;
	number = head_of(e, block)->seq_num;
	/* those before it that were filled after they had been looked at */
	for (uint32_t i = 1; i < e->block_count; i++) {
		uint32_t before = next_to(e, block, e->block_count - 1);

		if (!is_full(e, before) || head_of(e, before)->seq_num != number - 1)
			break;
		block = before;
		number--;
	}
	/* The kernel fills one after the other: those apart from these were filled by a dead
	 * worker. */
	while (run < e->block_count && is_full(e, next_to(e, block, run)))
		run++;
	for (; run < e->block_count; run++) {
		uint32_t apart = next_to(e, block, run);

		if (is_full(e, apart) && head_of(e, apart)->seq_num != number + run)
			release(e, apart);
	}
	e->block = block;
	e->left = 0;
	e->lost = false;
	return true;
}

static void packet_close(struct xfn_engine *e)
{
	if (e->data)
		munmap(e->data, XFN_BATCH * e->stride);
	if (e->ring)
		munmap(e->ring, e->ring_len);
	if (e->fd >= 0)
		close(e->fd);
	if (e->send >= 0)
		close(e->send);
	free(e);
}

static int packet_open(struct xfn_engine **out, const struct xfn_engine_config *cfg,
		       struct xfn_error *err)
{
	const struct xfn_engine_socket *sock = cfg->sockets;
	struct xfn_engine *e;
	int ret;

	if (cfg->socket_count != 2 || !sock->block_size || !sock->block_count)
		return xfn_fail(err, -EINVAL,
				"engine packet wants a socket with a ring and one to send");
	e = calloc(1, sizeof(*e));
	if (!e)
		return xfn_fail(err, -ENOMEM, "out of memory");
	e->fd = sock[0].fd;
	e->send = sock[1].fd;
	e->spin = cfg->spin;
	e->lost = true; /* another worker may have read from it */
	e->block_size = sock->block_size;
	e->block_count = sock->block_count;
	e->ring_len = (size_t)e->block_size * e->block_count;
	/* a line more than needed keeps the buffers of small frames in different cache sets */
	e->stride = (size_t)e->block_size + 64;
	e->ring = mmap(NULL, e->ring_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, e->fd,
		       0);
	if (e->ring == MAP_FAILED)
		e->ring = NULL;
	else
		madvise(e->ring, e->ring_len, MADV_DONTFORK);
	if (e->ring)
		e->data = mmap(NULL, XFN_BATCH * e->stride, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (e->ring && e->data != MAP_FAILED) {
		*out = e;
		return 0;
	}
	ret = -errno;
	e->data = NULL;
	e->fd = e->send = -1; /* still the caller's */
	xfn_error__set(err, "cannot map the ring of AF_PACKET: %s", strerror(-ret));
	packet_close(e);
	return ret;
}

static int packet_poll(struct xfn_engine *e, int timeout_ms)
{
	struct pollfd wait = { .fd = e->fd, .events = POLLIN };
	socklen_t len = sizeof(int);
	int error;

	if (e->spin && !e->left && !(++e->spins % SPINS))
		find_block(e);
	if (e->spin || e->left)
		return 0;
	e->stats.wakeups++;
	if (poll(&wait, 1, timeout_ms) < 0)
		return errno == EINTR ? 0 : -errno;
	/* there is none, or we look at a wrong one */
	if (!is_full(e, e->block))
		e->lost = true;
	/* The interface went down and may come back: asked for, the error goes, and with it
	 * POLLERR. */
	if (wait.revents & POLLERR)
		getsockopt(e->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return wait.revents & POLLNVAL ? -EBADF : 0;
}

/* The block at hand to the kernel, the next one is looked at. */
static void next_block(struct xfn_engine *e)
{
	release(e, e->block);
	e->block = next_to(e, e->block, 1);
	e->left = 0;
}

/* Its next frame, NULL: what stands there is none. */
static const struct tpacket3_hdr *next_frame(const struct xfn_engine *e)
{
	return e->at <= e->block_size - sizeof(struct tpacket3_hdr) ?
		       (const void *)((const uint8_t *)e->ring + (size_t)e->block * e->block_size +
				      e->at) :
		       NULL;
}

/* A frame that is shown to nobody: how many datagrams are lost with it. */
static uint64_t datagrams_in(const struct tpacket3_hdr *frame, const uint8_t *from,
			     const struct virtio_net_hdr *offload)
{
	uint32_t headers =
		(from[ADDRESSES] << 8 | from[ADDRESSES + 1]) == ETH_P_IP ? UDP_IPV4 : UDP_IPV6;
	uint32_t len = frame->tp_len > headers ? frame->tp_len - headers : 0;

	/* longer than a frame, and one: the UDP sockets take it */
	if (offload->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return 0;
	return len && offload->gso_size ? (len + offload->gso_size - 1) / offload->gso_size : 1;
}

/* One frame -> the buffer at `to`. Its length, or 0 where it is shown to nobody. */
static uint32_t copy_frame(struct xfn_engine *e, const struct tpacket3_hdr *frame, uint8_t *to)
{
	const uint32_t mac = frame->tp_mac, len = frame->tp_snaplen, status = frame->tp_status;
	const uint8_t *from = (const uint8_t *)frame + mac;
	const struct virtio_net_hdr *offload = (const void *)(from - sizeof(*offload));
	uint16_t tag[2] = { ETH_P_8021Q, (uint16_t)frame->hv1.tp_vlan_tci };
	uint32_t room = e->block_size - e->at;

	/* of what a dead worker wrote */
	if (mac < sizeof(*frame) + sizeof(*offload) || mac > room || len > room - mac ||
	    len < ETH_HLEN)
		return 0;
	if (len != frame->tp_len || offload->gso_type != VIRTIO_NET_HDR_GSO_NONE) {
		e->stats.truncated += datagrams_in(frame, from, offload);
		return 0;
	}
	if (!(status & TP_STATUS_VLAN_VALID)) {
		memcpy(to, from, len);
		return len;
	}
	if (len + TAG > e->block_size) {
		e->stats.truncated++;
		return 0;
	}
	if (status & TP_STATUS_VLAN_TPID_VALID)
		tag[0] = frame->hv1.tp_vlan_tpid;
	memcpy(to, from, ADDRESSES);
	for (int i = 0; i < 2; i++) {
		to[ADDRESSES + 2 * i] = (uint8_t)(tag[i] >> 8);
		to[ADDRESSES + 2 * i + 1] = (uint8_t)tag[i];
	}
	memcpy(to + ADDRESSES + TAG, from + ADDRESSES, len - ADDRESSES);
	return len + TAG;
}

/* A block of which frames are left? Empty ones go back. */
static bool find_frames(struct xfn_engine *e)
{
	while (!e->left) {
		const struct tpacket_hdr_v1 *head;

		if ((e->lost && !find_block(e)) || !is_full(e, e->block))
			return false;
		head = head_of(e, e->block);
		e->left = head->num_pkts;
		e->at = head->offset_to_first_pkt;
		if (!e->left || e->left > e->block_size / sizeof(struct tpacket3_hdr))
			next_block(e);
	}
	return true;
}

/* Where the next worker reads on, should this be the last time that this one does. */
static void note_place(const struct xfn_engine *e)
{
	struct tpacket_hdr_v1 *head = head_of(e, e->block);

	head->num_pkts = e->left;
	head->offset_to_first_pkt = e->at;
}

static unsigned packet_take(struct xfn_engine *e, struct xfn_datagram *batch, unsigned max)
{
	unsigned n = 0;

	while (n < max && find_frames(e)) {
		const struct tpacket3_hdr *frame = next_frame(e);
		uint8_t *to = e->data + n * e->stride;
		uint32_t next;

		if (!frame) {
			next_block(e);
			continue;
		}
		batch[n] = (struct xfn_datagram){
			.data = to,
			.len = copy_frame(e, frame, to),
			.capacity = e->block_size,
			.sum = frame->tp_status & TP_STATUS_CSUMNOTREADY ? XFN_FRAME_SUM_PARTIAL :
			       frame->tp_status & TP_STATUS_CSUM_VALID	 ? XFN_FRAME_SUM_VALID :
									   XFN_FRAME_SUM_UNKNOWN,
			.token = n,
		};
		n += batch[n].len != 0;
		next = frame->tp_next_offset;
		if (!--e->left || next < sizeof(*frame) || next > e->block_size)
			next_block(e);
		else
			e->at += next;
	}
	if (e->left)
		note_place(e);
	e->stats.received += n;
	return n;
}

static void packet_give(struct xfn_engine *e, struct xfn_datagram *batch, unsigned count)
{
	xfn_frame_sender__send(&e->sender, e->send, batch, count, &e->stats);
}

static void packet_stats(const struct xfn_engine *e, struct xfn_engine_stats *out)
{
	*out = e->stats;
}

static int probe_packet(struct xfn_error *why)
{
	const int version = TPACKET_V3;
	int fd, ret = xfn_engine_probe_raw(AF_PACKET, "AF_PACKET", "CONFIG_PACKET", &fd, why);

	if (ret)
		return ret;
	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version))) {
		ret = -errno;
		xfn_error__set(why, "PACKET_VERSION: %s (no TPACKET_V3 here)",
			       strerrorname_np(-ret));
	}
	close(fd);
	return ret;
}

const struct xfn_engine_ops xfn_engine_packet = {
	.name = "packet",
	.kind = XFN_FRAME,
	.input = XFN_ENGINE_FRAMES,
	.summary = "AF_PACKET ring (TPACKET_V3) of the interface's frames",
	.advice = "run as root, or with CAP_NET_RAW; the kernel needs CONFIG_PACKET",
	.calls = { SYS_sendmmsg, SYS_getsockopt },
	.probe = probe_packet,
	.open = packet_open,
	.poll = packet_poll,
	.take = packet_take,
	.give = packet_give,
	.stats = packet_stats,
	.close = packet_close,
};
