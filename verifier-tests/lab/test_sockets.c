// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who answers at which address and port: the function that names it most exactly, in every tier and
 * engine, on the fast path and the slow one; no other server's socket shares a port with ours, and
 * none is in our way elsewhere. Knows the command line and the wire.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include <cmocka.h>
#include "../../xdp/abi.h"
#include "lab.h"

#define ASKERS 8 /* sockets that ask, each from another port */
#define SLOW   3000
#define WAIT   5000 /* ms */

/* Asks ASKERS times, with so many bytes "ab...". 'e': each got echo's reply, 'r': reverse's, 'n':
 * nobody any, '?': something else, or now this and now that. */
static char who(const char *ip, uint16_t port, size_t len, int wait_ms)
{
	struct pollfd fds[ASKERS];
	struct sockaddr_storage to;
	socklen_t to_len = place(ip, port, &to);
	static uint8_t out[65536], back[65536], in[65536];
	char all = 0;

	for (size_t i = 0; i < len; i++) {
		out[i] = (uint8_t)(i * 7 + 1);
		back[len - 1 - i] = out[i];
	}
	be("client");
	for (int i = 0; i < ASKERS; i++) {
		fds[i] = (struct pollfd){ .fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0),
					  .events = POLLIN };
		assert_int_equal(connect(fds[i].fd, (struct sockaddr *)&to, to_len), 0);
		assert_int_equal(send(fds[i].fd, out, len, 0), len);
	}
	be(NULL);
	for (int i = 0; i < ASKERS; i++) {
		bool came = poll(&fds[i], 1, wait_ms) == 1;
		ssize_t n = came ? recv(fds[i].fd, in, sizeof(in), 0) : -1;
		char one = n < 0		  ? 'n' :
			   n != (ssize_t)len	  ? '?' :
			   !memcmp(in, out, len)  ? 'e' :
			   !memcmp(in, back, len) ? 'r' :
						    '?';

		if (!came)
			wait_ms = wait_ms < 100 ? wait_ms : 100;
		all = !all || all == one ? one : '?';
		close(fds[i].fd);
	}
	return all;
}

/* "e 10.78.0.1:4000", each also in fragments. */
static void expect(const char *what)
{
	char ip[64], who_fast, who_slow;
	unsigned port;

	assert_int_equal(sscanf(what + 2, "%63[^ ] %u", ip, &port), 2);
	who_fast = who(ip, (uint16_t)port, 40, WAIT);
	who_slow = who(ip, (uint16_t)port, SLOW, WAIT);
	if (who_fast != what[0] || who_slow != what[0])
		fail_msg("%s: '%c', in fragments '%c'", what, who_fast, who_slow);
}

#define NEAR "10.78.0.1"
#define ALSO "10.78.0.9"
#define SIX  "fd78::1"

static void exact(const char *options)
{
	if (!lab[0])
		skip();
	start("-i %s %s echo@" NEAR ":4000 reverse@4000 reverse@[::]:4001 echo@0.0.0.0:4001 "
	      "echo@4002 reverse@0.0.0.0:4002",
	      iface, options);
	expect("e " NEAR " 4000");
	expect("r " ALSO " 4000");
	expect("r " SIX " 4000");
	expect("e " ALSO " 4001");
	expect("r " SIX " 4001");
	expect("r " NEAR " 4002");
	expect("e " SIX " 4002");
	/* the longest that there are */
	assert_int_equal(who(NEAR, 4000, XFN_PAYLOAD_MAX_V4, WAIT), 'e');
	assert_int_equal(who(SIX, 4000, XFN_PAYLOAD_MAX, WAIT), 'r');
	stop();
}

#define EXACT(name, options)                                                                       \
	static void exact_##name(void **state)                                                     \
	{                                                                                          \
		(void)state;                                                                       \
		exact(options);                                                                    \
	}
EXACT(xdp, "--tier xdp")
EXACT(generic, "--mode generic")
EXACT(afxdp, "--tier afxdp")
EXACT(uring, "--tier socket --engine uring")
EXACT(mmsg, "--tier socket --engine mmsg")
EXACT(simple, "--tier socket --engine simple")
EXACT(packet, "--engine packet")

/* The same source, pinned behind UDP sockets. */
static void build(const char *name, const char *body)
{
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.c", folder, name);
	f = fopen(path, "we");
	fprintf(f,
		"#include \"xfn.h\"\n"
		"XFN_FUNCTION(%s, .port = 4000, .tier = XFN_TIER_SOCKET)\n{%s}\n",
		name, body);
	fclose(f);
	assert_int_equal(shell("%s build -o %s/%s.xfn %s >/dev/null 2>%s/log || cat %s/log", xfn,
			       folder, name, path, folder, folder),
			 0);
}

static void exact_of_two_tiers(void **state)
{
	(void)state;
	if (!lab[0])
		skip();
	build("pinned", "return XFN_REPLY;");
	start("-i %s %s/pinned.xfn@" NEAR ":4000 reverse@4000", iface, folder);
	expect("e " NEAR " 4000");
	expect("r " ALSO " 4000");
	expect("r " SIX " 4000");
	stop();
	start("-i %s reverse@" NEAR ":4000 %s/pinned.xfn@4000", iface, folder);
	expect("r " NEAR " 4000");
	expect("e " ALSO " 4000");
	expect("e " SIX " 4000");
	stop();
}

/* The longest request is kept when a worker dies on it. */
static void longest_kept(void **state)
{
	/* by interface, network namespace and function */
	char command[300];

	(void)state;
	if (!lab[0])
		skip();
	build("dies", "__builtin_trap();");
	start("-i %s %s/dies.xfn", iface, folder);
	assert_int_equal(who(SIX, 4000, XFN_PAYLOAD_MAX, 10), 'n');
	/* headers of file and packet, IPv6 and UDP */
	snprintf(command, sizeof(command), "[ $(cat %s/%s*.dies.0.pcap 2>/dev/null | wc -c) = %u ]",
		 folder, iface, 24 + 16 + 48 + XFN_PAYLOAD_MAX);
	assert_true(SOON(!shell("%s", command)));
	stop();
}

/* A socket of another server in the namespace of xfn; -1: EADDRINUSE. */
static int hold(const char *ip, uint16_t port, bool shares)
{
	struct sockaddr_storage at;
	socklen_t len = place(ip, port, &at);
	const int on = 1;
	int fd;

	be("server");
	fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	be(NULL);
	assert_true(fd >= 0);
	if (shares) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	}
	if (!bind(fd, (struct sockaddr *)&at, len))
		return fd;
	assert_int_equal(errno, EADDRINUSE);
	close(fd);
	return -1;
}

/* The same when those of an xfn before are gone: the kernel takes its time with its io_uring. */
static int hold_soon(const char *ip, uint16_t port, bool shares)
{
	int fd = -1;

	assert_true(SOON((fd = hold(ip, port, shares)) >= 0));
	return fd;
}

/* A server on an address that is not served here is in nobody's way, whoever came first. */
static void other_address(void **state)
{
	static const char *const others[] = { "127.0.0.1", "::1" };
	int fd[2];

	(void)state;
	if (!lab[0])
		skip();
	for (int i = 0; i < 2; i++)
		fd[i] = hold(others[i], 7, false);
	start("-i %s echo", iface);
	expect("e " NEAR " 7");
	expect("e " SIX " 7");
	assert_false(said("slow path"));
	for (int i = 0; i < 2; i++) {
		close(fd[i]);
		fd[i] = hold(others[i], 7, false);
		assert_true(fd[i] >= 0);
		close(fd[i]);
	}
	stop();
}

/* What cannot be had is said once, is no matter for the rest, and comes when the other server
 * leaves. */
static void slow_path_held(void **state)
{
	int every;

	(void)state;
	if (!lab[0])
		skip();
	every = hold_soon("0.0.0.0", 7, false);
	start("-i %s echo", iface);
	expect("e " SIX " 7");
	assert_int_equal(who(NEAR, 7, 40, WAIT), 'e');
	assert_int_not_equal(who(NEAR, 7, SLOW, 100), 'e');
	assert_true(SOON(said("echo has no slow path at " NEAR ":7: cannot bind UDP")));
	assert_true(said("other socket"));
	assert_int_equal(shell("%s ls -i %s | grep -q ', 2 UDP sockets cannot be had'", xfn, iface),
			 0);
	close(every);
	assert_true(SOON(who(NEAR, 7, SLOW, 100) == 'e'));
	expect("e " ALSO " 7");
	stop();
	/* nothing at all to be had: no worker at first */
	every = hold_soon("::", 7, false); /* of IPv4 too */
	start("-i %s echo", iface);
	assert_int_not_equal(who(SIX, 7, SLOW, 100), 'e');
	assert_int_not_equal(who(NEAR, 7, SLOW, 100), 'e');
	close(every);
	assert_true(SOON(who(NEAR, 7, SLOW, 100) == 'e' && who(SIX, 7, SLOW, 100) == 'e'));
	stop();
}

/* One line of refusal, and status 1 or 2. */
static void refused(const char *text, const char *format, ...)
{
	pid_t running = server;
	char words[500];
	int status = 0;

	FORMATTED(words, format);
	launch(words);
	if (!SOON(waitpid(server, &status, WNOHANG) == server)) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	server = running;
	if (!WEXITSTATUS(status) || !said(text)) {
		shell("cat %s/out", folder);
		fail_msg("xfn run %s: status %d, not %s", words, status, text);
	}
}

/* SO_REUSEPORT and SO_REUSEADDR of another server do not let us in, nor ours let it. */
static void never_shared(void **state)
{
	static const char *const held[] = { NEAR, "0.0.0.0", SIX };
	int fd;

	(void)state;
	if (!lab[0])
		skip();
	for (int i = 0; i < 3; i++) {
		fd = hold_soon(held[i], 4000, true);
		refused("Address already in use", "-i %s --tier socket echo@4000", iface);
		close(fd);
	}
	start("-i %s --tier socket echo@4000", iface);
	for (int i = 0; i < 3; i++)
		assert_int_equal(hold(held[i], 4000, true), -1);
	refused("Address already in use", "--bind " NEAR " echo@4000");
	stop();
	/* of every address and of one: ours stand beside each other, nobody else does */
	start("reverse@0.0.0.0:4000 echo@" NEAR ":4000 echo@[::]:4000");
	expect("e " NEAR " 4000");
	expect("e " SIX " 4000");
	expect("r " ALSO " 4000");
	assert_int_equal(hold(ALSO, 4000, true), -1);
	assert_int_equal(hold("0.0.0.0", 4000, true), -1);
	stop();
}

/* An address comes while another server has the port there. */
static void address_held(void **state)
{
	int fd;

	(void)state;
	if (!lab[0])
		skip();
	start("-i %s --tier socket echo@4000", iface);
	ON("server", "sysctl -qw net.ipv4.ip_nonlocal_bind=1");
	fd = hold_soon("10.78.0.8", 4000, false);
	ON("server", "ip addr add 10.78.0.8/24 dev %s", iface);
	assert_true(SOON(said("echo has no socket at 10.78.0.8:4000")));
	expect("e " NEAR " 4000");
	close(fd);
	assert_true(SOON(who("10.78.0.8", 4000, 40, 100) == 'e'));
	assert_true(said("echo has its socket on port 4000 again"));
	ON("server", "ip addr del 10.78.0.8/24 dev %s", iface);
	stop();
}

static void unfit(void **state)
{
	(void)state;
	if (!lab[0])
		skip();
	refused("--address '10.78.0.255': a multicast or broadcast address",
		"-i %s --address 10.78.0.255 echo", iface);
	refused("--bind '10.78.0.255': a multicast or broadcast address",
		"-i %s --tier socket --bind 10.78.0.255 echo", iface);
	refused("echo: 10.78.0.255 is a broadcast address", "-i %s echo@10.78.0.255:7", iface);
}

/* A loopback interface has no fast path: UDP sockets answer, or it is said what does not. */
static void loopback(void **state)
{
	static const char *const ways[] = { "--tier afxdp", "--tier xdp", "--mode generic",
					    "--engine packet" };

	(void)state;
	if (!lab[0])
		skip();
	start("-i lo echo@4000");
	assert_int_equal(ON("server", "%s invoke 127.0.0.1:4000 hello | grep -q hello", xfn), 0);
	assert_int_equal(ON("server", "%s invoke [::1]:4000 hello | grep -q hello", xfn), 0);
	stop();
	for (int i = 0; i < 4; i++)
		refused("requests are this host's own, which UDP sockets answer", "-i lo %s echo",
			ways[i]);
}

static int set_up(void **state)
{
	(void)state;
	if (raise_lab('u'))
		return -1;
	if (lab[0])
		ON("server", "ip addr add " ALSO "/24 dev %s", iface);
	return lab[0] ? ON("server", "ip link set lo up") : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(exact_xdp, end_server),
		cmocka_unit_test_teardown(exact_generic, end_server),
		cmocka_unit_test_teardown(exact_afxdp, end_server),
		cmocka_unit_test_teardown(exact_uring, end_server),
		cmocka_unit_test_teardown(exact_mmsg, end_server),
		cmocka_unit_test_teardown(exact_simple, end_server),
		cmocka_unit_test_teardown(exact_packet, end_server),
		cmocka_unit_test_teardown(exact_of_two_tiers, end_server),
		cmocka_unit_test_teardown(longest_kept, end_server),
		cmocka_unit_test_teardown(other_address, end_server),
		cmocka_unit_test_teardown(slow_path_held, end_server),
		cmocka_unit_test_teardown(never_shared, end_server),
		cmocka_unit_test_teardown(address_held, end_server),
		cmocka_unit_test_teardown(unfit, end_server),
		cmocka_unit_test_teardown(loopback, end_server),
	};

	return cmocka_run_group_tests(tests, set_up, lower);
}
