// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `make run`: asks every shipped function 10,000 times through ordinary UDP sockets, in each tier
 * in turn, and compares every reply with one computed independently. In the lab as root, on
 * loopback otherwise. A client of xfn: knows its command line, nothing of its inside.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../userspace/host/now.h"
#include "demo_reference.h"
#include "../process/server.h"

#define REQUESTS 10000
#define WINDOW	 32 /* requests under way: half of them IPv4, half IPv6 */
#define LOST_NS	 XFN_NSEC_PER_SEC
#define READY_MS 30000

static const char *lab; /* name of the lab, NULL: loopback */
static char xfn[512];	/* path of the program */

/* One request under way, on a socket of its own: a reply can be of no other. */
struct place {
	int fd;
	int family;
	unsigned number;
	uint64_t sent_ns; /* 0: idle */
	size_t len;
	uint8_t request[DEMO_PAYLOAD_MAX];
};

struct result {
	unsigned right, wrong, lost, answered;
	uint32_t ns[REQUESTS];
};

static void on_signal(int sig)
{
	(void)sig;
	server_interrupted = 1;
}

static int start_server(struct server *srv, const char *tier)
{
	char iface[32], netns[48], wanted[16];
	char *local[] = { xfn, "run", "-j", NULL };
	char *in_lab[] = { xfn, "run", "-j", "-i", iface, "--tier", wanted, NULL };
	int ret;

	/* "xfns0", with the lab's name behind it unless that is "xfn" */
	snprintf(iface, sizeof(iface), "xfns0%.10s", lab && strcmp(lab, "xfn") ? lab : "");
	snprintf(netns, sizeof(netns), "%s-server", lab ?: "");
	snprintf(wanted, sizeof(wanted), "%s", tier);
	ret = server__start(srv, lab ? netns : NULL, -1, false, lab ? in_lab : local);
	if (ret)
		fprintf(stderr, "demo: cannot start xfn run: %s\n", strerror(-ret));
	else if (!server__ready(srv, READY_MS))
		return 0;
	server__stop(srv);
	return -1;
}

/* Where sockets are made from now on: the lab's client, or (false) home again. */
static int be_client(bool client)
{
	static int home = -1;
	char path[64];
	int fd, ret;

	if (!lab)
		return 0;
	if (home < 0)
		home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!client)
		return setns(home, CLONE_NEWNET);
	snprintf(path, sizeof(path), "/run/netns/%s-client", lab);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = fd < 0 ? -1 : setns(fd, CLONE_NEWNET);
	if (fd >= 0)
		close(fd);
	return ret;
}

static int open_place(struct place *p, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	inet_pton(AF_INET, lab ? "10.78.0.1" : "127.0.0.1", &in.sin_addr);
	inet_pton(AF_INET6, lab ? "fd78::1" : "::1", &in6.sin6_addr);
	p->sent_ns = 0;
	p->fd = socket(p->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		return -1;
	return p->family == AF_INET ? connect(p->fd, (struct sockaddr *)&in, sizeof(in)) :
				      connect(p->fd, (struct sockaddr *)&in6, sizeof(in6));
}

static void ask_next(struct place *p, const char *name, unsigned number)
{
	p->number = number;
	p->len = demo_request(name, number, p->request);
	p->sent_ns = xfn_now_ns();
	/* What the kernel does not send counts as lost. */
	if (send(p->fd, p->request, p->len, 0) < 0)
		p->sent_ns = 1;
}

/* A reply, or its absence. True: the place is free again. */
static bool settle(struct place *p, const char *name, uint16_t port, struct result *r)
{
	uint8_t reply[65536];
	ssize_t n = recv(p->fd, reply, sizeof(reply), 0);
	uint64_t now = xfn_now_ns();

	if (n < 0 && now - p->sent_ns < LOST_NS)
		return false;
	if (n < 0) {
		r->lost++;
		/* A late reply must not meet the next request. */
		close(p->fd);
		open_place(p, port);
		return true;
	}
	r->ns[r->answered++] = (uint32_t)(now - p->sent_ns);
	if (demo_right(name, p->request, p->len, reply, (size_t)n))
		r->right++;
	else
		r->wrong++;
	return true;
}

static int ask_all(const char *name, uint16_t port, struct result *r)
{
	static struct place places[WINDOW];
	struct pollfd polls[WINDOW];
	unsigned next = 0, done = 0;
	int ret = 0;

	memset(r, 0, sizeof(*r));
	if (be_client(true))
		return -1;
	for (unsigned i = 0; i < WINDOW; i++) {
		places[i] = (struct place){ .family = i & 1 ? AF_INET6 : AF_INET };
		if (open_place(&places[i], port))
			ret = -1;
		else
			ask_next(&places[i], name, next++);
		polls[i] = (struct pollfd){ .events = POLLIN };
	}
	while (!ret && done < REQUESTS && !server_interrupted) {
		for (unsigned i = 0; i < WINDOW; i++)
			polls[i].fd = places[i].sent_ns ? places[i].fd : -1;
		poll(polls, WINDOW, 100);
		for (unsigned i = 0; i < WINDOW; i++) {
			if (!places[i].sent_ns || !settle(&places[i], name, port, r))
				continue;
			done++;
			places[i].sent_ns = 0;
			if (next < REQUESTS)
				ask_next(&places[i], name, next++);
		}
	}
	for (unsigned i = 0; i < WINDOW; i++)
		if (places[i].fd >= 0)
			close(places[i].fd);
	return be_client(false) || ret || server_interrupted ? -1 : 0;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double percentile_us(const struct result *r, unsigned percent)
{
	return r->answered ? r->ns[(r->answered - 1) * percent / 100] / 1000.0 : 0;
}

static const char *text(json_t *fn, const char *key)
{
	return json_string_value(json_object_get(fn, key)) ?: "";
}

/* The tier that this function must have by default. */
static bool expected_tier(const char *name, const char *tier)
{
	bool heavy = !strcmp(name, "sha256") || !strcmp(name, "regex");

	return !strcmp(tier, heavy ? "afxdp" : "xdp");
}

/* One table. Returns 0 where every reply was right and every tier as it must be. */
static int pass(const char *title, const char *tier)
{
	static struct result r;
	struct server srv;
	int status = 0;
	json_t *functions, *fn;
	size_t i;

	if (start_server(&srv, tier))
		return 1;
	functions = json_object_get(srv.ready, "functions");
	printf("\n%s\n%-8s %-6s %-8s %8s %8s %6s %6s %9s %9s  %s\n", title, "function", "tier",
	       "mode", "requests", "right", "wrong", "lost", "p50 us", "p99 us", "reason");
	json_array_foreach(functions, i, fn) {
		const char *name = text(fn, "name"), *is = text(fn, "tier");

		if (ask_all(name, (uint16_t)json_integer_value(json_object_get(fn, "port")), &r)) {
			if (!server_interrupted)
				fprintf(stderr, "demo: cannot ask %s: %s\n", name, strerror(errno));
			status = 1;
			break;
		}
		qsort(r.ns, r.answered, sizeof(r.ns[0]), by_value);
		printf("%-8s %-6s %-8s %8d %8u %6u %6u %9.1f %9.1f  %s\n", name, is,
		       text(fn, "mode"), REQUESTS, r.right, r.wrong, r.lost, percentile_us(&r, 50),
		       percentile_us(&r, 99), text(fn, "reason"));
		fflush(stdout);
		if (r.right != REQUESTS)
			status = 1;
		if (lab && (strcmp(tier, "auto") ? strcmp(tier, is) : !expected_tier(name, is))) {
			printf("         %s should not be in tier %s here\n", name, is);
			status = 1;
		}
	}
	if (json_array_size(functions) != 5) {
		printf("         %zu functions are served, not five\n", json_array_size(functions));
		status = 1;
	}
	server__stop(&srv);
	return status;
}

int main(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	char runtime[] = "/tmp/xfn-demo-XXXXXX";
	int status = 0;

	bool homeless = geteuid() && !getenv("XDG_RUNTIME_DIR");

	/* The control socket needs a folder; a login session has one, and so has root. */
	if (!server__beside("xfn", xfn, sizeof(xfn)) || (homeless && !mkdtemp(runtime))) {
		fprintf(stderr, "demo: cannot begin: %s\n", strerror(errno));
		return 1;
	}
	if (homeless)
		setenv("XFN_RUNTIME_DIR", runtime, 1);
	signal(SIGPIPE, SIG_IGN); /* whoever reads us may leave: the server is still to be ended */
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	lab = getenv("XFN_LAB");
	printf("%d requests of 0 to %d bytes to each function, half IPv4, half IPv6, %d under way.\n"
	       "Each reply is compared with one that nettle, POSIX regex or a plain loop computed.\n",
	       REQUESTS, DEMO_PAYLOAD_MAX, WINDOW);
	if (lab) {
		status |= pass("As xfn places them: in the kernel where the verifier accepts it",
			       "auto");
		if (!server_interrupted)
			status |= pass(
				"The same modules, all in workers behind AF_XDP (--tier afxdp)",
				"afxdp");
		if (!server_interrupted)
			status |= pass("The same modules, all behind UDP sockets (--tier socket)",
				       "socket");
	} else {
		status = pass("Behind UDP sockets of loopback", "socket");
		printf("\nAs root, `make run` raises two network namespaces and shows the tiers xdp and "
		       "afxdp too.\n");
	}
	if (homeless)
		rmdir(runtime);
	if (server_interrupted)
		printf("\ninterrupted; nothing is left running\n");
	else if (status)
		printf("\nNot everything was right; the tables say what.\n");
	else
		printf("\nEvery reply was right. Next: `build/xfn explain functions/sha256.c` says why "
		       "it is in a worker;\n`build/xfn lab up` gives you the lab, `build/xfn check` "
		       "tells what this host can do.\n");
	return server_interrupted ? 130 : status;
}
