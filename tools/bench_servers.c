// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Candidates of the bench: how each is started in the lab's server, and taken away again. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "bench_servers.h"

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
	  .about = "DPDK testpmd 5tswap on AF_XDP" },
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
};

const struct bench_candidate *bench_servers__all(unsigned *count)
{
	*count = sizeof(candidates) / sizeof(candidates[0]);
	return candidates;
}

const struct bench_candidate *bench_servers__find(const char *name)
{
	for (unsigned i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++)
		if (!strcmp(candidates[i].name, name))
			return &candidates[i];
	return NULL;
}

/* A program (-1: none) on the server's interface, from whichever namespace we are in. */
static int attach(const struct bench_stage *stage, int prog, uint32_t mode)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int ret = home < 0 ? -errno : server__enter(stage->server_ns);

	ret = ret ?: bpf_xdp_attach((int)stage->server_index, prog, mode, NULL);
	if (home >= 0 && setns(home, CLONE_NEWNET))
		ret = ret ?: -errno;
	if (home >= 0)
		close(home);
	return ret;
}

static uint32_t mode_of(const struct bench_candidate *c)
{
	return c->generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

static int start_xfn(struct bench_running *r, char *why, size_t whylen)
{
	const struct bench_stage *stage = r->stage;
	char xfn[512], *argv[1100];
	unsigned n = 0;
	int ret;

	if (!server__beside("xfn", xfn, sizeof(xfn))) {
		snprintf(why, whylen, "build/xfn is missing; run `make`");
		return -ENOENT;
	}
	argv[n++] = xfn;
	argv[n++] = "run";
	argv[n++] = "-j";
	argv[n++] = "-i";
	argv[n++] = (char *)stage->server_if;
	for (unsigned i = 0; i < 8 && r->candidate->args[i]; i++)
		argv[n++] = (char *)r->candidate->args[i];
	for (unsigned i = 0; stage->modules[i] && n < 1099; i++)
		argv[n++] = stage->modules[i];
	argv[n] = NULL;
	ret = server__start(&r->server, stage->server_ns, stage->cpu, false, argv);
	if (!ret && server__ready(&r->server, READY_MS))
		ret = -ENOENT;
	if (ret)
		snprintf(why, whylen, "xfn run does not serve (%s)", strerror(-ret));
	return ret;
}

static int start_bare_afxdp(struct bench_running *r, char *why, size_t whylen)
{
	char self[512], fd[16], *argv[] = { self, "--bare-afxdp", NULL, fd, NULL };
	int sockets = dup(bench_live__sockets(r->stage->live)), ret;

	argv[2] = (char *)r->stage->server_if;
	snprintf(fd, sizeof(fd), "%d", sockets);
	if (sockets < 0 || !server__beside("bench", self, sizeof(self)))
		return -ENOENT;
	/* dup has made it survive exec */
	ret = server__start(&r->server, r->stage->server_ns, r->stage->cpu, false, argv);
	close(sockets);
	if (!ret && server__said(&r->server, "ready", READY_MS))
		ret = -ENOENT;
	if (ret) {
		snprintf(why, whylen, "the bare AF_XDP loop does not start");
		return ret;
	}
	ret = attach(r->stage, bench_live__bare(r->stage->live, BENCH_BARE_REDIRECT),
		     mode_of(r->candidate));
	r->attached = !ret;
	return ret;
}

static int start_xdp_bench(struct bench_running *r, char *why, size_t whylen)
{
	char *argv[] = { "xdp-bench", "tx", "-m", "native", (char *)r->stage->server_if, NULL };
	int ret = server__start(&r->server, r->stage->server_ns, r->stage->cpu, true, argv);

	if (!ret && server__said(&r->server, "Hz", 5000)) {
		snprintf(why, whylen, "xdp-bench tx does not start; by hand it says why");
		ret = -ENOENT;
	}
	return ret;
}

static int start_testpmd(struct bench_running *r, char *why, size_t whylen)
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

	snprintf(device, sizeof(device), r->candidate->args[0], r->stage->server_if);
	snprintf(lcores, sizeof(lcores), "0@%d,1@%d", r->stage->cpu, r->stage->cpu);
	ret = server__start(&r->server, r->stage->server_ns, r->stage->cpu, true, argv);
	if (!ret && server__said(&r->server, "NIC statistics", 15000)) {
		snprintf(why, whylen, "dpdk-testpmd does not start (package dpdk-dev)");
		ret = -ENOENT;
	}
	return ret;
}

int bench_servers__start(const struct bench_stage *stage, const struct bench_candidate *candidate,
			 struct bench_running *out, char *why, size_t whylen)
{
	int ret = -EINVAL;

	*out = (struct bench_running){ .stage = stage,
				       .candidate = candidate,
				       .server = { .out = -1 } };
	snprintf(why, whylen, "cannot start");
	switch (candidate->kind) {
	case BENCH_NOTHING:
	case BENCH_BOUNCE:
		ret = attach(stage,
			     bench_live__bare(stage->live, candidate->kind == BENCH_BOUNCE ?
								   BENCH_BARE_BOUNCE :
								   BENCH_BARE_DROP),
			     mode_of(candidate));
		out->attached = !ret;
		break;
	case BENCH_AFXDP:
		ret = start_bare_afxdp(out, why, whylen);
		break;
	case BENCH_XFN:
		ret = start_xfn(out, why, whylen);
		break;
	case BENCH_XDPTX:
		ret = start_xdp_bench(out, why, whylen);
		break;
	case BENCH_TESTPMD:
		ret = start_testpmd(out, why, whylen);
		break;
	}
	if (ret)
		bench_servers__stop(out);
	return ret;
}

void bench_servers__stop(struct bench_running *running)
{
	if (running->attached)
		attach(running->stage, -1, mode_of(running->candidate));
	running->attached = false;
	server__stop(&running->server);
}
