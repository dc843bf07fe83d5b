/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The page of counters, which a worker writes and the supervisor reads. Nothing in it is believed
 * there: a function may have written it.
 */
#ifndef XFN_PAGE_H
#define XFN_PAGE_H

#include <stdint.h>
#include <linux/types.h>
#include "../../xdp/abi.h"
#include "../../xdp/reason.h"
#include "../../functions/xfn.h"
#include "engine_stats.h"

#define XFN_PAGE_COUNTERS 8	/* author counters of a function */
#define XFN_CRASH_MAX	  65536 /* bytes: any frame, and XFN_PAYLOAD_MAX */

/* The request during which the worker died, as it stood then: noted by the dying (crash_note.h). */
struct xfn_crash {
	uint32_t noted; /* 1: the rest holds */
	uint32_t kind;	/* enum xfn_datagram_kind */
	uint32_t len;
	struct xfn_address peer, local; /* XFN_PAYLOAD only */
	uint8_t data[XFN_CRASH_MAX];
};

enum xfn_overrun {
	XFN_OVERRUN_NONE,
	XFN_OVERRUN_BEHIND, /* past the payload and its room */
	XFN_OVERRUN_BEFORE,
};

/*
 * What a worker keeps in memory shared with the supervisor, for each of its threads. Single writer:
 * that thread.
 */
struct xfn_page {
	uint32_t abi;
	uint32_t pid;
	uint32_t running_slot; /* slot + 1 of the function being called now, 0 outside */
	uint32_t tid;
	uint32_t overrun; /* enum xfn_overrun: that function wrote where it may not, and ended the
			     worker */
	uint32_t after_slot; /* slot + 1 of the function called last, while the worker is careful;
				else 0 */
	uint32_t fault;	     /* 1: a signal of a fault in this thread ended the worker */
	uint32_t zero;
	uint64_t rounds;  /* grows while the worker lives */
	uint64_t cpu_ns;  /* what its thread has had of a CPU; told now and then */
	uint64_t idle_ns; /* how long it has waited for requests */
	struct xfn_engine_stats engine;
	uint64_t reasons[XFN_REASON_SLOTS];
	struct xfn_slot_counters slots[XFN_SLOTS];
	/* author counters, in order of declaration; names as in the module */
	struct {
		char name[XFN_COUNTER_NAME];
		uint64_t value;
	} counters[XFN_SLOTS][XFN_PAGE_COUNTERS];
	struct xfn_crash crash; /* last: never touched while all goes well */
};

#endif
