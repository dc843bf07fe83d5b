/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every reason for which a kernel program or a worker drops a packet, or leaves it to the host.
 * Codes are stable: a new one goes to the end. Must never include anything.
 *
 * XFN_REASON(code, NAME, verdict, sentence): verdict is DROP, PASS (to the host's stack) or WORK
 * (to the worker).
 */
#ifndef XFN_REASON_H
#define XFN_REASON_H

#define XFN_REASONS(X)                                                                                \
	X(0, NONE, WORK, "no obstacle: for a function")                                               \
	X(1, TRUNCATED, DROP, "frame shorter than its headers say")                                   \
	X(2, NOT_IP, PASS, "neither IPv4 nor IPv6 (ARP, LLDP, ...)")                                  \
	X(3, NOT_UDP, PASS, "IP, but not UDP")                                                        \
	X(4, TAGS, PASS, "more than two VLAN tags")                                                   \
	X(5, IP_OPTIONS, PASS, "IPv4 options")                                                        \
	X(6, EXT_HEADER, PASS, "IPv6 extension header")                                               \
	X(7, FRAGMENT, PASS, "IP fragment")                                                           \
	X(8, NOT_OURS, PASS, "no function on this port")                                              \
	X(9, NOT_LOCAL, PASS, "destination address not served here")                                  \
	X(10, BAD_IP, DROP, "IP version, header length or total length is wrong")                     \
	X(11, BAD_IP_SUM, DROP, "IPv4 header checksum is wrong")                                      \
	X(12, BAD_UDP_LEN, DROP, "UDP length disagrees with IP length")                               \
	X(13, BAD_UDP_SUM, DROP, "UDP checksum is wrong")                                             \
	X(14, NO_UDP_SUM, DROP, "IPv6 without UDP checksum")                                          \
	X(15, MULTICAST, PASS, "broadcast or multicast destination")                                  \
	X(16, BAD_SOURCE, DROP, "source is multicast, broadcast, zero, or this host's own")           \
	X(17, PORT_ZERO, DROP, "source port 0")                                                       \
	X(18, RESPONDER, DROP, "source port of a service that would answer back")                     \
	X(19, AMPLIFY, DROP, "reply larger than .amplify allows")                                     \
	X(20, MTU, DROP, "reply larger than the MTU")                                                 \
	X(21, BAD_ACTION, DROP, "function returned no known action")                                  \
	X(22, FUNCTION, DROP, "function refused")                                                     \
	X(23, HOST, PASS, "function left it to the host's server")                                    \
	X(24, NO_ROOM, WORK, "no room to grow in this frame")                                         \
	X(25, NO_WORKER, PASS, "no worker on this queue")                                             \
	X(26, NO_PROGRAM, DROP, "slot has no program (missed tail call)")                             \
	X(27, NO_SLOW, DROP, "punted, but the request was edited or there is no slow half")           \
	X(28, RATE, DROP, "source prefix above its rate")                                             \
	X(29, LARGE_FRAME, PASS, "frame above the MTU (GRO/GSO), or in several buffers")              \
	X(30, ADJUST, DROP, "the driver refused the new length")                                      \
	X(31, SEND, DROP, "the kernel refused the reply")                                             \
	X(32, NO_ROUTE, PASS,                                                                         \
	  "no neighbour, or no way back by this interface (--reply-route fib)")                       \
	X(33, QUARANTINE, DROP,                                                                       \
	  "its function ended its worker too often, or cannot be loaded (`xfn ls`)")                  \
	X(34, BACKLOG, DROP,                                                                          \
	  "too many requests wait for a slow function that has the same worker (`xfn scale NAME 1`)") \
	X(35, RING_FULL, DROP, "the worker's ring is full: the worker is behind")                     \
	X(36, NO_FRAME, DROP, "no free frame for the worker's ring, or a frame longer than those")    \
	X(37, SOCKET_FULL, DROP,                                                                      \
	  "the socket's buffer is full: the worker is behind (or checksum, length or MAC is wrong)")  \
	X(38, TOO_LONG, DROP, "longer than a worker's buffer, or several datagrams in one (GSO)")     \
	X(39, OTHERHOST, PASS, "destination MAC is another host's")                                   \
	X(40, PARTIAL_SUM, PASS,                                                                      \
	  "UDP checksum not computed yet (local sender): perhaps several datagrams in one")

enum xfn_reason {
#define XFN_REASON(code, name, verdict, sentence) XFN_REASON_##name = code,
	XFN_REASONS(XFN_REASON)
#undef XFN_REASON
	XFN_REASON_COUNT
};

#define XFN_REASON_SLOTS 64 /* entries of the counter map; codes stay below the last */
/*
 * Not a reason: datagrams that a filter of UDP sockets refused. The filter or the dispatcher has
 * counted them under their reason, and the kernel counts them once more as lost by these sockets:
 * that count is reduced by this one.
 */
#define XFN_REASON_SLOW_REFUSED (XFN_REASON_SLOTS - 1)

#endif
