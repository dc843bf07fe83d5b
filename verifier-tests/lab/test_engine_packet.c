// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Engine packet on a veth pair in a namespace of its own: frames of every kind come back as they
 * were, and what is not for the ring is not taken. Knows nothing of functions.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_net.h>
#include "../../skel/error.h"
#include "../suite.h"
#include "../../userspace/sockets/packet_ring.h"
#include "../unit/engine_rounds.h"
#include "../unit/frame.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif
#define TAG_100 (0x2000 | 100) /* as frame_build makes it */

static struct xfn_packet_ring ring;

/* Packet sockets of the test's side take a tag off too, and tell it beside the frame. */
static unsigned collect(int fd, const uint8_t *frame, size_t len, int tag)
{
	uint8_t got[2048], control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct iovec iov = { got, sizeof(got) };
	size_t off = tag ? 4 : 0;
	unsigned n = 0;

	for (;;) {
		struct msghdr msg = { .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = control,
				      .msg_controllen = sizeof(control) };
		ssize_t got_len = recvmsg(fd, &msg, MSG_DONTWAIT);
		struct tpacket_auxdata aux = {};

		if (got_len < 0)
			return n;
		if (CMSG_FIRSTHDR(&msg))
			memcpy(&aux, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(aux));
		n += got_len == (ssize_t)(len - off) && aux.tp_vlan_tci == tag &&
		     !memcmp(got, frame, 12) && !memcmp(got + 12, frame + 12 + off, len - off - 12);
	}
}

/* The engine over what is served; returns the test's side of the link. */
static int open_engine(void)
{
	static const struct xfn_packet_target targets[] = {
		{ .addr = { .ip = { [10] = 0xff, 0xff, 10, 78, 0, 1 }, .port = 1232 } },
		{ .addr = { .ip = { [10] = 0xff, 0xff, 10, 78, 0, 1 }, .port = 7 } },
		{ .addr = { .ip = { [10] = 0xff, 0xff, 10, 78, 0, 1 }, .port = 7 }, .tag = 100 },
		{ .addr = { .ip = { 0xfd, [15] = 1 }, .port = 1232 } },
	};
	struct xfn_packet_ring_config config = {
		.ifname = "xfneng0", .mtu = 1500, .targets = targets, .count = ARRAY_SIZE(targets)
	};
	struct xfn_engine_socket socks[2] = {};
	struct xfn_engine_config cfg = { .sockets = socks, .socket_count = 2 };
	struct xfn_error err = { 0 };
	int fd, on = 1;

	ops = &xfn_engine_packet;
	raise_pair();
	config.ifindex = if_nametoindex("xfneng0");
	if (xfn_packet_ring__open(&config, &ring, &err) ||
	    xfn_packet_ring__bind(&ring, "xfneng0", config.ifindex, &err))
		fail_msg("%s", err.line);
	socks[0].fd = ring.receive;
	socks[0].block_size = xfn_packet_ring__block(1500);
	socks[0].block_count = XFN_PACKET_RING / socks[0].block_size;
	socks[1].fd = ring.send;
	if (ops->open(&engine, &cfg, &err))
		fail_msg("%s", err.line);
	fd = packet_socket("xfneng1");
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)), 0);
	return fd;
}

static void frames_packet(void **state)
{
	struct xfn_engine_stats st;
	uint8_t frame[2048];
	int fd = open_engine();

	(void)state;
	for (unsigned i = 0; i < FRAMES; i += 50) {
		/* IPv4, IPv6, IPv4 with a tag; of many sizes */
		int tags = i % 150 == 100, version = i % 150 == 50 ? 6 : 4;
		size_t len = frame_build(frame, version, tags, i / 50 * 13 % 1453);
		unsigned back = 0;

		for (unsigned k = 0; k < 50; k++)
			assert_int_equal(send(fd, frame, len, 0), len);
		echo_until(i + 50);
		assert_int_equal(last.len, len);
		assert_true(last.capacity >= 1514 + 4);
		assert_memory_equal(last.data, frame, len);
		for (int spin = 0; back < 50 && spin < 100; spin++) {
			struct pollfd wait = { .fd = fd, .events = POLLIN };

			poll(&wait, 1, 5);
			back += collect(fd, frame, len, tags ? TAG_100 : 0);
		}
		assert_int_equal(back, 50);
	}
	ops->stats(engine, &st);
	assert_int_equal(st.received, FRAMES);
	assert_int_equal(st.sent, FRAMES);
	assert_int_equal(st.send_failed + st.truncated + st.stalls, 0);
	ops->close(engine); /* the sockets too */
	close(fd);
}

static void refresh_ip_sum(uint8_t *ip)
{
	uint32_t sum = 0;

	ip[10] = ip[11] = 0;
	for (int i = 0; i < 4 * (ip[0] & 15); i += 2)
		sum += xfn_get_be16(ip + i);
	sum = (sum & 0xffff) + (sum >> 16);
	xfn_put_be16(ip + 10, ~(sum + (sum >> 16)));
}

/* Waits for one frame, which a full block does not bring. */
static void one_round(void)
{
	for (int idle = 0; idle < 100 && !echo_round(20);)
		idle++;
}

static void filter_packet(void **state)
{
	static const struct {
		const char *what;
		int version, tags;
		unsigned at, value;
	} refused[] = {
		{ "another host's MAC", 4, 0, 5, 9 },
		{ "a group's MAC", 4, 0, 0, 3 },
		{ "another address", 4, 0, 33, 9 },
		{ "another IPv6 address", 6, 0, 53, 9 },
		{ "another port", 4, 0, 37, 9 },
		{ "another IPv6 port", 6, 0, 57, 9 },
		{ "another protocol", 4, 0, 23, 6 },
		{ "an extension header", 6, 0, 20, 60 },
		{ "options", 4, 0, 14, 0x46 },
		{ "a fragment", 4, 0, 20, 0x20 },
		{ "longer than a frame", 4, 0, 16, 0x10 },
		{ "another tag", 4, 1, 15, 9 },
		{ "a tag where none is served", 6, 1, 15, 100 },
		{ "two tags", 4, 2, 15, 100 },
		{ "no IP", 4, 0, 13, 6 },
	};
	struct xfn_engine_stats st;
	uint8_t frame[2048];
	int fd = open_engine();

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
		size_t len = frame_build(frame, refused[i].version, refused[i].tags, 200);

		frame[refused[i].at] = (uint8_t)refused[i].value;
		if (refused[i].version == 4 && !refused[i].tags)
			refresh_ip_sum(frame + 14);
		assert_int_equal(send(fd, frame, len, 0), len);
		len = frame_build(frame, 4, 0, i);
		assert_int_equal(send(fd, frame, len, 0), len);
		one_round();
		ops->stats(engine, &st);
		if (last.len != len || st.received != i + 1)
			fail_msg("%s: taken", refused[i].what);
		assert_int_equal(last.sum, XFN_FRAME_SUM_UNKNOWN);
	}
	ops->close(engine);
	close(fd);
}

/* What the kernel tells beside a frame: half a checksum, as local stacks leave it; several in one.
 */
static void offloads_packet(void **state)
{
	struct virtio_net_hdr half = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				       .csum_start = 34,
				       .csum_offset = 6 };
	struct virtio_net_hdr many = half;
	struct xfn_engine_stats st;
	uint8_t frame[2048];
	int fd = open_engine(), on = 1;
	size_t len = frame_build(frame + sizeof(half), 4, 0, 200) + sizeof(half);

	(void)state;
	close(fd);
	fd = packet_socket("xfneng1");
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
	memcpy(frame, &half, sizeof(half));
	assert_int_equal(send(fd, frame, len, 0), len);
	one_round();
	assert_int_equal(last.sum, XFN_FRAME_SUM_PARTIAL);
	many.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
	many.hdr_len = 42;
	many.gso_size = 100;
	memcpy(frame, &many, sizeof(many));
	if (send(fd, frame, len, 0) == (ssize_t)len) { /* since Linux 6.2 */
		for (int i = 0; i < 5; i++)
			assert_int_equal(echo_round(20), 0);
		ops->stats(engine, &st);
		assert_int_equal(st.truncated, 1);
	}
	ops->close(engine);
	close(fd);
}

XFN_SUITE(cmocka_unit_test(frames_packet), cmocka_unit_test(filter_packet),
	  cmocka_unit_test(offloads_packet))
