// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * AF_PACKET: frames from the TPACKET_V3 ring of a socket that the supervisor bound (packet_ring.h),
 * for hosts without AF_XDP. Each frame is copied to a buffer of its own, where its reply may be
 * longer, and its block goes back at once; replies leave by a second socket (send.h; on veth
 * a TX ring took 10 to 20 % longer per frame). The kernel has taken the VLAN tag off: it is put
 * back, so that the worker sees the frame as it was on the wire.
 *
 * Latency: a frame is seen when its block is full or 1 ms old. Must never know of headers beyond
 * Ethernet's addresses. packet(7), Documentation/networking/packet_mmap.rst.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
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
#include "engine.h"
#include "send.h"

#define ADDRESSES (2 * ETH_ALEN)
#define TAG	  4

struct xfn_engine {
	int fd;	  /* with the ring */
	int send; /* without */
	bool spin;
	uint8_t *ring;
	size_t ring_len;
	uint32_t block_size, block_count;
	uint32_t block;		    /* being read, or next to be */
	uint32_t left;		    /* frames of it not taken yet */
	struct tpacket3_hdr *frame; /* the next of them */
	uint8_t *data;		    /* XFN_BATCH buffers, `stride` apart */
	size_t stride;
	struct xfn_frame_sender sender;
	struct xfn_engine_stats stats;
};

static struct tpacket_hdr_v1 *head_of(const struct xfn_engine *e)
{
	struct tpacket_block_desc *desc = (void *)(e->ring + (size_t)e->block * e->block_size);

	return &desc->hdr.bh1;
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

	if (e->spin || e->left)
		return 0;
	e->stats.wakeups++;
	if (poll(&wait, 1, timeout_ms) < 0)
		return errno == EINTR ? 0 : -errno;
	/* The interface went down and may come back: asked for, the error goes, and with it
	 * POLLERR. */
	if (wait.revents & POLLERR)
		getsockopt(e->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return wait.revents & POLLNVAL ? -EBADF : 0;
}

/* The block at hand to the kernel, the next one is looked at. */
static void next_block(struct xfn_engine *e)
{
	__atomic_store_n(&head_of(e)->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	e->block = e->block + 1 < e->block_count ? e->block + 1 : 0;
}

/* One frame -> the buffer at `to`. Its length, or 0 where it is shown to nobody. */
static uint32_t copy_frame(const struct xfn_engine *e, uint8_t *to)
{
	const struct tpacket3_hdr *frame = e->frame;
	const uint8_t *from = (const uint8_t *)frame + frame->tp_mac;
	const struct virtio_net_hdr *offload = (const void *)(from - sizeof(*offload));
	uint16_t tag[2] = { ETH_P_8021Q, (uint16_t)frame->hv1.tp_vlan_tci };

	if (frame->tp_snaplen < ETH_HLEN || frame->tp_snaplen != frame->tp_len ||
	    offload->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return 0;
	if (!(frame->tp_status & TP_STATUS_VLAN_VALID)) {
		memcpy(to, from, frame->tp_snaplen);
		return frame->tp_snaplen;
	}
	if (frame->tp_snaplen + TAG > e->block_size)
		return 0;
	if (frame->tp_status & TP_STATUS_VLAN_TPID_VALID)
		tag[0] = frame->hv1.tp_vlan_tpid;
	memcpy(to, from, ADDRESSES);
	for (int i = 0; i < 2; i++) {
		to[ADDRESSES + 2 * i] = (uint8_t)(tag[i] >> 8);
		to[ADDRESSES + 2 * i + 1] = (uint8_t)tag[i];
	}
	memcpy(to + ADDRESSES + TAG, from + ADDRESSES, frame->tp_snaplen - ADDRESSES);
	return frame->tp_snaplen + TAG;
}

static unsigned packet_take(struct xfn_engine *e, struct xfn_datagram *batch, unsigned max)
{
	unsigned n = 0;

	while (n < max) {
		uint8_t *to = e->data + n * e->stride;

		if (!e->left) {
			struct tpacket_hdr_v1 *head = head_of(e);

			if (!(__atomic_load_n(&head->block_status, __ATOMIC_ACQUIRE) &
			      TP_STATUS_USER))
				break;
			e->left = head->num_pkts;
			e->frame = (void *)((uint8_t *)head_of(e) -
					    offsetof(struct tpacket_block_desc, hdr) +
					    head->offset_to_first_pkt);
			if (!e->left) {
				next_block(e);
				continue;
			}
		}
		batch[n] = (struct xfn_datagram){
			.data = to,
			.len = copy_frame(e, to),
			.capacity = e->block_size,
			.sum = e->frame->tp_status & TP_STATUS_CSUMNOTREADY ?
				       XFN_FRAME_SUM_PARTIAL :
			       e->frame->tp_status & TP_STATUS_CSUM_VALID ? XFN_FRAME_SUM_VALID :
									    XFN_FRAME_SUM_UNKNOWN,
			.token = n,
		};
		if (batch[n].len)
			n++;
		else
			e->stats.truncated++;
		e->frame = (void *)((uint8_t *)e->frame + e->frame->tp_next_offset);
		if (!--e->left)
			next_block(e);
	}
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
