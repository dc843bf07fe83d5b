/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the engines over UDP sockets share: where a datagram came from and went to, and the control
 * message that makes the reply leave from there (ip(7), ipv6(7)). Must never know how datagrams
 * move.
 */
#ifndef XFN_ENGINE_UDP_H
#define XFN_ENGINE_UDP_H

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include "../../skel/error.h"
#include "engine.h"

/* A peer as the kernel names it; 32 bytes keep what follows it aligned. */
union xfn_udp_name {
	struct sockaddr_in in;
	struct sockaddr_in6 in6; /* with the scope of a link-local peer */
	uint8_t room[32];
};

/* One IPv4 and one IPv6 PKTINFO, the most that a socket set up below receives. */
#define XFN_UDP_CONTROL                                                                            \
	(CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(struct in6_pktinfo)))

/* Make the socket tell each datagram's destination. */
static inline int xfn_udp_prepare(int fd, struct xfn_error *err)
{
	int family = 0, on = 1;
	socklen_t len = sizeof(family);
	int ret = getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);

	if (!ret && family == AF_INET6)
		ret = setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	else if (!ret)
		ret = setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	if (!ret)
		return 0;
	ret = -errno;
	return xfn_fail(err, ret,
			"socket %d cannot tell destinations (IP_PKTINFO): %s; pass a UDP socket",
			fd, strerror(-ret));
}

static inline void xfn_udp_map(uint8_t ip[16], const struct in_addr *in)
{
	memset(ip, 0, 10);
	ip[10] = ip[11] = 0xff;
	memcpy(ip + 12, in, 4);
}

static inline void xfn_udp_peer(const union xfn_udp_name *name, struct xfn_address *peer)
{
	if (name->in.sin_family == AF_INET) {
		xfn_udp_map(peer->ip, &name->in.sin_addr);
		peer->port = ntohs(name->in.sin_port);
	} else {
		memcpy(peer->ip, &name->in6.sin6_addr, 16);
		peer->port = ntohs(name->in6.sin6_port);
	}
}

/*
 * Set *local (the address and port that the socket is bound to) and *broadcast from the PKTINFO in
 * control[len], then rewrite control so that a reply leaves from that address. Returns the reply's
 * control length; 0: the reply leaves from there without any, or there was no PKTINFO.
 */
static inline size_t xfn_udp_local(void *control, size_t len, struct xfn_address *local,
				   bool *broadcast)
{
	struct msghdr msg = { .msg_control = control, .msg_controllen = len };
	const struct xfn_address bound = *local;
	struct cmsghdr *found = NULL;
	union {
		struct in_pktinfo in;
		struct in6_pktinfo in6;
	} info;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c && !found; c = CMSG_NXTHDR(&msg, c)) {
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO))
			found = c;
	}
	if (!found)
		return 0;
	if (found->cmsg_level == IPPROTO_IP) {
		memcpy(&info.in, CMSG_DATA(found), sizeof(info.in));
		xfn_udp_map(local->ip, &info.in.ipi_addr);
		/* The kernel names an address of ours to answer from where the destination is none.
		 */
		*broadcast = info.in.ipi_addr.s_addr != info.in.ipi_spec_dst.s_addr;
		info.in.ipi_ifindex = 0; /* the way back is routing's choice */
	} else {
		memcpy(&info.in6, CMSG_DATA(found), sizeof(info.in6));
		memcpy(local->ip, &info.in6.ipi6_addr, 16);
		*broadcast = IN6_IS_ADDR_MULTICAST(&info.in6.ipi6_addr);
		/* a link-local source means nothing without its link */
		if (!IN6_IS_ADDR_LINKLOCAL(&info.in6.ipi6_addr))
			info.in6.ipi6_ifindex = 0;
	}
	if (!memcmp(local->ip, bound.ip, sizeof(bound.ip)))
		return 0;
	len = found->cmsg_len;
	memmove(control, found, sizeof(*found));
	memcpy(CMSG_DATA((struct cmsghdr *)control), &info, len - CMSG_LEN(0));
	return CMSG_ALIGN(len);
}

/* Does this error of a socket mean that it will never receive again? ICMP errors do not. */
static inline bool xfn_udp_lost(int error)
{
	switch (error) {
	case EBADF:
	case ENOTSOCK:
	case EOPNOTSUPP:
	case EINVAL:
	case EFAULT:
	case EACCES:
	case ESHUTDOWN:
		return true;
	}
	return false;
}

/*
 * The sockets of an engine that reads them by system calls, taken in turn: however much one of them
 * has, each of the others that has something is read from as often.
 */
struct xfn_udp_turns {
	struct xfn_engine_socket *sockets;
	struct pollfd *polls; /* per socket; .revents: it may have something */
	unsigned count;
	unsigned next;	/* whose turn it was last */
	unsigned ready; /* sockets with .revents */
	unsigned since; /* datagrams read since the last look at all of them */
	int lost;	/* -errno */
	uint64_t waits; /* calls of poll(2) */
};

/* Zeroed *t: copies and prepares the sockets. 0 or -errno with one line in err; close it then too.
 */
int xfn_udp_turns__open(struct xfn_udp_turns *t, const struct xfn_engine_config *cfg,
			struct xfn_error *err);
void xfn_udp_turns__close(struct xfn_udp_turns *t);
/* See what has something, waiting for it at most timeout_ms. 0 or -errno of a lost socket. */
int xfn_udp_turns__wait(struct xfn_udp_turns *t, int timeout_ms);
/* Before a batch: looks, without waiting, where nothing is known or that was long ago. As wait. */
int xfn_udp_turns__begin(struct xfn_udp_turns *t);
/* The socket whose turn it is, where .ready says that there is one. */
unsigned xfn_udp_turns__next(struct xfn_udp_turns *t);
/* So many datagrams of those wanted were read from it; < 0: none, and errno says why. */
void xfn_udp_turns__took(struct xfn_udp_turns *t, unsigned socket, int got, int wanted);

#endif
