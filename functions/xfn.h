/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * xfn.h - the API a packet function is written against.
 *
 * A packet function is called once per UDP datagram that reaches its port and answers it in place:
 *
 *	#include "xfn.h"
 *
 *	XFN_FUNCTION(echo, .port = 7, .summary = "RFC 862 echo")
 *	{
 *		return XFN_REPLY;
 *	}
 *
 * One source is compiled twice: to an XDP program and to native code. `xfn build` force-includes
 *the header that implements these declarations for the target; this file only declares. It must
 *never know where a function runs.
 *
 * In a kernel half <stdint.h>, <stddef.h>, <stdbool.h> and <limits.h> may be included, and memcpy,
 * memset, memcmp (constant size) and the errno names below are there. Code that needs a library
 *stands under #ifdef XFN_NATIVE.
 *
 * Byte order: lengths, offsets and ports are in host order; payload bytes are as on the wire.
 */
#ifndef XFN_H
#define XFN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Raised when a module built against an older xfn.h can no longer be run. */
#define XFN_API 1

#define XFN_NAME_MAX	    15 /* [a-z][a-z0-9_]{0,14} */
#define XFN_RESPONDERS_MAX  16
#define XFN_AMPLIFY_DEFAULT 3

/*
 * Ports of services that answer whatever comes: echo, daytime, qotd, chargen, time, TFTP, SSDP,
 * mDNS, memcached. A function that does so as well adds its own, or one forged request makes two of
 * them answer each other for ever: .responders = { XFN_RESPONDERS, 4000 }.
 */
#define XFN_RESPONDERS 7, 13, 17, 19, 37, 69, 1900, 5353, 11211

/* What a function returns. Any other value drops the request, reason "bad_action". */
enum xfn_action {
	XFN_DROP = 0,	 /* refuse: no answer, counted as dropped by the function */
	XFN_REPLY = 1,	 /* send the payload back to the peer */
	XFN_CONSUME = 2, /* accepted, unanswered by design (a sink) */
	XFN_PASS = 3, /* leave it to the host's own server; wants .fallback = XFN_FALLBACK_HOST */
	XFN_PUNT = 4, /* leave this unmodified request to the function's XFN_SLOW half */
};

/* Where a function runs; in an attribute: where it must run, or the build fails. */
enum xfn_tier {
	XFN_TIER_AUTO = 0,
	XFN_TIER_XDP = 1,    /* in the kernel, as an XDP program */
	XFN_TIER_AFXDP = 2,  /* in a worker behind AF_XDP sockets */
	XFN_TIER_SOCKET = 3, /* in a worker behind UDP sockets */
};

/* Who answers what the fast path leaves to the host's stack (fragments, IP options, ...). */
enum xfn_fallback {
	XFN_FALLBACK_SELF = 0, /* the same function, behind a UDP socket */
	XFN_FALLBACK_HOST = 1, /* the host's own server on that port */
};

/*
 * Attributes of a function, given to XFN_FUNCTION as designated initializers. A field left out has
 * the value 0, whose meaning each line says. The layout is part of XFN_API: a module carries it as
 * bytes.
 */
struct xfn_attributes {
	uint32_t api;	  /* XFN_API; set by XFN_FUNCTION */
	uint16_t port;	  /* default UDP port; 0: one must be given at run time */
	uint8_t tier;	  /* enum xfn_tier */
	uint8_t fallback; /* enum xfn_fallback */
	uint32_t grow;	  /* bytes a reply may exceed its request by */
	uint32_t amplify; /* largest reply/request ratio in IP bytes; 0: XFN_AMPLIFY_DEFAULT */
	uint16_t responders[XFN_RESPONDERS_MAX]; /* source ports that get no answer (they would
						  * answer back for ever), 0 ends; none given:
						  * XFN_RESPONDERS */
	char name[XFN_NAME_MAX + 1];		 /* set by XFN_FUNCTION */
	char licence[32];			 /* "": "Dual BSD/GPL" */
	char summary[96];			 /* one line for `xfn ls` */
};

/* One request. Its fields belong to the runtime. */
struct xfn_req;

/* An end of a conversation: IPv6, or IPv4-mapped (RFC 4291, 2.5.5.2). */
struct xfn_address {
	uint8_t ip[16]; /* network order */
	uint16_t port;	/* host order */
};

/*
 * XFN_FUNCTION(name, attributes ...) { body }
 * Defines the function of this source; `name` is the file's name without ".c". The body sees the
 * request as `req` and returns an enum xfn_action.
 */
#define XFN_FUNCTION(function, ...)                                                                \
	static const struct xfn_attributes xfn_attributes XFN_ATTRIBUTES_SECTION = {               \
		.api = XFN_API, .name = #function, ##__VA_ARGS__                                   \
	};                                                                                         \
	XFN_ENTRY(function)                                                                        \
	static inline __attribute__((always_inline)) int xfn_body(                                 \
		__attribute__((unused)) struct xfn_req *req)

/*
 * XFN_LINK("libcrypto >= 3.0");
 * Names a library of the native half, as pkg-config spells it. Once per library; libc and libm need
 * none.
 */
#define XFN_LINK(requirement) _Static_assert(sizeof(requirement) > 1, "XFN_LINK names a library")

/*
 * XFN_INIT(name) { ... return 0; }	(native, under #ifdef XFN_NATIVE)
 * Runs once per worker before it gives up its privileges: open files, warm up libraries.
 * Returns 0, or a negative errno value: then the worker does not start.
 * ("signed" lets `int XFN_INIT(name)` be written as well.)
 */
#define XFN_INIT(function) signed xfn_init(void)

/*
 * XFN_COUNTER(name);		at file scope: a counter shown by `xfn stat`, with a name of 23
 *				letters at most.
 * xfn_count(name)		adds one to it. Per CPU, no lock; monotonic while the function is
 * deployed.
 */
#ifndef XFN_COUNTER
#define XFN_COUNTER(counter) extern uint64_t xfn_counter_##counter
#define xfn_count(counter)   ((void)&xfn_counter_##counter)
#endif

#ifndef XFN_ENTRY
#define XFN_ENTRY(function)
#define XFN_ATTRIBUTES_SECTION __attribute__((unused))
#endif

#ifndef XFN_CALL
#define XFN_CALL extern
#endif

/* Payload bytes of the request (after xfn_resize: of the reply): the checked UDP length less 8,
 * never Ethernet padding. 0 is legal. */
XFN_CALL uint32_t xfn_len(const struct xfn_req *req);

/*
 * `n` readable payload bytes at offset `off`, or NULL where off + n > xfn_len(req): check it.
 * `n` is a constant in a kernel half. Valid until the next xfn_resize or the function's return.
 */
XFN_CALL const void *xfn_at(struct xfn_req *req, uint32_t off, uint32_t n);

/* The same, writable: marks the payload written, so that its checksum is computed anew. */
XFN_CALL void *xfn_edit(struct xfn_req *req, uint32_t off, uint32_t n);

/*
 * Copy `n` payload bytes at `off` to `dst`, which holds MAX bytes; `n` may vary up to the constant
 * MAX. Returns 0, or -EINVAL where n > MAX or off + n > xfn_len(req): then `dst` is unspecified.
 */
XFN_CALL int xfn_read(struct xfn_req *req, uint32_t off, void *dst, uint32_t n, uint32_t max);

/* Copy `n` bytes at `src` into the payload at `off`. Bounds and result as xfn_read; on -EINVAL the
 * payload is unchanged. */
XFN_CALL int xfn_write(struct xfn_req *req, uint32_t off, const void *src, uint32_t n,
		       uint32_t max);

/*
 * The largest length xfn_resize would accept now: the request's length plus .grow, no more than the
 * MTU holds and than .amplify allows, and never less than the request's own length.
 */
XFN_CALL uint32_t xfn_room(const struct xfn_req *req);

/*
 * Make the payload `n` bytes long. New bytes are zero. Pointers from xfn_at and xfn_edit are dead.
 * Returns 0, or -EMSGSIZE where n > xfn_room(req): then nothing has changed.
 */
XFN_CALL int xfn_resize(struct xfn_req *req, uint32_t n);

/* The sender of the request. */
XFN_CALL void xfn_peer(struct xfn_req *req, struct xfn_address *addr);

/* The address and port the request was sent to. */
XFN_CALL void xfn_local(struct xfn_req *req, struct xfn_address *addr);

/* Nanoseconds since boot, suspend included (CLOCK_BOOTTIME). */
XFN_CALL uint64_t xfn_mono_ns(void);

/* Nanoseconds of UTC since 1970-01-01 (CLOCK_REALTIME); leap seconds as the system's clock has
 * them. */
XFN_CALL uint64_t xfn_real_ns(void);

/* 32 random bits; fit for ids and sampling, not for keys. */
XFN_CALL uint32_t xfn_random(void);

/* Big-endian fields at any alignment; values in host order. */
static inline __attribute__((always_inline, unused)) uint16_t xfn_get_be16(const void *p)
{
	uint16_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return __builtin_bswap16(v);
}

static inline __attribute__((always_inline, unused)) uint32_t xfn_get_be32(const void *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static inline __attribute__((always_inline, unused)) uint64_t xfn_get_be64(const void *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

static inline __attribute__((always_inline, unused)) void xfn_put_be16(void *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline __attribute__((always_inline, unused)) void xfn_put_be32(void *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline __attribute__((always_inline, unused)) void xfn_put_be64(void *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

#ifdef XFN_NATIVE
#include <errno.h>
#include <string.h>
#else
#ifndef EINVAL
#define ENOENT	 2
#define EAGAIN	 11
#define ENOMEM	 12
#define EEXIST	 17
#define EINVAL	 22
#define ENOSPC	 28
#define EMSGSIZE 90
#endif
#ifndef memcpy
#define memcpy(d, s, n) __builtin_memcpy(d, s, n)
#define memset(d, c, n) __builtin_memset(d, c, n)
#define memcmp(a, b, n) __builtin_memcmp(a, b, n)
#endif
#endif

#endif
