/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Map layouts, limits and version numbers that kernel programs and user space share.
 * Only __uNN types: a kernel program brings them by vmlinux.h. Must never include anything else of
 * the kernel or the libc.
 */
#ifndef XFN_ABI_H
#define XFN_ABI_H

#ifndef __bpf__
#include <linux/types.h>
#endif
#include "protocols.h"

#define XFN_ABI 7 /* raised with any change of a layout below */

#define XFN_COUNTER_NAME 24 /* bytes of an author counter's name, its 0 among them */

#define XFN_SLOTS	  1024	/* functions per interface */
#define XFN_SLOTS_STATIC  64	/* slots whose tail call has a constant index: a direct jump */
#define XFN_PORTS	  65536 /* UDP ports, and port 0 */
#define XFN_QUEUES	  64	/* RX queues per interface that can have a worker */
#define XFN_THREADS	  8	/* worker threads per queue */
#define XFN_ADDRESSES	  1024	/* served addresses per run */
#define XFN_BINDINGS	  4096	/* (address, port) pairs on ports that several functions share */
#define XFN_DEVICES	  256	/* interfaces of one run with their VLAN, bridge and bond uppers */
#define XFN_RATES	  16384 /* source prefixes whose rate is followed at a time */
#define XFN_TAGS	  2
#define XFN_ADDRESS_CACHE 4 /* addresses of a family that are compared before the hash is asked */
#define XFN_MACS	  4 /* Ethernet addresses of the interface and of its uppers */
#define XFN_OWN		  4096 /* addresses of this host and broadcast ones: no request's source */
#define XFN_OWN_BITS	  13   /* bits of a hash of them: a filter of 2^13 bits */
#define XFN_FRAME_MAX	  3520 /* longest linear frame: MTU 3506 plus Ethernet header */
#define XFN_MTU_LINEAR                                                                             \
	(XFN_FRAME_MAX - XFN_ETH_LEN) /* beyond it a frame may be in several buffers */
#define XFN_MTU_DEFAULT 1500

/* The longest payload of a datagram, in bytes: IPv4's length (RFC 791) counts its own header and
 * UDP's, that of IPv6 (RFC 8200) only UDP's. */
#define XFN_PAYLOAD_MAX_V4 (65535 - XFN_IPV4_LEN - XFN_UDP_LEN)
#define XFN_PAYLOAD_MAX	   (65535 - XFN_UDP_LEN)

/* Index into xfn_xsks. */
#define XFN_XSK_INDEX(queue, thread) ((queue)*XFN_THREADS + (thread))

/*
 * Value of xfn_indirections: which thread of a queue takes a flow, by the flow's hash. It is an
 * indirection table as receive-side scaling has one (Documentation/networking/scaling.rst). A queue
 * has one table for each pool. xfn_pools tells a slot's pool: functions share pool 0; each other
 * pool belongs to one function.
 */
#define XFN_INDIRECTION_BITS	6
#define XFN_INDIRECTION_ENTRIES (1 << XFN_INDIRECTION_BITS)
#define XFN_POOLS		XFN_THREADS
struct xfn_indirection {
	__u8 thread[XFN_INDIRECTION_ENTRIES];
};
#define XFN_INDIRECTION_INDEX(queue, pool) ((queue)*XFN_POOLS + (pool))

/* Value of xfn_ports: 0 where no function has the port, else tier << 16 | slot + 1, or
 * XFN_PORT_SHARED. */
#define XFN_PORT_SHARED		   0xffffffffu
#define XFN_PORT_VALUE(tier, slot) ((__u32)(tier) << 16 | ((slot) + 1))
#define XFN_PORT_TIER(value)	   ((value) >> 16 & 0xff)
#define XFN_PORT_SLOT(value)	   (((value)&0xffff) - 1)
/* The tiers as xfn.h numbers them. */
#define XFN_PORT_TIER_XDP   1
#define XFN_PORT_TIER_AFXDP 2

/* Key of xfn_addresses: a destination this interface serves. IPv4 is mapped (::ffff:a.b.c.d). */
struct xfn_address_key {
	__u8 ip[16];	     /* network order */
	__u16 tag[XFN_TAGS]; /* VLAN ids outermost first, host order, 0 is none */
};

/* Value of xfn_devices, by ifindex: a device on which requests may reach the host's stack. */
struct xfn_device {
	__u16 tag[XFN_TAGS]; /* VLAN ids of its frames on the wire, outermost first */
};

/*
 * Key of xfn_bindings: one address of a port that several functions share; 0.0.0.0 and :: stand for
 * every address that has no key of its own. Value: as in xfn_ports; 0 where UDP sockets take it.
 */
struct xfn_binding_key {
	__u8 ip[16];
	__u16 port; /* host order */
	__u16 zero;
};

/* xfn_runtime, one entry: what may change while attached. */
struct xfn_runtime {
	__u64 tai_offset_ns; /* CLOCK_TAI less CLOCK_REALTIME */
	__u64 fixed_mono_ns; /* tests: the clock's value; 0 is the real one */
	__u64 fixed_real_ns; /* tests: likewise */
	__u32 fixed_random;  /* tests: likewise */
	__u32 mtu;	     /* of the interface: IP bytes */
	__u32 multi_buffer;  /* 1: the workers take frames in several buffers */
	__u32 zero;
	/* The first served untagged destinations, network order; 0: none. They are in xfn_addresses
	 * too, but a comparison is cheaper than a hash look-up. */
	__u32 cached4[XFN_ADDRESS_CACHE];
	/* MACs that frames are sent to, as xfn_packet_mac reads them; the first one fills unused
	 * places. All 0: every unicast MAC is accepted. */
	__u64 mac[XFN_MACS];
	__u64 cached6[XFN_ADDRESS_CACHE][2];
	/* A filter before xfn_own: where a source's bit (xfn_packet_own_bit) is 0, xfn_own does not
	 * have the source. */
	__u64 own[(1 << XFN_OWN_BITS) / 64];
};

/* Key of xfn_own: an address that sends no requests. IPv4 is mapped. */
struct xfn_own_key {
	__u8 ip[16];
};

/* Flags of struct xfn_settings. */
#define XFN_TRUST_CHECKSUM (1u << 0) /* do not verify request checksums */
#define XFN_LOCAL_PEER	   (1u << 1) /* the link's peer may be this host: partial sums are right */
#define XFN_GENERIC	   (1u << 2) /* attached in generic mode: GRO and GSO frames may appear */
#define XFN_FRAGS	   (1u << 4) /* loaded for frames in several buffers (xdp.frags) */
#define XFN_ROUTE_FIB	   (1u << 5) /* ask the kernel's routes for the way back */
#define XFN_ANY_ADDRESS	   (1u << 3) /* serve any unicast destination */

/*
 * Frames on an interface of an MTU up to XFN_MTU_SMALL are no longer than XFN_FRAME_SMALL. The
 * verifier knows this bound, and so a loop over every byte of a payload stays below its limit of
 * 8192 open branches.
 */
#define XFN_MTU_SMALL	2000
#define XFN_FRAME_SMALL 2047
#define XFN_LARGE	2048 /* together the mask of XFN_OFFSET_MAX */

/* Written into a program's .rodata before it is loaded; the verifier removes what is off. */
struct xfn_settings {
	__u32 flags;
	__u32 slot;  /* of the function; the dispatcher has none */
	__u32 large; /* XFN_LARGE: frames may be longer than XFN_FRAME_SMALL; else 0 */
	__u32 rate;  /* requests per second and source prefix; 0: no bound */
};

/*
 * What is counted of each function: X(name, per_request, sentence). From this list come the members
 * below, the sums, the JSON and the table of `xfn stat`, and the list in its man page.
 * per_request: the most that one request may add to a worker's counter; 0: only the kernel counts it.
 */
#define XFN_SLOT_COUNTERS(X)                                                                       \
	X(requests, 1, "requests handed to the function")                                          \
	X(replies, 1, "requests that it answered")                                                 \
	X(dropped, 1, "requests refused by the function, or by its guards")                        \
	X(consumed, 1, "requests that it took without a reply")                                    \
	X(passed, 1, "requests left to the host's server")                                         \
	X(bytes_in, 65535, "bytes of payload received")                                            \
	X(bytes_out, 65535, "bytes of payload sent")                                               \
	X(handed, 0,                                                                               \
	  "requests that the kernel gave to an AF_XDP worker, which counts them as its requests")

/* Value of xfn_slot_stat, per CPU, one entry per slot. A worker keeps the same in its page. */
struct xfn_slot_counters {
#define XFN_COUNTER_MEMBER(name, per_request, sentence) __u64 name;
	XFN_SLOT_COUNTERS(XFN_COUNTER_MEMBER);
#undef XFN_COUNTER_MEMBER
};

static inline void xfn_slot_counters_add(struct xfn_slot_counters *sum,
					 const struct xfn_slot_counters *more)
{
#define XFN_COUNTER_ADD(name, per_request, sentence) sum->name += more->name;
	XFN_SLOT_COUNTERS(XFN_COUNTER_ADD)
#undef XFN_COUNTER_ADD
}

#endif
