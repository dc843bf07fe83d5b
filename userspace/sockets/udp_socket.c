// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* UDP sockets that functions are served on: made and held by the supervisor, used by workers. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/sock_diag.h>
#include "../../skel/error.h"
#include "../../xdp/address.h"
#include "../host/ip.h"
#include "udp_socket.h"

#define RECEIVE_BUFFER (4 << 20) /* bytes: a burst that a worker's start or stall lets wait */

const char *xfn_udp_socket__text(const struct xfn_address *addr, char *text, size_t len)
{
	char ip[INET6_ADDRSTRLEN];

	xfn_ip__text(addr->ip, ip);
	snprintf(text, len, xfn_address__is_v4(addr->ip) ? "%s:%u" : "[%s]:%u", ip, addr->port);
	return text;
}

int xfn_udp_socket__version(const uint8_t ip[16])
{
	return xfn_address__is_v4(ip) ? 4 : 6;
}

bool xfn_udp_socket__is_every(const uint8_t ip[16])
{
	static const uint8_t zero[16];
	size_t head = xfn_address__is_v4(ip) ? 12 : 0;

	return !memcmp(ip + head, zero, sizeof(zero) - head);
}

/* The kernel refuses to send there without SO_BROADCAST. Nothing is sent. */
static bool is_broadcast(const uint8_t ip[16])
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(1) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool refused;

	memcpy(&to.sin_addr, ip + 12, 4);
	refused = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno == EACCES;
	if (fd >= 0)
		close(fd);
	return refused;
}

const char *xfn_udp_socket__unfit(const uint8_t ip[16])
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };

	if (xfn_address__is_v4(ip) ? ip[12] >> 4 == 14 : ip[0] == 0xff)
		return "is a multicast address";
	if (xfn_address__is_v4(ip) && (!memcmp(ip + 12, all, 4) || is_broadcast(ip)))
		return "is a broadcast address";
	return NULL;
}

uint64_t xfn_udp_socket__dropped(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(info);

	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) ? 0 : info[SK_MEMINFO_DROPS];
}

void xfn_udp_socket__let_beside(int fd, bool on)
{
	const int value = on;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value));
}

static int set_options(int fd, bool mapped, unsigned scope, unsigned device)
{
	const int on = 1, buffer = RECEIVE_BUFFER, ifindex = (int)device;

	if (setsockopt(fd, mapped ? IPPROTO_IP : IPPROTO_IPV6,
		       mapped ? IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof(on)) ||
	    (!mapped && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    (scope && setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on))) ||
	    (device && setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &ifindex, sizeof(ifindex))))
		return -errno;
	/* The limit of net.core.rmem_max holds for those who may not exceed it. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	return 0;
}

int xfn_udp_socket__open(const struct xfn_address *addr, unsigned scope, unsigned device,
			 bool beside, struct xfn_error *err)
{
	bool mapped = xfn_address__is_v4(addr->ip);
	/* fe80::/10 wants its interface */
	bool link_local = addr->ip[0] == 0xfe && (addr->ip[1] & 0xc0) == 0x80;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(addr->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(addr->port),
				    .sin6_scope_id = link_local ? scope : 0 };
	const char *what = "make a socket for";
	char text[64];
	int fd, ret;

	memcpy(&in.sin_addr, addr->ip + 12, 4);
	memcpy(&in6.sin6_addr, addr->ip, 16);
	fd = socket(mapped ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ret = fd < 0 ? -errno : 0;
	if (!ret) {
		what = "set options of";
		ret = set_options(fd, mapped, scope, device);
	}
	if (!ret) {
		what = "bind";
		if (beside)
			xfn_udp_socket__let_beside(fd, true);
		if (mapped ? bind(fd, (struct sockaddr *)&in, sizeof(in)) :
			     bind(fd, (struct sockaddr *)&in6, sizeof(in6)))
			ret = -errno;
		if (beside)
			xfn_udp_socket__let_beside(fd, false);
	}
	if (!ret)
		return fd;
	xfn_error__set(err, "cannot %s UDP %s: %s%s", what,
		       xfn_udp_socket__text(addr, text, sizeof(text)), strerror(-ret),
		       ret == -EADDRINUSE ?
			       "; another server has that port: stop it, or give another one" :
		       ret == -EADDRNOTAVAIL ? "; `ip addr` lists the addresses of this host" :
					       "");
	if (fd >= 0)
		close(fd);
	return ret;
}
