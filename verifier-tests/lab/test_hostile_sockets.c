// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tier socket in a lab of its own, behind each engine: what a worker of frames is not shown, and the
 * host's stack lets through, does not reach one behind sockets either. It is counted under the
 * reason that the other tiers have for it, where BPF may be used; and what this host asks itself is
 * answered. Knows the command line and the wire.
 */
#include "../suite.h"
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include "lab.h"
#include "wire.h"

#define COPIES 10
#define PORT   1232 /* of reverse */

static int raw = -1; /* the client's wire */

static void to_group(uint8_t *f)
{
	f[0] |= 1;
}

static void to_all(uint8_t *f)
{
	memset(f, 255, 6);
}

static void shorter4(uint8_t *f)
{
	xfn_put_be16(f + 38, 28);
}

static void shorter6(uint8_t *f)
{
	xfn_put_be16(f + 58, 28);
}

static void from_itself4(uint8_t *f)
{
	memcpy(f + 26, f + 30, 4);
}

static void from_lo4(uint8_t *f)
{
	memcpy(f + 26, "\xc0\0\2\5", 4);
}

static void from_broadcast(uint8_t *f)
{
	f[29] = 255;
}

static void from_itself6(uint8_t *f)
{
	memcpy(f + 22, f + 38, 16);
}

static void from_lo6(uint8_t *f)
{
	memset(f + 22, 0, 16);
	memcpy(f + 22, "\xfd\x79", 2);
	f[37] = 5;
}

static const struct {
	const char *what;
	int version;
	void (*change)(uint8_t *f);
	const char *reason;
} hostile[] = {
	{ "a frame to a group", 4, to_group, "MULTICAST" },
	{ "a frame to a group (v6)", 6, to_group, "MULTICAST" },
	{ "a broadcast frame", 4, to_all, "MULTICAST" },
	{ "a broadcast frame (v6)", 6, to_all, "MULTICAST" },
	{ "UDP shorter than IP says", 4, shorter4, "BAD_UDP_LEN" },
	{ "UDP shorter than IP says (v6)", 6, shorter6, "BAD_UDP_LEN" },
	{ "own address as source", 4, from_itself4, "BAD_SOURCE" },
	{ "another own address as source", 4, from_lo4, "BAD_SOURCE" },
	{ "the subnet's broadcast as source", 4, from_broadcast, "BAD_SOURCE" },
	{ "own address as source (v6)", 6, from_itself6, "BAD_SOURCE" },
	{ "another own address as source (v6)", 6, from_lo6, "BAD_SOURCE" },
};

static void send_frame(const uint8_t *f, size_t len)
{
	assert_int_equal(send(raw, f, len, 0), len);
}

/* In a shape that no worker of frames takes: with a header of options, which say nothing. */
static size_t with_options(uint8_t *f, size_t len)
{
	memmove(f + 62, f + 54, len - 54);
	memcpy(f + 54, "\x11\0\1\4\0\0\0", 8);
	f[20] = 60;
	xfn_put_be16(f + 18, (uint16_t)(xfn_get_be16(f + 18) + 8));
	return len + 8;
}

static unsigned long requests(void)
{
	return count("functions", "reverse", "requests");
}

static unsigned long reason(const char *name)
{
	return count("reasons", name, "count");
}

/* Ask from the namespace of `side`, from one of its addresses. */
static void ask(const char *side, const char *from, const char *to)
{
	struct sockaddr_storage own, at;
	socklen_t own_len = place(from, 0, &own), len = place(to, PORT, &at);
	struct pollfd wait = { .events = POLLIN };
	char reply[8] = "";

	be(side);
	wait.fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	be(NULL);
	assert_int_equal(bind(wait.fd, (struct sockaddr *)&own, own_len), 0);
	assert_int_equal(connect(wait.fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(send(wait.fd, "abc", 3, 0), 3);
	if (poll(&wait, 1, 3000) != 1)
		fail_msg("%s does not answer %s", to, from);
	assert_int_equal(recv(wait.fd, reply, sizeof(reply), 0), 3);
	assert_string_equal(reply, "cba");
	close(wait.fd);
}

/* Others ask, and so does this host, from whichever address of its own. */
static void all_ask(void)
{
	ask("client", "10.78.0.2", "10.78.0.1");
	ask("client", "fd78::2", "fd78::1");
	ask("server", "10.78.0.1", "10.78.0.1");
	ask("server", "192.0.2.5", "10.78.0.1");
	ask("server", "127.0.0.1", "10.78.0.1");
	ask("server", "fd78::1", "fd78::1");
	ask("server", "fd79::5", "fd78::1");
}

/* `instead`: the reason under which all are counted; NULL: each has its own, "": none is counted. */
static void all_are_refused(const char *instead)
{
	uint8_t f[256];

	for (unsigned i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		size_t len = good(f, hostile[i].version, 64);
		const char *as = instead ?: hostile[i].reason;
		unsigned long was = *as ? reason(as) : 0, asked = requests();

		hostile[i].change(f);
		frame_repair(f, hostile[i].version);
		for (int n = 0; n < COPIES; n++)
			send_frame(f, len);
		/* behind these an IP length is not looked for */
		if (hostile[i].version == 6 && hostile[i].change != shorter6) {
			len = with_options(f, len);
			was += *as ? COPIES : 0;
			for (int n = 0; n < COPIES; n++)
				send_frame(f, len);
		}
		if (*as && !SOON(reason(as) >= was + COPIES))
			fail_msg("%s: %lu of %d counted as %s", hostile[i].what, reason(as) - was,
				 COPIES, as);
		/* behind all of them */
		ask("client", "10.78.0.2", "10.78.0.1");
		ask("client", "fd78::2", "fd78::1");
		if (!SOON(requests() == asked + 2))
			fail_msg("%s: %lu of %d reached the function", hostile[i].what,
				 requests() - asked - 2, COPIES);
	}
}

/* Who this host is changes while it serves. */
static void changes(void)
{
	unsigned long was = requests();
	uint8_t f[256];
	size_t len = good(f, 6, 64);

	f[37] = 0x77;
	frame_repair(f, 6);
	assert_true(SOON((send_frame(f, len), requests() > was)));
	ON("server", "ip addr add fd78::77/128 dev lo");
	/* refused is what does not come any more, behind two that do */
	assert_true(SOON((was = requests(), send_frame(f, len), ask("client", "fd78::2", "fd78::1"),
			  usleep(20000), requests() == was + 1)));
	ask("server", "fd78::77", "fd78::1");
	ON("server", "ip addr del fd78::77/128 dev lo");
	was = requests();
	assert_true(SOON((send_frame(f, len), requests() > was)));
}

static void engine(const char *words, const char *instead)
{
	if (!lab[0])
		skip();
	start(words, iface);
	all_ask();
	all_are_refused(instead);
	changes();
	all_ask();
	/* each refused one once */
	if (!instead)
		assert_int_equal(reason("SOCKET_FULL"), 0);
	stop();
}

static void behind_uring(void **state)
{
	(void)state;
	engine("-i %s --tier socket --engine uring reverse", NULL);
}

static void behind_mmsg(void **state)
{
	(void)state;
	engine("-i %s --tier socket --engine mmsg reverse", NULL);
}

static void behind_simple(void **state)
{
	(void)state;
	engine("-i %s --tier socket --engine simple reverse", NULL);
}

/* Its UDP sockets lose by their filters what the ring takes: nothing is told of them. */
static void behind_a_ring(void **state)
{
	(void)state;
	engine("-i %s --engine packet reverse", "");
}

/* Addresses are named, and it listens to whatever comes to them. */
static void without_an_interface(void **state)
{
	(void)state;
	snprintf(iface, sizeof(iface), "@sockets"); /* as `xfn ls` calls it */
	engine("--bind 10.78.0.1 --bind fd78::1 reverse", NULL);
}

static void without_bpf(void **state)
{
	(void)state;
	if (!lab[0] || !shell("grep -q 0 /proc/sys/kernel/unprivileged_bpf_disabled"))
		skip();
	by = "setpriv --bounding-set -bpf,-sys_admin";
	engine("-i %s --tier socket reverse", "SOCKET_FULL");
}

static int end(void **state)
{
	snprintf(iface, sizeof(iface), "xfns0%s", lab);
	by = "";
	return end_server(state);
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
	if (raise_lab('k'))
		return -1;
	if (!lab[0])
		return 0;
	ON("server", "ip link set lo up");
	/* of this host, though not of the interface; and IPv4's stack is not to refuse them first */
	ON("server", "ip addr add 192.0.2.5/32 dev lo");
	ON("server", "ip addr add fd79::5/128 dev lo");
	ON("server",
	   "sysctl -qw net.ipv4.conf.all.accept_local=1 net.ipv4.conf.all.rp_filter=0 "
	   "net.ipv4.conf.%s.rp_filter=0",
	   iface);
	be("client");
	raw = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	at.sll_ifindex = (int)if_nametoindex(client_iface);
	be(NULL);
	return raw < 0 || bind(raw, (struct sockaddr *)&at, sizeof(at)) ? -1 : 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, end)
XFN_SUITE_AROUND(set_up, tear_down, TEST(behind_uring), TEST(behind_mmsg), TEST(behind_simple),
		 TEST(behind_a_ring), TEST(without_an_interface), TEST(without_bpf))
