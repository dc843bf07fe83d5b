// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Engines by name, and whether this host can run one. Must never move a datagram. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_packet.h>
#include "engine.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif

const struct xfn_engine_ops *xfn_engine_find(const char *name)
{
	static const struct xfn_engine_ops *const engines[] = { &xfn_engine_afxdp,
								&xfn_engine_uring, &xfn_engine_mmsg,
								&xfn_engine_simple,
								&xfn_engine_packet };

	for (unsigned i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		if (!strcmp(engines[i]->name, name))
			return engines[i];
	return NULL;
}

/* A raw socket of that family; *fd is to be closed. */
static int open_raw(int family, const char *name, const char *option, int *fd, char *why,
		    size_t whylen)
{
	int ret;

	*fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (*fd >= 0)
		return 0;
	ret = errno;
	snprintf(why, whylen, "socket(%s): %s (%s%s)", name, strerrorname_np(ret),
		 ret == EPERM	     ? "needs CAP_NET_RAW" :
		 ret == EAFNOSUPPORT ? "kernel without " :
				       strerror(ret),
		 ret == EAFNOSUPPORT ? option : "");
	return -ret;
}

static int probe_afxdp(char *why, size_t whylen)
{
	int fd, ret = open_raw(AF_XDP, "AF_XDP", "CONFIG_XDP_SOCKETS", &fd, why, whylen);

	if (!ret)
		close(fd);
	return ret;
}

static int probe_packet(char *why, size_t whylen)
{
	const int version = TPACKET_V3;
	int fd, ret = open_raw(AF_PACKET, "AF_PACKET", "CONFIG_PACKET", &fd, why, whylen);

	if (ret)
		return ret;
	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version))) {
		ret = -errno;
		snprintf(why, whylen, "PACKET_VERSION: %s (no TPACKET_V3 here)",
			 strerrorname_np(-ret));
	}
	close(fd);
	return ret;
}

/* Whether multishot receive works is known only by trying: open it over a socket that nobody knows.
 */
static int probe_uring(char *why, size_t whylen)
{
	struct xfn_engine_socket sock = { .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	struct xfn_engine_config cfg = { .sockets = &sock, .socket_count = 1, .payload_max = 64 };
	struct xfn_engine *e;
	int ret;

	if (sock.fd < 0)
		sock.fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock.fd < 0) {
		ret = -errno;
		snprintf(why, whylen, "socket(SOCK_DGRAM): %s", strerrorname_np(-ret));
		return ret;
	}
	ret = xfn_engine_uring.open(&e, &cfg, why, whylen);
	if (!ret)
		xfn_engine_uring.close(e);
	close(sock.fd);
	return ret;
}

int xfn_engine_probe(const struct xfn_engine_ops *ops, char *why, size_t whylen)
{
	if (whylen)
		why[0] = 0;
	if (ops == &xfn_engine_afxdp)
		return probe_afxdp(why, whylen);
	if (ops == &xfn_engine_packet)
		return probe_packet(why, whylen);
	if (ops == &xfn_engine_uring)
		return probe_uring(why, whylen);
	return 0; /* UDP sockets are everywhere */
}
