// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The engines over UDP sockets: uring, mmsg and simple, over loopback. The test is the worker: it
 * echoes. Knows nothing of functions.
 */
#include <errno.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../skel/error.h"
#include "../../userspace/sockets/udp_socket.h"
#include "../unit/engine_rounds.h"

#define PAYLOAD_MAX 1472
#define SOCKETS	    16

static bool sqpoll;

static socklen_t address(int family, const char *ip, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;

	memset(out, 0, sizeof(*out));
	out->ss_family = (sa_family_t)family;
	if (inet_pton(family, ip, family == AF_INET ? (void *)&in->sin_addr : &in6->sin6_addr) != 1)
		abort();
	return family == AF_INET ? sizeof(*in) : sizeof(*in6);
}

static uint16_t udp(int family, const char *ip, int *fd)
{
	struct sockaddr_storage name;
	socklen_t len = address(family, ip, &name);
	int on = 1;

	*fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(*fd >= 0);
	assert_int_equal(setsockopt(*fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&name, len), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&name, &len), 0);
	return ntohs(((struct sockaddr_in *)&name)->sin_port);
}

static int client(int family, const char *ip, uint16_t port)
{
	const struct timeval wait = { .tv_sec = 1 };
	struct sockaddr_storage name;
	socklen_t len = address(family, ip, &name);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	((struct sockaddr_in *)&name)->sin_port = htons(port);
	/* connected: a reply from any other address does not arrive */
	assert_int_equal(connect(fd, (struct sockaddr *)&name, len), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

/*
 * Until what was sent before has arrived, all from one CPU: loopback's backlog holds 1000 packets,
 * in turn, and on a busy machine they wait for its thread.
 */
static void arrived(void)
{
	static int from = -1, to;
	cpu_set_t here;
	char byte = 0;

	if (from < 0) {
		from = client(AF_INET, "127.0.0.1", udp(AF_INET, "127.0.0.1", &to));
		CPU_ZERO(&here);
		CPU_SET(sched_getcpu(), &here);
		assert_int_equal(sched_setaffinity(0, sizeof(here), &here), 0);
	}
	assert_int_equal(send(from, &byte, 1, 0), 1);
	while (recv(to, &byte, 1, 0) < 0)
		assert_int_equal(errno, EINTR);
}

/* Each datagram that was sent is taken, refused by the engine, or dropped by its socket. */
static void balance(uint64_t sent, const int *fds, unsigned count)
{
	uint64_t counted = 0;

	arrived();
	for (int idle = 0; counted < sent && idle < 100; idle++) {
		struct xfn_engine_stats st;

		while (echo_round(20))
			idle = 0;
		ops->stats(engine, &st);
		counted = st.received + st.truncated;
		for (unsigned i = 0; i < count; i++)
			counted += xfn_udp_socket__dropped(fds[i]);
	}
	assert_int_equal(counted, sent);
}

static void fill(uint8_t *p, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(seed * 31 + i * 7);
}

static void expect(int fd, size_t len, unsigned seed)
{
	uint8_t want[PAYLOAD_MAX], got[2048];
	ssize_t n;

	fill(want, len, seed);
	do /* the kernel interrupts us when it is done with a ring that was closed */
		n = recv(fd, got, sizeof(got), 0);
	while (n < 0 && errno == EINTR);
	assert_int_equal(n, len);
	assert_memory_equal(got, want, len);
}

static void open_engine(const char *name, const int *fds, const uint16_t *ports, unsigned count,
			bool spin)
{
	struct xfn_engine_socket socks[SOCKETS] = {};
	struct xfn_engine_config cfg = { .sockets = socks,
					 .socket_count = count,
					 .payload_max = PAYLOAD_MAX,
					 .spin = spin,
					 .sqpoll = sqpoll };
	struct xfn_error err = { 0 };

	ops = xfn_engine_find(name);
	assert_non_null(ops);
	if (xfn_engine_probe(ops, &err)) {
		print_message("%s: %s\n", name, err.line);
		skip();
	}
	for (unsigned i = 0; i < count; i++)
		socks[i] = (struct xfn_engine_socket){ .fd = fds[i],
						       .slot = 10 + i,
						       .local.port = ports[i] };
	if (ops->open(&engine, &cfg, &err))
		fail_msg("%s", err.line);
}

/* 1000 datagrams of 0 to 1472 bytes per family, 16 on the way at a time. */
static void echoes(const char *name)
{
	int fds[2], clients[2];
	uint16_t ports[2] = { udp(AF_INET, "127.0.0.1", &fds[0]), udp(AF_INET6, "::1", &fds[1]) };
	struct xfn_engine_stats st;
	uint8_t out[PAYLOAD_MAX + 1];

	open_engine(name, fds, ports, 2, false);
	clients[0] = client(AF_INET, "127.0.0.1", ports[0]);
	clients[1] = client(AF_INET6, "::1", ports[1]);
	for (unsigned i = 0; i < 2000; i += 16) {
		for (unsigned k = i; k < i + 16; k++) {
			size_t len = k / 2 * 37 % (PAYLOAD_MAX + 1);

			fill(out, len, k);
			assert_int_equal(send(clients[k & 1], out, len, 0), len);
		}
		echo_until(i + 16);
		for (unsigned k = i; k < i + 16; k++)
			expect(clients[k & 1], k / 2 * 37 % (PAYLOAD_MAX + 1), k);
	}
	assert_int_equal(last.local.port, ports[last.slot - 10]);
	assert_int_equal(last.local.ip[15], 1);
	/* one byte too long is never shown to a function */
	assert_int_equal(send(clients[0], out, sizeof(out), 0), sizeof(out));
	for (int i = 0; i < 5; i++)
		assert_int_equal(echo_round(20), 0);
	balance(2001, fds, 2);
	ops->stats(engine, &st);
	assert_int_equal(st.truncated, 1);
	assert_int_equal(st.received, 2000);
	assert_int_equal(st.sent, 2000);
	assert_int_equal(st.send_failed, 0);
	ops->close(engine);
	for (int i = 0; i < 2; i++)
		close(clients[i]), close(fds[i]);
}

/* More than the engine has buffers for waits when it first looks; nothing is lost, and it goes on.
 */
static void burst(const char *name)
{
	int fds[SOCKETS], clients[SOCKETS];
	uint16_t ports[SOCKETS];
	struct xfn_engine_stats st;
	uint8_t out[64];

	for (int i = 0; i < SOCKETS; i++)
		ports[i] = udp(AF_INET, "127.0.0.1", &fds[i]);
	open_engine(name, fds, ports, SOCKETS, true);
	for (int i = 0; i < SOCKETS; i++)
		clients[i] = client(AF_INET, "127.0.0.1", ports[i]);
	for (unsigned round = 1; round <= 3; round++) {
		for (unsigned k = 0; k < 200 * SOCKETS; k++) {
			fill(out, sizeof(out), k);
			assert_int_equal(send(clients[k % SOCKETS], out, sizeof(out), 0), 64);
			if (k % 400 == 399)
				arrived();
		}
		/* each look lets the kernel fill more buffers, until it has none */
		for (int i = 0; i < 400; i++)
			assert_int_equal(ops->poll(engine, 0), 0);
		while (echo_round(20))
			arrived();
		echo_until(round * 200 * SOCKETS);
		for (unsigned k = 0; k < 200 * SOCKETS; k++)
			expect(clients[k % SOCKETS], sizeof(out), k);
	}
	balance(3 * 200 * SOCKETS, fds, SOCKETS);
	assert_int_equal(echo_round(0), 0); /* the last replies are counted when next looked */
	ops->stats(engine, &st);
	assert_int_equal(st.sent, 3 * 200 * SOCKETS);
	if (ops == &xfn_engine_uring)
		assert_true(st.stalls > 0); /* else the burst was too small to show anything */
	ops->close(engine);
	for (int i = 0; i < SOCKETS; i++)
		close(clients[i]), close(fds[i]);
}

/* A wildcard socket answers from the address that was asked. */
static void wildcard(const char *name)
{
	int fd, from;
	uint16_t port = udp(AF_INET, "0.0.0.0", &fd);

	open_engine(name, &fd, &port, 1, false);
	from = client(AF_INET, "127.0.0.2", port);
	assert_int_equal(send(from, "", 0, 0), 0);
	echo_until(1);
	expect(from, 0, 0);
	assert_memory_equal(last.local.ip + 10, "\xff\xff\x7f\0\0\2", 6);
	assert_memory_equal(last.peer.ip + 10, "\xff\xff\x7f\0\0", 5);
	ops->close(engine);
	close(from);
	close(fd);
}

#define FLOODED	  3
#define ALL	  6
#define QUESTIONS 3
#define SETTLED	  (32 * XFN_BATCH) /* datagrams of the flood before the others are asked */
#define WITHIN	  (16 * XFN_BATCH) /* datagrams until all of these are answered */

/* Sockets that always have more do not keep the others from being read, and share alike. */
static void fair(const char *name)
{
	int fds[ALL], clients[ALL];
	uint16_t ports[ALL];
	unsigned seen[ALL] = {}, total = 0, since = XFN_BATCH, least = ~0u, most = 0, sent = 0;
	bool asked = false;

	for (int i = 0; i < ALL; i++)
		ports[i] = udp(AF_INET, "127.0.0.1", &fds[i]);
	open_engine(name, fds, ports, ALL, false);
	for (int i = 0; i < ALL; i++)
		clients[i] = client(AF_INET, "127.0.0.1", ports[i]);
	while (total < SETTLED + WITHIN) {
		unsigned n;

		for (unsigned k = 0; since >= XFN_BATCH && k < FLOODED * XFN_BATCH; k++)
			sent += send(clients[k % FLOODED], "flood", 5, 0) == 5;
		for (unsigned k = 0; total >= SETTLED && !asked && k < QUESTIONS; k++)
			for (int i = FLOODED; i < ALL; i++)
				sent += send(clients[i], "quiet", 5, 0) == 5;
		if (since >= XFN_BATCH || (total >= SETTLED && !asked))
			arrived();
		asked = total >= SETTLED;
		since = since >= XFN_BATCH ? 0 : since;
		n = echo_round(20);
		for (unsigned i = 0; i < n; i++)
			seen[batch[i].slot - 10]++;
		total += n;
		since += n;
	}
	for (int i = FLOODED; i < ALL; i++)
		assert_int_equal(seen[i], QUESTIONS);
	for (int i = 0; i < FLOODED; i++) {
		least = seen[i] < least ? seen[i] : least;
		most = seen[i] > most ? seen[i] : most;
	}
	assert_true(least > most / 2);
	balance(sent, fds, ALL);
	ops->close(engine);
	for (int i = 0; i < ALL; i++)
		close(clients[i]), close(fds[i]);
}

#define WAITING 200 /* more than the engine has buffers for */

/* A flood that is not answered does not keep requests to another socket from being read. */
static void unanswered(const char *name)
{
	int fds[2], clients[2];
	uint16_t ports[2];
	unsigned n, seen = 0, sent = WAITING;

	for (int i = 0; i < 2; i++)
		ports[i] = udp(AF_INET, "127.0.0.1", &fds[i]);
	open_engine(name, fds, ports, 2, false);
	for (int i = 0; i < 2; i++)
		clients[i] = client(AF_INET, "127.0.0.1", ports[i]);
	for (unsigned k = 0; k < WAITING; k++)
		assert_int_equal(send(clients[0], "waits", 5, 0), 5);
	for (unsigned round = 0; round < 3 * WAITING && seen < WAITING; round++) {
		for (unsigned k = 0; k < XFN_BATCH; k++)
			sent += send(clients[1], "flood", 5, 0) == 5;
		arrived();
		n = ops->take(engine, batch, XFN_BATCH);
		for (unsigned i = 0; i < n; i++) {
			batch[i].send = batch[i].slot == 10;
			seen += batch[i].send;
		}
		if (n)
			ops->give(engine, batch, n);
		else
			assert_int_equal(ops->poll(engine, 20), 0);
	}
	assert_int_equal(seen, WAITING);
	balance(sent, fds, 2);
	ops->close(engine);
	for (int i = 0; i < 2; i++)
		close(clients[i]), close(fds[i]);
}

/*
 * What a function writes right beside its payload reaches no other datagram, nor where its own
 * reply goes to.
 */
static void beside(const char *name)
{
	int fd, clients[2];
	uint16_t port = udp(AF_INET, "0.0.0.0", &fd);
	uint8_t out[64];
	unsigned n;

	open_engine(name, &fd, &port, 1, false);
	clients[0] = client(AF_INET, "127.0.0.1", port);
	clients[1] = client(AF_INET, "127.0.0.2", port);
	for (unsigned k = 0; k < 16; k++) {
		fill(out, sizeof(out), k);
		assert_int_equal(send(clients[k & 1], out, sizeof(out), 0), sizeof(out));
	}
	arrived();
	for (unsigned seen = 0; seen < 16; seen += n) {
		n = ops->take(engine, batch, XFN_BATCH);
		if (!n)
			assert_int_equal(ops->poll(engine, 20), 0);
		for (unsigned i = 0; i < n; i++) {
			struct xfn_datagram *d = &batch[i];
			/* there the peer's name stands before it as well */
			size_t before = ops == &xfn_engine_uring ? 120 : XFN_GUARD;

			assert_true(d->guarded);
			memset(d->data - before, 0x5a, before);
			memset(d->data + d->capacity, 0x5a, XFN_GUARD);
			d->send = true;
		}
		ops->give(engine, batch, n);
	}
	assert_int_equal(echo_round(0), 0);
	for (unsigned k = 0; k < 16; k++)
		expect(clients[k & 1], sizeof(out), k);
	ops->close(engine);
	for (int i = 0; i < 2; i++)
		close(clients[i]);
	close(fd);
}

#define LEFT 200 /* a socket of Linux 6.12 holds 238; more than the engine has buffers for */

/* One that ends answers what it has taken: the rest is the next one's. */
static void ends(const char *name)
{
	int fd, from;
	uint16_t port = udp(AF_INET, "127.0.0.1", &fd);
	struct xfn_engine_stats st;
	unsigned left = 0;
	uint8_t out[64];

	open_engine(name, &fd, &port, 1, false);
	from = client(AF_INET, "127.0.0.1", port);
	for (unsigned k = 0; k < LEFT; k++)
		assert_int_equal(send(from, "waits", 5, 0), 5);
	arrived();
	assert_int_equal(ops->poll(engine, 20), 0);
	ops->give(engine, batch, ops->take(engine, batch, 8));
	if (ops->last)
		ops->last(engine);
	for (unsigned n = ops->last ? 8 : 0; n;) {
		n = ops->take(engine, batch, 8);
		ops->give(engine, batch, n);
	}
	ops->stats(engine, &st);
	ops->close(engine);
	while (recv(fd, out, sizeof(out), MSG_DONTWAIT) > 0)
		left++;
	assert_int_equal(st.received + left, LEFT);
	assert_true(left > 0 && st.received > 0);
	close(from);
	close(fd);
}

#define EACH(test)                                                                                 \
	static void test##_uring(void **state)                                                     \
	{                                                                                          \
		(void)state;                                                                       \
		test("uring");                                                                     \
	}                                                                                          \
	static void test##_mmsg(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		test("mmsg");                                                                      \
	}                                                                                          \
	static void test##_simple(void **state)                                                    \
	{                                                                                          \
		(void)state;                                                                       \
		test("simple");                                                                    \
	}
EACH(echoes)
EACH(beside)
EACH(burst)
EACH(wildcard)
EACH(fair)
EACH(unanswered)
EACH(ends)

/* The kernel's thread submits, and tells of each reply when it is sent. */
static void sqpoll_uring(void **state)
{
	(void)state;
	sqpoll = true;
	echoes("uring");
	wildcard("uring");
	fair("uring");
	sqpoll = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echoes_uring),	     cmocka_unit_test(echoes_mmsg),
		cmocka_unit_test(burst_uring),	     cmocka_unit_test(burst_mmsg),
		cmocka_unit_test(wildcard_uring),    cmocka_unit_test(wildcard_mmsg),
		cmocka_unit_test(echoes_simple),     cmocka_unit_test(burst_simple),
		cmocka_unit_test(wildcard_simple),   cmocka_unit_test(fair_uring),
		cmocka_unit_test(fair_mmsg),	     cmocka_unit_test(fair_simple),
		cmocka_unit_test(unanswered_uring),  cmocka_unit_test(unanswered_mmsg),
		cmocka_unit_test(unanswered_simple), cmocka_unit_test(sqpoll_uring),
		cmocka_unit_test(beside_uring),	     cmocka_unit_test(beside_mmsg),
		cmocka_unit_test(beside_simple),     cmocka_unit_test(ends_uring),
		cmocka_unit_test(ends_mmsg),	     cmocka_unit_test(ends_simple),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
