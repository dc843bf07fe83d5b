// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Engine afxdp on a veth pair in a namespace of its own: frames come back, each is in one place,
 * and the threads of a queue do not take them from each other. Knows nothing of functions.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "../suite.h"
#include "../../skel/loader.h"
#include "../../userspace/sockets/umem.h"
#include "../unit/engine_rounds.h"
#include "../unit/frame.h"

/* Frames of our own that came back; others are on the link as well. */
static unsigned collect(int fd, const uint8_t *frame, size_t len)
{
	uint8_t got[2048];
	unsigned n = 0;

	while (recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0)
		n += !memcmp(got, frame, len);
	return n;
}

#define ELSEWHERE 1233 /* port of the second thread, where there is one */

static struct {
	struct xfn_loader *ld;
	struct xfn_umem umem;
	struct xfn_engine *other; /* the second thread's */
} link_end;

/*
 * The engine on xfneng0 of a fresh pair, for port 1232, and that of a second thread if asked for.
 * Returns a packet socket on xfneng1.
 */
static int open_frames(unsigned threads)
{
	struct xfn_loader_options opts = { .ifname = "xfneng0", .flags = XFN_ANY_ADDRESS };
	const struct xfn_umem_config frames = {
		.ifname = "xfneng0", .threads = threads, .mtu = 1500, .node = -1
	};
	struct xfn_umem *umem = &link_end.umem;
	struct xfn_engine_socket socks[2];
	struct xfn_engine_config cfg;
	struct xfn_error why;
	struct xfn_error err = { 0 };
	enum xfn_mode mode;

	ops = &xfn_engine_afxdp;
	raise_pair();
	opts.ifindex = if_nametoindex("xfneng0");
	if (xfn_loader__open(&opts, &link_end.ld, &err) ||
	    xfn_loader__attach(link_end.ld, XFN_MODE_AUTO, &mode, &why, &err) ||
	    xfn_loader__bind(link_end.ld, NULL, 1232, 0, XFN_PORT_TIER_AFXDP, &err) ||
	    xfn_loader__bind(link_end.ld, NULL, ELSEWHERE, 1, XFN_PORT_TIER_AFXDP, &err) ||
	    xfn_umem__open(&frames, umem, &err))
		fail_msg("%s", err.line);
	for (unsigned i = 0; i < threads; i++)
		socks[i] = (struct xfn_engine_socket){ .fd = umem->xsk[i],
						       .rx_size = umem->rx_size,
						       .tx_size = umem->tx_size };
	cfg = (struct xfn_engine_config){ .sockets = socks,
					  .socket_count = threads,
					  .umem_fd = umem->memfd,
					  .umem_len = umem->len,
					  .frame_size = umem->frame_size,
					  .fill_size = umem->fill_size,
					  .comp_size = umem->comp_size };
	if (ops->open(&engine, &cfg, &err))
		fail_msg("%s", err.line);
	cfg.thread = 1;
	cfg.first = engine;
	if ((threads > 1 && ops->open(&link_end.other, &cfg, &err)) ||
	    xfn_umem__bind(umem, "xfneng0", opts.ifindex, false, &err))
		fail_msg("%s", err.line);
	for (unsigned i = 0; i < threads; i++)
		assert_int_equal(xfn_loader__socket(link_end.ld, 0, i, umem->xsk[i]), 0);
	if (threads > 1) {
		assert_int_equal(xfn_loader__indirection(link_end.ld, 0, 1, 1, 1), 0);
		assert_int_equal(xfn_loader__pool(link_end.ld, 1, 1), 0);
	}
	return packet_socket("xfneng1");
}

static void close_frames(int fd)
{
	if (link_end.other)
		ops->close(link_end.other);
	link_end.other = NULL;
	ops->close(engine); /* the sockets too */
	for (unsigned i = 0; i < link_end.umem.threads; i++)
		link_end.umem.xsk[i] = -1;
	xfn_umem__close(&link_end.umem);
	xfn_loader__close(link_end.ld);
	close(fd);
}

static void frames_afxdp(void **state)
{
	struct xfn_engine_stats st;
	uint8_t frame[2048];
	size_t len = frame_build(frame, 4, 0, 200);
	unsigned back = 0;
	int fd;

	(void)state;
	fd = open_frames(1);
	for (unsigned i = 0; i < FRAMES; i += 50) {
		for (unsigned k = 0; k < 50; k++)
			assert_int_equal(send(fd, frame, len, 0), len);
		echo_until(i + 50);
		for (int spin = 0; back < i + 50 && spin < 100; spin++) {
			struct pollfd wait = { .fd = fd, .events = POLLIN };

			back += collect(fd, frame, len);
			if (back < i + 50) {
				assert_int_equal(ops->poll(engine, 1), 0);
				poll(&wait, 1, 5);
			}
		}
		assert_int_equal(back, i + 50);
	}
	ops->stats(engine, &st);
	assert_int_equal(st.received, FRAMES);
	assert_int_equal(st.sent, FRAMES);
	assert_int_equal(st.send_failed, 0);
	close_frames(fd);
}

/* Every frame in one place, and so many of them lent. */
static struct xfn_engine_audit add_up(unsigned lent)
{
	struct xfn_engine_audit a;

	ops->audit(&engine, 1, &a);
	assert_int_equal(a.lost, 0);
	assert_int_equal(a.total, XFN_UMEM_FRAMES);
	assert_int_equal(a.free + a.filling + a.lent + a.sending, a.total);
	assert_int_equal(a.lent, lent);
	return a;
}

/* Until nothing is left to be received or sent; the kernel then holds on to next to nothing. */
static void come_to_rest(void)
{
	struct xfn_engine_audit a = add_up(0);

	/* without carrier the kernel drops one frame a system call */
	for (int idle = 0; idle < 20 || (a.sending && idle < 5000); a = add_up(0))
		idle = echo_round(5) ? 0 : idle + 1;
	assert_int_equal(a.sending, 0);
	assert_in_range(a.held, 0, 8);
}

static struct xfn_engine_stats counted(void)
{
	struct xfn_engine_stats st;

	/* a kernel that dropped the last one may say only now that it has read it */
	assert_int_equal(ops->poll(engine, 0), 0);
	ops->stats(engine, &st);
	return st;
}

static void flood(int fd, uint16_t port, unsigned count)
{
	uint8_t frame[2048];
	size_t len = frame_build(frame, 4, 0, 200);

	xfn_put_be16(frame + 36, port); /* the engine looks at no checksum */
	for (unsigned i = 0; i < count; i++)
		send(fd, frame, len, 0); /* what does not fit is lost, as in a flood */
}

/*
 * More than all rings hold, with replies sent, released, dropped by the peer and stuck on a device
 * that is down: the frames add up at each step, and come back.
 */
static void frames_add_up(void **state)
{
	struct xfn_engine_stats before, after;
	struct xfn_engine_audit a;
	unsigned n, seen = 0;
	int fd;

	(void)state;
	fd = open_frames(1);
	come_to_rest();
	for (int round = 0; round < 3; round++) {
		flood(fd, 1232, 2 * XFN_UMEM_FRAMES);
		add_up(0);
		while ((n = ops->take(engine, batch, XFN_BATCH))) {
			add_up(n);
			for (unsigned i = 0; i < n; i++)
				batch[i].send = (i + (unsigned)round) % 3;
			ops->give(engine, batch, n);
			add_up(0);
			seen += n;
		}
		come_to_rest();
	}
	assert_true(seen >= 3 * XFN_UMEM_RING - 3 * XFN_BATCH);

	/* nobody takes what is sent: the kernel drops it, and says so of each frame */
	before = counted();
	flood(fd, 1232, XFN_UMEM_RING);
	assert_int_equal(run("ip link set xfneng1 down"), 0);
	come_to_rest();
	assert_int_equal(run("ip link set xfneng1 up"), 0);
	after = counted();
	assert_true(after.received > before.received);
	assert_int_equal(after.sent, before.sent);
	assert_int_equal(after.send_failed - before.send_failed, after.received - before.received);

	/* nothing can be sent: replies stay on the ring, until the device is there again */
	flood(fd, 1232, XFN_UMEM_RING);
	assert_int_equal(run("ip link set xfneng0 down"), 0);
	for (n = 0; echo_round(0) && n < XFN_UMEM_RING;)
		n++;
	a = add_up(0);
	assert_true(a.sending > XFN_UMEM_RING / 2);
	assert_int_equal(counted().sent, after.sent);
	assert_int_equal(run("ip link set xfneng0 up"), 0);
	come_to_rest();
	before = counted();
	assert_int_equal(before.sent + before.send_failed - after.sent - after.send_failed,
			 before.received - after.received);
	close_frames(fd);
}

/* However many requests wait for a thread that takes none, all of the other's are answered. */
static void frames_for_each(void **state)
{
	struct xfn_engine *both[2];
	struct xfn_engine_audit a;
	uint64_t asked = 0;
	int fd;

	(void)state;
	fd = open_frames(2);
	flood(fd, ELSEWHERE, 4 * XFN_UMEM_RING);
	while (echo_round(5))
		;
	for (int i = 0; i < 100; i++) {
		flood(fd, ELSEWHERE, 100);
		flood(fd, 1232, 50);
		echo_until(asked += 50);
	}
	both[0] = engine;
	both[1] = link_end.other;
	ops->audit(both, 2, &a);
	assert_int_equal(a.lost, 0);
	close_frames(fd);
}

XFN_SUITE(cmocka_unit_test(frames_afxdp), cmocka_unit_test(frames_add_up),
	  cmocka_unit_test(frames_for_each))
