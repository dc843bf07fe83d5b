/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an engine tells of itself: written by the worker, read by the supervisor. */
#ifndef XFN_ENGINE_STATS_H
#define XFN_ENGINE_STATS_H

#include <stdint.h>

struct xfn_engine_stats {
	uint64_t received;
	uint64_t sent;
	uint64_t send_failed; /* replies the kernel refused, counted, buffer back */
	uint64_t wakeups;     /* syscalls to wait or to kick */
	uint64_t stalls;      /* rounds in which a ring was full or buffers had run out */
	uint64_t truncated;   /* larger than a buffer, or several in one (GSO): released unseen */
};

/* Where the frames of an engine that owns some are. Each is in one place. */
struct xfn_engine_audit {
	uint32_t total;
	uint32_t free;
	uint32_t filling; /* with the kernel to be filled, until they are taken */
	uint32_t lent;	  /* between take and give */
	uint32_t sending; /* with the kernel to be sent, until it says that they were */
	int32_t held;	  /* of filling and sending: on no ring, in the kernel's hands */
	int32_t lost;	  /* in no place, or counted in one while found in another: 0, always */
};

#endif
