/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an engine tells of itself: written by the worker, read by the supervisor. From each list come
 * the members of its struct, the sums, the JSON and the table of `xfn stat`, and its man page's list.
 */
#ifndef XFN_ENGINE_STATS_H
#define XFN_ENGINE_STATS_H

#include <stdint.h>

/*
 * X(name, reason, sentence): datagrams that a counter counts as dropped are counted under that reason
 * of xdp/reason.h too; NONE: they are no drops.
 */
#define XFN_ENGINE_COUNTERS(X)                                                                     \
	X(received, NONE, "datagrams received")                                                    \
	X(sent, NONE, "replies sent")                                                              \
	X(send_failed, SEND, "replies that the kernel refused; their buffers are back")            \
	X(wakeups, NONE, "system calls to wait or to kick")                                        \
	X(stalls, NONE, "rounds in which a ring was full or buffers had run out")                  \
	X(truncated, TOO_LONG,                                                                     \
	  "datagrams larger than a buffer, or several in one (GSO): released unseen")

struct xfn_engine_stats {
#define XFN_COUNTER_MEMBER(name, reason, sentence) uint64_t name;
	XFN_ENGINE_COUNTERS(XFN_COUNTER_MEMBER);
#undef XFN_COUNTER_MEMBER
};

/* Where the frames of an engine that owns some are; each is in one place. X(type, name, sentence) */
#define XFN_ENGINE_FRAMES(X)                                                                       \
	X(uint32_t, total, "frames that the worker was given")                                     \
	X(uint32_t, free, "frames in no use")                                                      \
	X(uint32_t, filling, "frames with the kernel to be filled, until they are taken")          \
	X(uint32_t, lent, "frames of requests that are being answered")                            \
	X(uint32_t, sending, "frames with the kernel to be sent, until it says that they were")    \
	X(int32_t, held,                                                                           \
	  "frames of filling and sending that are on no ring, in the kernel's hands")              \
	X(int32_t, lost, "frames in no place, or in two: 0, always")

struct xfn_engine_audit {
#define XFN_FRAMES_MEMBER(type, name, sentence) type name;
	XFN_ENGINE_FRAMES(XFN_FRAMES_MEMBER);
#undef XFN_FRAMES_MEMBER
};

#endif
