/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A received datagram, from the engine that lends it to the call that answers it in place. */
#ifndef XFN_DATAGRAM_H
#define XFN_DATAGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include "../../functions/xfn.h"

#define XFN_BATCH 64 /* datagrams per round: what one AF_XDP or sendmmsg batch is worth */
#define XFN_GUARD 8  /* bytes around a payload by which a write beside it is noticed */

enum xfn_datagram_kind {
	XFN_FRAME,   /* data is a whole Ethernet frame */
	XFN_PAYLOAD, /* data is the UDP payload; peer, local and slot are set */
};

/* What the kernel knows of the UDP checksum of an XFN_FRAME. */
enum xfn_frame_sum {
	XFN_FRAME_SUM_UNKNOWN, /* to be verified */
	XFN_FRAME_SUM_PARTIAL, /* never made: the frame comes from a stack of this machine */
	XFN_FRAME_SUM_VALID,
};

/* One received datagram, lent by the engine between take and give. */
struct xfn_datagram {
	uint8_t *data;
	uint32_t len;	   /* bytes at data */
	uint32_t capacity; /* writable bytes at data, >= len */
	uint32_t slot;	   /* XFN_PAYLOAD: the function of the receiving socket; else with waits */
	bool broadcast;	   /* XFN_PAYLOAD: sent to a broadcast or multicast address */
	bool guarded; /* XFN_PAYLOAD: XFN_GUARD bytes before data, and as many behind its capacity,
		       * belong to this datagram and hold nothing */
	uint8_t sum;  /* XFN_FRAME: enum xfn_frame_sum */
	bool send;    /* set by the caller before give: send data[0..len) back, else just release */
	bool may_wait; /* it may be given back after later ones, in any order: takes may come first
			*/
	bool waits;    /* set by the caller, with its slot: it is not given back yet */
	struct xfn_address peer;  /* XFN_PAYLOAD only */
	struct xfn_address local; /* XFN_PAYLOAD only; port host order */
	uint64_t token;		  /* the engine's own: frame address, buffer id */
	uint32_t socket;	  /* the engine's own: which socket */
};

#endif
