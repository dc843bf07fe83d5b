// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Candidates of the bench: how each is started in a lab of its own, and taken away again. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "servers.h"

#define READY_MS 60000

static const struct bench_candidate candidates[] = {
	{ .name = "none", .kind = BENCH_NOTHING, .about = "requests dropped by XDP" },
	{ .name = "bounce", .kind = BENCH_BOUNCE, .about = "bare XDP_TX, native" },
	{ .name = "xdp", .kind = BENCH_XFN, .args = { "--tier", "xdp", "--mode", "native" } },
	{ .name = "xdp-trust",
	  .kind = BENCH_XFN,
	  .args = { "--tier", "xdp", "--mode", "native", "--trust-checksum" } },
	{ .name = "xdp-bench",
	  .kind = BENCH_XDPTX,
	  .about = "xdp-tools' xdp-bench tx, swaps MAC addresses only" },
	{ .name = "bounce-generic",
	  .kind = BENCH_BOUNCE,
	  .generic = true,
	  .about = "bare XDP_TX, generic" },
	{ .name = "xdp-generic",
	  .kind = BENCH_XFN,
	  .args = { "--tier", "xdp", "--mode", "generic", "--trust-checksum" } },
	{ .name = "bare-afxdp", .kind = BENCH_AFXDP, .about = "bare AF_XDP loop, blocking" },
	{ .name = "afxdp", .kind = BENCH_XFN, .args = { "--tier", "afxdp", "--mode", "native" } },
	{ .name = "afxdp-trust",
	  .kind = BENCH_XFN,
	  .args = { "--tier", "afxdp", "--mode", "native", "--trust-checksum" } },
	{ .name = "afxdp-spin",
	  .kind = BENCH_XFN,
	  .spins = true,
	  .args = { "--tier", "afxdp", "--mode", "native", "--spin" } },
	{ .name = "testpmd-afxdp",
	  .kind = BENCH_TESTPMD,
	  .spins = true,
	  .args = { "net_af_xdp0,iface=%s,force_copy=1" },
	  .about = "DPDK testpmd 5tswap on AF_XDP, spinning" },
	{ .name = "packet",
	  .kind = BENCH_XFN,
	  .args = { "--tier", "socket", "--engine", "packet" } },
	{ .name = "testpmd-packet",
	  .kind = BENCH_TESTPMD,
	  .spins = true,
	  .args = { "net_af_packet0,iface=%s" },
	  .about = "DPDK testpmd 5tswap on AF_PACKET" },
	{ .name = "uring", .kind = BENCH_XFN, .args = { "--tier", "socket", "--engine", "uring" } },
	{ .name = "mmsg", .kind = BENCH_XFN, .args = { "--tier", "socket", "--engine", "mmsg" } },
	{ .name = "simple",
	  .kind = BENCH_XFN,
	  .args = { "--tier", "socket", "--engine", "simple" } },
	{ .name = "xdp-1-function",
	  .kind = BENCH_XFN,
	  .functions = 1,
	  .args = { "--tier", "xdp", "--mode", "native", "--trust-checksum" } },
	{ .name = "xdp-1000-functions",
	  .kind = BENCH_XFN,
	  .functions = 1000,
	  .args = { "--tier", "xdp", "--mode", "native", "--trust-checksum" } },
	{ .name = "xdp-queues",
	  .kind = BENCH_XFN,
	  .queues = 2,
	  .args = { "--tier", "xdp", "--mode", "native", "--trust-checksum" } },
	{ .name = "afxdp-queues",
	  .kind = BENCH_XFN,
	  .queues = 2,
	  .args = { "--tier", "afxdp", "--mode", "native" } },
	{ .name = "afxdp-workers",
	  .kind = BENCH_XFN,
	  .queues = 2,
	  .args = { "--tier", "afxdp", "--mode", "native", "--workers-per-queue", "2" } },
};

const struct bench_candidate *bench_servers__all(unsigned *count)
{
	*count = ARRAY_SIZE(candidates);
	return candidates;
}

const struct bench_candidate *bench_servers__find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(candidates); i++)
		if (!strcmp(candidates[i].name, name))
			return &candidates[i];
	return NULL;
}

/* A program (-1: none) on the server's interface, from whichever namespace we are in. */
static int attach(const struct bench_place *place, int prog)
{
	uint32_t mode = place->candidate->generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int ret = home < 0 ? -errno : server__enter(place->server_ns);

	ret = ret ?: bpf_xdp_attach((int)place->server_index, prog, mode, NULL);
	if (home >= 0 && setns(home, CLONE_NEWNET))
		ret = ret ?: -errno;
	if (home >= 0)
		close(home);
	return ret;
}

static int attach_bare(struct bench_place *place, enum bench_bare which, struct xfn_error *why)
{
	int ret = attach(place, bench_live__bare(place->live, which));

	place->attached = !ret;
	if (ret)
		xfn_error__set(why, "%s: %s", place->server_if, strerror(-ret));
	return ret;
}

static int start_xfn(struct bench_place *place, struct xfn_error *why)
{
	const struct bench_candidate *c = place->candidate;
	unsigned n = 0, served = c->functions ?: 2;
	char xfn[512], paths[2][512], (*names)[528], *argv[32 + 1000];
	int ret = 0;

	if (!server__beside("xfn", xfn, sizeof(xfn)) ||
	    !server__beside("functions/echo.xfn", paths[0], sizeof(paths[0])) ||
	    !server__beside("functions/reverse.xfn", paths[1], sizeof(paths[1]))) {
		return xfn_fail(why, -ENOENT, "build/xfn or its modules are missing; run `make`");
	}
	names = calloc(served, sizeof(*names));
	if (!names)
		return -ENOMEM;
	argv[n++] = xfn;
	argv[n++] = "run";
	argv[n++] = "-j";
	argv[n++] = "-i";
	argv[n++] = place->server_if;
	for (unsigned i = 0; i < 8 && c->args[i]; i++)
		argv[n++] = (char *)c->args[i];
	for (unsigned i = 0; i < served; i++) {
		if (c->functions)
			snprintf(names[i], sizeof(names[i]), "%.511s@%u", paths[0], 7 + i);
		else
			snprintf(names[i], sizeof(names[i]), "%.511s", paths[i]);
		argv[n++] = names[i];
	}
	argv[n] = NULL;
	ret = server__start(&place->server, place->server_ns, place->cpu, false, argv);
	if (!ret && server__ready(&place->server, READY_MS))
		ret = -ENOENT;
	if (ret)
		xfn_error__set(why, "xfn run does not serve (%s)", strerror(-ret));
	else if (place->cpu < 0)
		server__spread(&place->server, 2);
	free(names);
	return ret;
}

static int start_bare_afxdp(struct bench_place *place, struct xfn_error *why)
{
	char self[512], fd[16], *argv[] = { self, "--bare-afxdp", place->server_if, fd, NULL };
	int sockets = dup(bench_live__sockets(place->live)), ret; /* a copy survives exec */

	snprintf(fd, sizeof(fd), "%d", sockets);
	ret = sockets < 0 || !server__beside("bench", self, sizeof(self)) ? -ENOENT : 0;
	ret = ret ?: server__start(&place->server, place->server_ns, place->cpu, false, argv);
	if (sockets >= 0)
		close(sockets);
	if (!ret && server__said(&place->server, "ready", READY_MS))
		ret = -ENOENT;
	if (ret) {
		return xfn_fail(why, ret, "the bare AF_XDP loop does not start");
	}
	return attach_bare(place, BENCH_BARE_REDIRECT, why);
}

static int start_xdp_bench(struct bench_place *place, struct xfn_error *why)
{
	char *argv[] = { "xdp-bench", "tx", "-m", "native", place->server_if, NULL };
	int ret = server__start(&place->server, place->server_ns, place->cpu, true, argv);

	if (!ret && server__said(&place->server, "Hz", 5000)) {
		xfn_error__set(why, "xdp-bench tx does not start; by hand it says why");
		ret = -ENOENT;
	}
	return ret;
}

static int start_testpmd(struct bench_place *place, struct xfn_error *why)
{
	char device[128], lcores[32];
	char *argv[] = { "dpdk-testpmd",
			 "--no-huge",
			 "-m",
			 "256",
			 "--no-pci",
			 "--no-telemetry",
			 "--no-shconf",
			 "--vdev",
			 device,
			 "--lcores",
			 lcores,
			 "--",
			 "--total-num-mbufs=8192",
			 "--forward-mode=5tswap",
			 "--auto-start",
			 "--no-mlockall",
			 "--stats-period=1",
			 NULL };
	int ret;

	snprintf(device, sizeof(device), place->candidate->args[0], place->server_if);
	snprintf(lcores, sizeof(lcores), "0@%d,1@%d", place->cpu, place->cpu);
	ret = server__start(&place->server, place->server_ns, place->cpu, true, argv);
	if (!ret && server__said(&place->server, "NIC statistics", 15000)) {
		xfn_error__set(why, "dpdk-testpmd does not start (package dpdk-dev)");
		ret = -ENOENT;
	}
	return ret;
}

static int start(struct bench_place *place, struct xfn_error *why)
{
	switch (place->candidate->kind) {
	case BENCH_NOTHING:
		return attach_bare(place, BENCH_BARE_DROP, why);
	case BENCH_BOUNCE:
		return attach_bare(place, BENCH_BARE_BOUNCE, why);
	case BENCH_AFXDP:
		return start_bare_afxdp(place, why);
	case BENCH_XFN:
		return start_xfn(place, why);
	case BENCH_XDPTX:
		return start_xdp_bench(place, why);
	case BENCH_TESTPMD:
		return start_testpmd(place, why);
	}
	return -EINVAL;
}

static int mac_of(const char *netns, const char *ifname, uint8_t mac[6], unsigned *index)
{
	struct ifreq req = {};
	int ret = server__enter(netns);
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%.15s", ifname);
	if (!ret && ioctl(sock, SIOCGIFHWADDR, &req))
		ret = -errno;
	memcpy(mac, req.ifr_hwaddr.sa_data, 6);
	*index = if_nametoindex(ifname);
	close(sock);
	return ret;
}

/* The lab lives as long as a process that waits in it. */
static int raise_lab(struct bench_place *place, const char *name, struct xfn_error *why)
{
	char xfn[512], queues[16], own[16];
	char *hold[] = { xfn,
			 "lab",
			 "-n",
			 own,
			 "-q",
			 queues,
			 "run",
			 "--",
			 "sh",
			 "-c",
			 "echo standing; exec sleep 86400",
			 NULL };
	char *gro[] = { "ethtool", "-K", place->server_if, "gro", "on", NULL };
	struct server ethtool;
	unsigned index;

	snprintf(own, sizeof(own), "%s", name);
	snprintf(queues, sizeof(queues), "%u", place->candidate->queues ?: 1);
	snprintf(place->server_ns, sizeof(place->server_ns), "%s-server", name);
	snprintf(place->client_ns, sizeof(place->client_ns), "%s-client", name);
	snprintf(place->server_if, sizeof(place->server_if), "xfns0%s", name);
	snprintf(place->client_if, sizeof(place->client_if), "xfnc0%s", name);
	if (!server__beside("xfn", xfn, sizeof(xfn)) ||
	    server__start(&place->lab, NULL, -1, false, hold) ||
	    server__said(&place->lab, "standing", 20000)) {
		return xfn_fail(why, -EPERM, "its lab cannot be raised; run as root");
	}
	/* live frames reach an interface without XDP only where it has GRO */
	if (!server__start(&ethtool, place->server_ns, -1, true, gro))
		server__said(&ethtool, "any", 5000);
	server__stop(&ethtool);
	if (mac_of(place->server_ns, place->server_if, place->wire.target_mac,
		   &place->server_index) ||
	    mac_of(place->client_ns, place->client_if, place->wire.source_mac, &index)) {
		return xfn_fail(why, -ENODEV, "its lab is not there");
	}
	inet_pton(AF_INET, "10.78.0.2", place->wire.source);
	inet_pton(AF_INET, "10.78.0.1", place->wire.target);
	return bench_live__open(place->client_if, &place->live, why);
}

int bench_place__up(struct bench_place *place, const struct bench_candidate *candidate,
		    unsigned number, struct xfn_error *why)
{
	char name[16];
	int ret;

	*place = (struct bench_place){ .candidate = candidate,
				       .cpu = candidate->queues > 1 ? -1 : 0,
				       .lab = { .out = -1 },
				       .server = { .out = -1 } };
	place->wire.hairpin = candidate->kind == BENCH_XDPTX;
	/* a name of this process alone, short enough for an interface */
	snprintf(name, sizeof(name), "b%x_%u", (unsigned)getpid() & 0xffffff, number & 0xff);
	xfn_error__set(why, "cannot start");
	ret = raise_lab(place, name, why);
	ret = ret ?: start(place, why);
	place->stands = !ret;
	if (place->stands && candidate->spins)
		server__freeze(&place->server, true);
	return ret;
}

void bench_place__down(struct bench_place *place)
{
	if (place->attached)
		attach(place, -1);
	server__stop(&place->server);
	if (place->live) {
		bench_place__enter(place);
		bench_live__close(place->live);
	}
	server__stop(&place->lab);
	place->live = NULL;
	place->attached = place->stands = false;
}

int bench_place__enter(const struct bench_place *place)
{
	return server__enter(place->client_ns);
}
