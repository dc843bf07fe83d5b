/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The only loop of a process: descriptors and timers. A room adds one of either in one line, and is
 * called when it is ready or due. Nothing waits but the loop, and what is called must not wait.
 *
 * Watches and timers are their owner's memory, zeroes at first; the loop allocates nothing. It asks
 * by poll(2): the kernel keeps no list, so that adding a descriptor cannot fail and takes none, and
 * a descriptor that is closed leaves nothing behind. A file of its own, since libev ends a process
 * that is short of memory, and libsystemd brings five compression and crypto libraries along into a
 * process that holds capabilities.
 */
#ifndef XFN_EVENTS_H
#define XFN_EVENTS_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* Descriptors that are polled at once. Of more than that the last ones wait, unless a timer of
 * theirs comes first. */
#define XFN_EVENTS_POLLED 1024

/* In which order those of one round are called. */
enum xfn_turn {
	XFN_TURN_FIRST,
	XFN_TURN_EARLY,
	XFN_TURN_NORMAL,
	XFN_TURN_LAST
};

struct xfn_watch {
	struct xfn_watch *next;
	struct xfn_events *events; /* NULL: not watched */
	enum xfn_turn turn;
	int fd;
	short wants; /* POLLIN when it is added; its owner may change it. 0: hang-up and errors */
	void (*ready)(void *ctx);
	void *ctx;
};

struct xfn_timer {
	struct xfn_timer *next;
	struct xfn_events *events; /* NULL: it does not run */
	uint64_t at_ns;		   /* CLOCK_MONOTONIC */
	void (*due)(void *ctx);
	void *ctx;
};

struct xfn_events {
	struct xfn_watch *watches; /* in the order of their turns */
	struct xfn_timer *timers;  /* the soonest first */
	struct xfn_watch **polled; /* of this round; NULL between rounds */
	unsigned polled_count;
	uint64_t rounds; /* with this one: for what is to be done once in each at most */
	bool unable;	 /* poll(2) fails, which was logged */
	bool over;
};

/* Call `ready` while `fd` is readable; -1 is no descriptor, and nothing is watched. In place of what
 * this watch watched before. The descriptor stays the caller's: unwatch it before it is closed. */
void xfn_events__watch(struct xfn_events *events, struct xfn_watch *watch, enum xfn_turn turn,
		       int fd, void (*ready)(void *ctx), void *ctx);
/* Safe where nothing is watched, and from within any call of the loop: it is not called any more. */
void xfn_events__unwatch(struct xfn_watch *watch);

/* Call `due` once, in `ms` at the soonest, in place of when this timer was due before. 0: when the
 * descriptors of this round have had their turn. */
void xfn_events__after(struct xfn_events *events, struct xfn_timer *timer, uint64_t ms,
		       void (*due)(void *ctx), void *ctx);
void xfn_events__stop(struct xfn_timer *timer); /* safe where it does not run */

/*
 * Wait, and call what is ready or due, until xfn_events__end. Where poll(2) fails, for want of
 * memory maybe, that is logged once, and what wants to be read or written is called ten times a
 * second: `ready` must bear that there is nothing.
 */
void xfn_events__run(struct xfn_events *events);
void xfn_events__round(struct xfn_events *events); /* once */
/* From within a call of the loop: no other one is called. */
void xfn_events__end(struct xfn_events *events);

#endif
