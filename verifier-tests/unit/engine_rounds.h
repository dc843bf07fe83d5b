/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the engines' suites share: the test as an echoing worker, and a veth pair in a namespace of
 * its own. Knows nothing of functions. To be included after cmocka.h.
 */
#ifndef XFN_TEST_ENGINE_ROUNDS_H
#define XFN_TEST_ENGINE_ROUNDS_H

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include "../../skel/error.h"
#include "../../userspace/engine/engine.h"

#define FRAMES 20000 /* five times as many as the UMEM has: a frame lost is missed */

static struct xfn_engine *engine;
static const struct xfn_engine_ops *ops;
static struct xfn_datagram batch[XFN_BATCH];
static struct xfn_datagram last; /* of the latest round */

static unsigned echo_round(int timeout_ms)
{
	unsigned n = ops->take(engine, batch, XFN_BATCH);

	if (!n) {
		assert_int_equal(ops->poll(engine, timeout_ms), 0);
		n = ops->take(engine, batch, XFN_BATCH);
	}
	for (unsigned i = 0; i < n; i++) {
		assert_true(batch[i].len <= batch[i].capacity);
		batch[i].send = true;
		last = batch[i];
	}
	if (n)
		ops->give(engine, batch, n);
	return n;
}

static void echo_until(uint64_t received)
{
	struct xfn_engine_stats st = {};

	for (int idle = 0; st.received < received && idle < 100;) {
		if (!echo_round(20)) {
			idle++;
			usleep(1000); /* one that spins does not wait for loopback's thread */
		}
		ops->stats(engine, &st);
	}
	assert_int_equal(st.received, received);
}

static int run(const char *command)
{
	int status = system(command);

	return status < 0 ? -1 : WEXITSTATUS(status);
}

static inline int packet_socket(const char *ifname)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = (int)if_nametoindex(ifname) };
	int on = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	assert_true(fd >= 0);
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* A veth pair xfneng0, xfneng1 in a namespace of its own; else the test is skipped. */
static inline void raise_pair(void)
{
	struct xfn_error err = { 0 };

	if (xfn_engine_probe(ops, &err) || unshare(CLONE_NEWNET)) {
		print_message("%s: %s\n", ops->name,
			      err.line[0] ? err.line : "no namespace of its own: EPERM");
		skip();
	}
	if (run("ip link add xfneng0 address 02:00:00:00:00:01 numrxqueues 1 numtxqueues 1 "
		"type veth peer name xfneng1 numrxqueues 1 numtxqueues 1 && "
		"ip link set xfneng0 up && ip link set xfneng1 up")) {
		print_message("%s: no veth pair here\n", ops->name);
		skip();
	}
}

#endif
