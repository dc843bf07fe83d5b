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
static void flooded(const char *options, const char *ip, bool loses)
{
	unsigned long reached, lost;
	struct books none = {};
	pid_t pid[WORKER];
	unsigned n;

	if (!lab[0])
		skip();
	start("-i %s %s echo@%u", iface, options, PORT);
	n = workers(pid);
	signal_all(pid, n, SIGSTOP);
	reached = flood(ip, PORT, FLOOD, 200);
	signal_all(pid, n, SIGCONT);
	lost = balance(&none, reached, options);
	if (loses ? !lost : lost)
		fail_msg("%s: %lu lost of %lu", options, lost, reached);
	/* what was lost stays so when the sockets and rings are new ones */
	n = workers(pid);
	signal_all(pid, n, SIGKILL);
	assert_true(SOON(lines_with("serves again") >= n));
	reached += flood(ip, PORT, 100, 20);
	balance(&none, reached, options);
	stop();
}

#define BALANCE(name, options, ip, loses)                                                          \
	static void balance_##name(void **state)                                                   \
	{                                                                                          \
		(void)state;                                                                       \
		flooded(options, ip, loses);                                                       \
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
	flooded("--tier afxdp --mode generic", "fd78::1", true);
}

static int whole_no_more(void **state)
{
	if (lab[0])
		ON("client", "ethtool -K %s tx on >/dev/null", client_iface);
	return end_server(state);
}

#define WAITING 500 /* datagrams: as many as a ring or a socket's buffer holds for certain */

/* What waits for a worker that dies is the next one's. */
static void kept(const char *engine)
{
	unsigned long reached;
	struct books none = {};
	pid_t pid[WORKER];
	char words[300];
	unsigned n;

	if (!lab[0])
		skip();
	snprintf(words, sizeof(words), "-i %s --engine %s echo@%u", iface, engine, PORT);
	start(words);
	n = workers(pid);
	signal_all(pid, n, SIGSTOP);
	reached = flood(AT, PORT, WAITING, 20);
	signal_all(pid, n, SIGKILL);
	assert_true(SOON(lines_with("serves again") >= n));
	reached += flood(AT, PORT, WAITING, 20);
	assert_int_equal(balance(&none, reached, engine), 0);
	stop();
}

#define KEPT(engine)                                                                               \
	static void kept_##engine(void **state)                                                    \
	{                                                                                          \
		(void)state;                                                                       \
		kept(#engine);                                                                     \
	}
KEPT(uring)
KEPT(mmsg)
KEPT(simple)
KEPT(packet)

/* What is for many, or in a frame for all, is nobody's request, and counted once. */
static void once(void **state)
{
	static const char *const ways[] = { "--tier xdp", "--tier afxdp", "--mode generic" };
	static const char *const to[] = { "224.0.0.251", "10.78.0.255", AT };

	(void)state;
	if (!lab[0])
		skip();
	ON("client", "ip route add 224.0.0.0/4 dev %s", client_iface);
	ON("client", "ip neigh replace " AT " lladdr ff:ff:ff:ff:ff:ff dev %s nud permanent",
	   client_iface);
	for (unsigned w = 0; w < 3; w++) {
		start("-i %s %s echo@%u", iface, ways[w], PORT);
		for (unsigned i = 0; i < 3; i++) {
			struct books before = read_books(false);
			unsigned long reached = flood(to[i], PORT, 50, 20);

			assert_int_equal(balance(&before, reached, ways[w]), reached);
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
		cmocka_unit_test_teardown(kept_uring, end_server),
		cmocka_unit_test_teardown(kept_mmsg, end_server),
		cmocka_unit_test_teardown(kept_simple, end_server),
		cmocka_unit_test_teardown(kept_packet, end_server),
		cmocka_unit_test_teardown(once, end_server),
	};

	return cmocka_run_group_tests(tests, set_up, lower);
}
