// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The books balance: more is sent than workers take, and each datagram that reached the interface
 * is a request of a function or has a reason, to the last one, in every tier and engine. Knows the
 * command line and the wire.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../skel/array_size.h"
#include "lab.h"

#define FLOOD  20000 /* several times what a ring or a socket's buffer holds */
#define PORT   4000
#define AT     "10.78.0.1"
#define WORKER 16

/* What the client's link has given up on, of what its sockets sent. */
static unsigned long dropped_on_the_way(void)
{
	unsigned long n = 0;
	char line[200];
	FILE *f;

	snprintf(line, sizeof(line),
		 "ip netns exec %s-client cat /sys/class/net/%s/statistics/tx_dropped", lab,
		 client_iface);
	f = popen(line, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &n), 1);
	pclose(f);
	return n;
}

/* Send `count` datagrams. Returns how many of them reached the server's interface. */
static unsigned long flood(const char *ip, unsigned count, size_t len)
{
	unsigned long before = dropped_on_the_way(), sent = 0;
	struct sockaddr_storage to;
	socklen_t to_len = place(ip, PORT, &to);
	static uint8_t payload[2000];
	const int on = 1;
	int fd;

	be("client");
	fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	be(NULL);
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, to_len), 0);
	for (unsigned i = 0; i < count; i++)
		sent += send(fd, payload, len, 0) == (ssize_t)len;
	close(fd);
	return sent - (dropped_on_the_way() - before);
}

/* Requests, and datagrams that have a reason of their own: not what is no UDP (the hosts have
 * neighbours and multicast groups to tell of), not replies, and not what goes on to a socket, which
 * counts it. */
static unsigned long counted(bool lost_only)
{
	static const char *const other[] = { "NOT_IP", "NOT_UDP", "EXT_HEADER", "SEND",
					     "PARTIAL_SUM" };
	json_t *stat = stat_now(), *row;
	unsigned long sum = lost_only ? 0 : count_in(stat, "functions", "echo", "requests");
	size_t i;

	json_array_foreach(json_object_get(stat, "reasons"), i, row) {
		const char *name = json_string_value(json_object_get(row, "name"));
		bool counts = true;

		for (unsigned k = 0; k < ARRAY_SIZE(other); k++)
			counts = counts && strcmp(name, other[k]);
		if (counts)
			sum += json_integer_value(json_object_get(row, "count"));
	}
	json_decref(stat);
	return sum;
}

/* As fail_msg, and tells what was counted. */
#define UNBALANCED(...)                                                                            \
	do {                                                                                       \
		shell("%s stat -i %s", xfn, iface);                                                \
		fail_msg(__VA_ARGS__);                                                             \
	} while (0)

/* The processes of all workers of now; returns how many. */
static unsigned workers(pid_t pid[WORKER])
{
	json_t *stat = stat_now(), *row;
	unsigned n = 0;
	size_t i;

	json_array_foreach(json_object_get(stat, "workers"), i, row) {
		pid[n] = (pid_t)json_integer_value(json_object_get(row, "pid"));
		if (pid[n] > 0 && n < WORKER - 1 && (!n || pid[n] != pid[n - 1]))
			n++;
	}
	json_decref(stat);
	return n;
}

static unsigned lines_with(const char *text)
{
	unsigned n = 0;
	char line[300];
	FILE *f;

	snprintf(line, sizeof(line), "grep -c '%s' %s/out", text, folder);
	f = popen(line, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &n), 1);
	pclose(f);
	return n;
}

static void signal_all(const pid_t *pid, unsigned n, int sig)
{
	for (unsigned i = 0; i < n; i++)
		kill(pid[i], sig);
}

/* Workers stand still while the flood comes, so that it is too much for certain. */
static void balance(const char *options, const char *ip, bool loses)
{
	unsigned long reached, lost;
	pid_t pid[WORKER];
	unsigned n;

	if (!lab[0])
		skip();
	start("-i %s %s echo@%u", iface, options, PORT);
	n = workers(pid);
	signal_all(pid, n, SIGSTOP);
	reached = flood(ip, FLOOD, 200);
	signal_all(pid, n, SIGCONT);
	if (!SOON(counted(false) >= reached) || counted(false) != reached)
		UNBALANCED("%s: %lu reached the interface, %lu are counted, %lu of them under a "
			   "reason",
			   options, reached, counted(false), counted(true));
	lost = counted(true);
	if (loses ? !lost : lost)
		fail_msg("%s: %lu lost of %lu", options, lost, reached);
	/* what was lost stays so when the sockets and rings are new ones */
	n = workers(pid);
	signal_all(pid, n, SIGKILL);
	assert_true(SOON(lines_with("serves again") >= n));
	reached += flood(ip, 100, 20);
	if (!SOON(counted(false) >= reached) || counted(false) != reached)
		UNBALANCED("%s, after a restart: %lu reached the interface, %lu are counted",
			   options, reached, counted(false));
	stop();
}

#define BALANCE(name, options, ip, loses)                                                          \
	static void balance_##name(void **state)                                                   \
	{                                                                                          \
		(void)state;                                                                       \
		balance(options, ip, loses);                                                       \
	}
BALANCE(xdp, "--tier xdp", AT, false)
BALANCE(afxdp, "--tier afxdp", AT, true)
/* the client's sums are half made: all of it takes the slow path */
BALANCE(afxdp_generic_partial, "--tier afxdp --mode generic", "fd78::1", true)
BALANCE(afxdp_threads, "--tier afxdp --workers-per-queue 2", AT, true)
BALANCE(uring, "--tier socket --engine uring", AT, true)
BALANCE(mmsg, "--tier socket --engine mmsg", "fd78::1", true)
BALANCE(simple, "--tier socket --engine simple", AT, true)
BALANCE(packet, "--engine packet", AT, true)

static void balance_afxdp_generic(void **state)
{
	(void)state;
	if (!lab[0])
		skip();
	assert_int_equal(ON("client", "ethtool -K %s tx off >/dev/null", client_iface), 0);
	balance("--tier afxdp --mode generic", "fd78::1", true);
}

static int whole_no_more(void **state)
{
	if (lab[0])
		ON("client", "ethtool -K %s tx on >/dev/null", client_iface);
	return end_server(state);
}

/* What is for many, or in a frame for all, is nobody's request, and counted once. */
static void once(void **state)
{
	static const char *const ways[] = { "--tier xdp", "--tier afxdp", "--mode generic" };
	static const char *const to[] = { "224.0.0.251", "10.78.0.255", AT };
	unsigned long before, reached;

	(void)state;
	if (!lab[0])
		skip();
	ON("client", "ip route add 224.0.0.0/4 dev %s", client_iface);
	ON("client", "ip neigh replace " AT " lladdr ff:ff:ff:ff:ff:ff dev %s nud permanent",
	   client_iface);
	for (unsigned w = 0; w < 3; w++) {
		start("-i %s %s echo@%u", iface, ways[w], PORT);
		for (unsigned i = 0; i < 3; i++) {
			before = counted(false);
			reached = flood(to[i], 50, 20);
			if (!SOON(counted(false) - before >= reached) ||
			    counted(false) - before != reached ||
			    count("functions", "echo", "requests"))
				UNBALANCED("%s, to %s: %lu reached the interface, %lu are counted",
					   ways[w], to[i], reached, counted(false) - before);
		}
		stop();
	}
}

static int set_up(void **state)
{
	(void)state;
	return raise_lab('b');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(balance_xdp, end_server),
		cmocka_unit_test_teardown(balance_afxdp, end_server),
		cmocka_unit_test_teardown(balance_afxdp_generic, whole_no_more),
		cmocka_unit_test_teardown(balance_afxdp_generic_partial, end_server),
		cmocka_unit_test_teardown(balance_afxdp_threads, end_server),
		cmocka_unit_test_teardown(balance_uring, end_server),
		cmocka_unit_test_teardown(balance_mmsg, end_server),
		cmocka_unit_test_teardown(balance_simple, end_server),
		cmocka_unit_test_teardown(balance_packet, end_server),
		cmocka_unit_test_teardown(once, end_server),
	};

	return cmocka_run_group_tests(tests, set_up, lower);
}
