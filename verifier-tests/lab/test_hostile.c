// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A running xfn in a lab of its own, asked in every legal shape and with hostile frames, in native
 * and generic mode and in a worker: what is legal is answered rightly, what is not gets no answer
 * and is counted under its reason, and the functions go on. Knows the command line and the wire.
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lab.h"
#include "wire.h"

#define COPIES 20

static int raw = -1;	    /* the client's wire */
static unsigned long asked; /* datagrams that functions are to answer, so far */

static unsigned long reason_count(const char *reason)
{
	return count("reasons", reason, "count");
}

/* Replies from the functions that stand on the client's wire by now. */
static unsigned replies(void)
{
	struct sockaddr_ll from;
	socklen_t len = sizeof(from);
	uint8_t f[4096];
	unsigned n = 0;
	ssize_t got;

	while ((got = recvfrom(raw, f, sizeof(f), MSG_DONTWAIT, (struct sockaddr *)&from, &len)) >
	       0) {
		size_t udp = xfn_get_be16(f + 12) == 0x0800 ? 34 : 54;

		if (from.sll_pkttype != PACKET_OUTGOING && (size_t)got >= udp + 8 &&
		    (xfn_get_be16(f + udp) == 1232 || xfn_get_be16(f + udp) == 7))
			n++;
		len = sizeof(from);
	}
	return n;
}

static void send_frame(const uint8_t *f, size_t len)
{
	assert_int_equal(send(raw, f, len, 0), len);
}

/* The frame as it is now: no reply, and each copy counted under `reason`, once. */
static void hostile(const uint8_t *f, size_t len, const char *reason, const char *what)
{
	struct books before = read_books(true);
	unsigned long so_far = reason_count(reason);
	/* hosts send these too */
	bool alone = strcmp(reason, "EXT_HEADER");

	for (int i = 0; i < COPIES; i++)
		send_frame(f, len);
	/* a worker counts when it comes to it */
	if (!SOON(reason_count(reason) >= so_far + COPIES))
		fail_msg("%s: %lu of %d counted as %s", what, reason_count(reason) - so_far, COPIES,
			 reason);
	assert_int_equal(balance(&before, alone ? COPIES : 0, what), alone ? COPIES : 0);
	if (alone)
		assert_int_equal(reason_count(reason), so_far + COPIES);
	if (replies())
		fail_msg("%s was answered", what);
}

static void hostile_frames(void)
{
	uint8_t f[4096], g[4096];
	size_t len;

#define CASE(version, reason, what, change)                                                        \
	len = good(f, version, 64);                                                                \
	change;                                                                                    \
	hostile(f, len, reason, what)
#define REPAIRED(version, reason, what, change)                                                    \
	CASE(version, reason, what, change; frame_repair(f, version))

	CASE(4, "BAD_UDP_SUM", "wrong UDP checksum", f[41] ^= 0x55);
	CASE(6, "BAD_UDP_SUM", "wrong UDP checksum (v6)", f[61] ^= 0x55);
	CASE(6, "NO_UDP_SUM", "IPv6 without checksum", f[60] = f[61] = 0);
	CASE(4, "BAD_IP_SUM", "wrong IPv4 checksum", f[24] ^= 1);
	REPAIRED(4, "TRUNCATED", "IPv4 longer than the frame", xfn_put_be16(f + 16, 500));
	REPAIRED(4, "BAD_UDP_LEN", "UDP shorter than IP says", xfn_put_be16(f + 38, 20));
	CASE(4, "BAD_UDP_LEN", "UDP length 0", xfn_put_be16(f + 38, 0));
	CASE(6, "TRUNCATED", "IPv6 longer than the frame", xfn_put_be16(f + 18, 500));
	REPAIRED(4, "BAD_SOURCE", "own address as source", memcpy(f + 26, f + 30, 4));
	REPAIRED(6, "BAD_SOURCE", "own address as source (v6)", memcpy(f + 22, f + 38, 16));
	REPAIRED(4, "BAD_SOURCE", "source 127.0.0.1", memcpy(f + 26, "\x7f\0\0\1", 4));
	REPAIRED(4, "BAD_SOURCE", "source 0.0.0.0", memset(f + 26, 0, 4));
	REPAIRED(4, "BAD_SOURCE", "source 224.0.0.1", memcpy(f + 26, "\xe0\0\0\1", 4));
	REPAIRED(4, "BAD_SOURCE", "source 255.255.255.255", memset(f + 26, 255, 4));
	REPAIRED(6, "BAD_SOURCE", "source ::1", (memset(f + 22, 0, 15), f[37] = 1));
	REPAIRED(6, "BAD_SOURCE", "source ff02::1", memcpy(f + 22, "\xff\x02", 2));
	REPAIRED(4, "PORT_ZERO", "source port 0", xfn_put_be16(f + 34, 0));
	REPAIRED(4, "RESPONDER", "source port 19", xfn_put_be16(f + 34, 19));
	REPAIRED(6, "RESPONDER", "source port 11211", xfn_put_be16(f + 54, 11211));
	REPAIRED(4, "BAD_SOURCE", "another own address as source", memcpy(f + 26, "\xc0\0\2\5", 4));
	REPAIRED(6, "BAD_SOURCE", "another own address as source (v6)",
		 (memset(f + 22, 0, 16), memcpy(f + 22, "\xfd\x79", 2), f[37] = 5));
	REPAIRED(4, "BAD_SOURCE", "the subnet's broadcast as source", f[29] = 255);
	CASE(4, "MULTICAST", "broadcast frame", memset(f, 255, 6));
	CASE(4, "MULTICAST", "frame to a group", f[0] |= 1);
	CASE(4, "OTHERHOST", "frame to another host", f[5] ^= 0x40);
	CASE(6, "OTHERHOST", "frame to another host (v6)", f[5] ^= 0x40);
	CASE(4, "OTHERHOST", "frame to no host's MAC", memset(f, 0, 6));
	CASE(6, "OTHERHOST", "frame to no host's MAC (v6)", memset(f, 0, 6));
	REPAIRED(4, "NOT_LOCAL", "broadcast address", f[33] = 255);
	REPAIRED(4, "NOT_LOCAL", "another address", f[33] = 77);
	REPAIRED(4, "FRAGMENT", "lone fragment", xfn_put_be16(f + 20, 0x2000));
	REPAIRED(4, "IP_OPTIONS", "options longer than the packet", f[14] = 0x4f);
	CASE(6, "EXT_HEADER", "broken extension header", f[20] = 60);
#undef CASE
#undef REPAIRED
	/* three tags */
	len = good(f, 4, 64);
	memcpy(g, f, 12);
	for (int i = 0; i < 3; i++)
		xfn_put_be32(g + 12 + 4 * i, 0x81000064);
	memcpy(g + 24, f + 12, len - 12);
	hostile(g, len + 12, "TAGS", "three tags");
}

static void truncations(void)
{
	for (int version = 4; version <= 6; version += 2) {
		struct books before = read_books(true);
		unsigned long no_udp = reason_count("NOT_IP") + reason_count("NOT_UDP");
		uint8_t f[256];
		/* without all of its headers it is no UDP, which is not in the books */
		size_t len = good(f, version, 20), headers = version == 4 ? 28 : 48;

		for (size_t cut = 14; cut < len; cut++)
			send_frame(f, cut);
		balance(&before, len - 14 - headers, "a frame cut short");
		assert_true(
			SOON(reason_count("NOT_IP") + reason_count("NOT_UDP") >= no_udp + headers));
		assert_int_equal(replies(), 0);
	}
}

static const char *server_of(int family)
{
	return family == AF_INET ? "10.78.0.1" : "fd78::1";
}

/* A socket of the client's, connected: a reply from another address would not arrive. */
static int client(int family, uint16_t port)
{
	struct sockaddr_storage to;
	socklen_t len = place(server_of(family), port, &to);
	int fd;

	be("client");
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	be(NULL);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, len), 0);
	return fd;
}

/* Ask by socket; with an option where the family's level and name are given. */
static void ask(int family, uint16_t port, size_t size, int name, const void *option,
		socklen_t optlen)
{
	uint8_t request[8192], reply[65536];
	struct pollfd wait = { .events = POLLIN };
	int fd = client(family, port);
	ssize_t got;

	for (size_t i = 0; i < size; i++)
		request[i] = (uint8_t)(i * 7 + size);
	if (optlen)
		assert_int_equal(setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, name,
					    option, optlen),
				 0);
	assert_int_equal(send(fd, request, size, 0), size);
	asked++;
	wait.fd = fd;
	if (poll(&wait, 1, 2000) != 1)
		fail_msg("IPv%d, port %u, %zu bytes, option %d: no reply",
			 family == AF_INET ? 4 : 6, port, size, optlen ? name : 0);
	got = recv(fd, reply, sizeof(reply), 0);
	close(fd);
	assert_int_equal(got, size);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(reply[i], request[port == 7 ? i : size - 1 - i]);
}

/* Several datagrams sent as one (UDP_SEGMENT), all but the last of 100 bytes, that one shorter.
 * Returns the socket. */
static int send_burst(int family, unsigned count, uint8_t *request)
{
	const int segment = 100;
	size_t len = count * 100 - 60;
	int fd = client(family, 1232);

	for (size_t i = 0; i < len; i++)
		request[i] = (uint8_t)(i / 100 * 4 + i % 100 / 50);
	assert_int_equal(setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)), 0);
	assert_int_equal(send(fd, request, len, 0), len);
	asked += count;
	return fd;
}

/* Each of them is answered, also where they are longer than a frame together. */
static void burst(int family, unsigned count)
{
	uint8_t request[100 * 64], reply[2048];
	int fd = send_burst(family, count, request);
	uint64_t seen = 0;

	for (unsigned n = 0; n < count; n++) {
		struct pollfd wait = { fd, POLLIN, 0 };
		unsigned which;
		ssize_t got;

		if (poll(&wait, 1, 2000) != 1)
			fail_msg("IPv%d: %u of %u segments answered", family == AF_INET ? 4 : 6, n,
				 count);
		got = recv(fd, reply, sizeof(reply), 0);
		assert_true(got > 0);
		which = reply[got - 1] / 4;
		assert_true(which < count);
		assert_int_equal(got, which == count - 1 ? 40 : 100);
		for (ssize_t i = 0; i < got; i++)
			assert_int_equal(reply[i], request[which * 100 + got - 1 - i]);
		seen |= 1ull << which;
	}
	close(fd);
	assert_int_equal(seen, (1ull << count) - 1);
}

static void answered_bursts(void)
{
	struct books before = read_books(false);
	unsigned long asked_before = asked;

	for (unsigned segments = 4; segments <= 40; segments += 36) {
		burst(AF_INET, segments);
		burst(AF_INET6, segments);
	}
	assert_int_equal(balance(&before, asked - asked_before, "bursts"), 0);
}

static void legal_shapes(void)
{
	static const uint8_t nops[4] = { 1, 1, 1, 1 }, padding[8] = { 0, 0, 1, 4 };
	struct books before = read_books(false);
	unsigned long asked_before = asked;

	for (uint16_t port = 7; port <= 1232; port += 1225) {
		for (size_t size = 0; size <= 1472; size += size < 24 ? 1 : 181) {
			ask(AF_INET, port, size, 0, NULL, 0);
			if (size <= 1452)
				ask(AF_INET6, port, size, 0, NULL, 0);
		}
		/* more than a frame holds: fragments */
		ask(AF_INET, port, 4000, 0, NULL, 0);
		ask(AF_INET6, port, 4000, 0, NULL, 0);
		ask(AF_INET, port, 33, IP_OPTIONS, nops, sizeof(nops));
		ask(AF_INET6, port, 33, IPV6_DSTOPTS, padding, sizeof(padding));
	}
	assert_int_equal(balance(&before, asked - asked_before, "what is legal"), 0);
	answered_bursts();
	replies();
}

/* Send the frame until it is counted so. Returns how often that was. */
static unsigned becomes(const uint8_t *f, size_t len, const char *reason, const char *what)
{
	unsigned long before = reason_count(reason);
	unsigned sent = 0;

	for (; sent < 100 && reason_count(reason) == before; sent++) {
		send_frame(f, len);
		usleep(10000);
	}
	if (reason_count(reason) == before)
		fail_msg("%s: never counted as %s", what, reason);
	return sent;
}

/* Who this host is changes while it serves. */
static void follows_changes(void)
{
	struct books before = read_books(true);
	uint8_t f[256];
	size_t len = good(f, 4, 64);
	unsigned sent;

	memcpy(f + 26, "\xc0\0\2\6", 4);
	frame_repair(f, 4);
	ON("server", "ip addr add 192.0.2.6/32 dev lo");
	sent = becomes(f, len, "BAD_SOURCE", "a new own address as source");
	ON("server", "ip addr del 192.0.2.6/32 dev lo");
	len = good(f, 4, 64);
	ON("server", "ip link set %s address 02:78:66:6e:00:99", iface);
	sent += becomes(f, len, "OTHERHOST", "the old MAC");
	ON("server", "ip link set %s address 02:78:66:6e:00:01", iface);
	f[5] = 0x99;
	sent += becomes(f, len, "OTHERHOST", "the MAC of meanwhile");
	balance(&before, sent, "while the host changes");
	replies();
}

static void begin(const char *options)
{
	char words[200];

	if (!lab[0])
		skip();
	snprintf(words, sizeof(words), "-i %s %s", iface, options);
	start(words);
}

static void all(const char *options)
{
	begin(options);
	legal_shapes();
	follows_changes();
	hostile_frames();
	truncations();
	legal_shapes();
	stop();
}

static void native(void **state)
{
	(void)state;
	all("--mode native");
}

static void generic(void **state)
{
	(void)state;
	all("--mode generic");
}

static void worker(void **state)
{
	(void)state;
	all("--tier afxdp");
}

static void generic_worker(void **state)
{
	(void)state;
	all("--tier afxdp --mode generic");
}

/* Those that a ring brings are not answered, and each of their datagrams is counted. */
static void counted_bursts(void)
{
	struct books before = read_books(false);
	unsigned long asked_before = asked, full = reason_count("RING_FULL"), bursts = 0;
	uint8_t request[100 * 64];

	for (unsigned segments = 4; segments <= 40; segments += 36)
		for (int v6 = 0; v6 < 2; v6++, bursts++)
			close(send_burst(v6 ? AF_INET6 : AF_INET, segments, request));
	/* before Linux 6.2 the kernel drops them there, and tells of each burst alone */
	if (SOON(read_books(false).counted >= before.counted + bursts) &&
	    reason_count("RING_FULL") == full + bursts)
		return;
	assert_int_equal(balance(&before, asked - asked_before, "bursts"), asked - asked_before);
	assert_int_equal(reason_count("TOO_LONG"), asked - asked_before);
	assert_int_equal(replies(), 0);
}

static void bursts_behind_sockets(void **state)
{
	(void)state;
	begin("--engine mmsg");
	answered_bursts();
	replies();
	stop();
}

static void bursts_of_a_ring(void **state)
{
	(void)state;
	begin("--engine packet");
	counted_bursts();
	stop();
}

static int tear_down(void **state)
{
	if (raw >= 0)
		close(raw);
	return lower(state);
}

static int set_up(void **state)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };

	(void)state;
	if (raise_lab('h') || !lab[0])
		return lab[0] ? -1 : 0;
	/* of this host, though not of the interface */
	ON("server", "ip addr add 192.0.2.5/32 dev lo");
	ON("server", "ip addr add fd79::5/128 dev lo");
	be("client");
	raw = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	at.sll_ifindex = if_nametoindex(client_iface);
	be(NULL);
	return raw < 0 || bind(raw, (struct sockaddr *)&at, sizeof(at)) ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(native, end_server),
		cmocka_unit_test_teardown(generic, end_server),
		cmocka_unit_test_teardown(worker, end_server),
		cmocka_unit_test_teardown(generic_worker, end_server),
		cmocka_unit_test_teardown(bursts_behind_sockets, end_server),
		cmocka_unit_test_teardown(bursts_of_a_ring, end_server),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
