// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The loop of a process. Must never know what it calls, nor why. */
#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include "events.h"
#include "log.h"
#include "now.h"

#define UNABLE_NS 100000000 /* between two rounds while poll(2) fails */

void xfn_events__watch(struct xfn_events *events, struct xfn_watch *watch, enum xfn_turn turn,
		       int fd, void (*ready)(void *ctx), void *ctx)
{
	struct xfn_watch **at = &events->watches;

	xfn_events__unwatch(watch);
	if (fd < 0)
		return;
	while (*at && (*at)->turn <= turn)
		at = &(*at)->next;
	*watch = (struct xfn_watch){ .next = *at,
				     .events = events,
				     .turn = turn,
				     .fd = fd,
				     .wants = POLLIN,
				     .ready = ready,
				     .ctx = ctx };
	*at = watch;
}

void xfn_events__unwatch(struct xfn_watch *watch)
{
	struct xfn_events *events = watch->events;

	if (!events)
		return;
	for (struct xfn_watch **at = &events->watches; *at; at = &(*at)->next)
		if (*at == watch) {
			*at = watch->next;
			break;
		}
	/* its memory may go, or watch something else */
	for (unsigned i = 0; i < events->polled_count; i++)
		if (events->polled[i] == watch)
			events->polled[i] = NULL;
	watch->events = NULL;
}

void xfn_events__after(struct xfn_events *events, struct xfn_timer *timer, uint64_t ms,
		       void (*due)(void *ctx), void *ctx)
{
	uint64_t at_ns = xfn_now_ns() + ms * 1000000;
	struct xfn_timer **at = &events->timers;

	xfn_events__stop(timer);
	while (*at && (*at)->at_ns <= at_ns)
		at = &(*at)->next;
	*timer = (struct xfn_timer){
		.next = *at, .events = events, .at_ns = at_ns, .due = due, .ctx = ctx
	};
	*at = timer;
}

void xfn_events__stop(struct xfn_timer *timer)
{
	if (!timer->events)
		return;
	for (struct xfn_timer **at = &timer->events->timers; *at; at = &(*at)->next)
		if (*at == timer) {
			*at = timer->next;
			break;
		}
	timer->events = NULL;
}

/* Until the first timer is due; for ever where there is none. False: poll(2) failed. */
static bool wait_for(struct xfn_events *events, struct pollfd *fds, unsigned count)
{
	const struct timespec pause = { .tv_nsec = UNABLE_NS };
	uint64_t now = xfn_now_ns(), next = events->timers ? events->timers->at_ns : 0;
	uint64_t left = next > now ? next - now : 0;
	struct timespec timeout = { .tv_sec = (time_t)(left / 1000000000),
				    .tv_nsec = (long)(left % 1000000000) };

	if (ppoll(fds, count, events->timers ? &timeout : NULL, NULL) >= 0) {
		events->unable = false;
		return true;
	}
	if (errno == EINTR) {
		for (unsigned i = 0; i < count; i++)
			fds[i].revents = 0;
		return true;
	}
	if (!events->unable)
		xfn_log__line(LOG_ERR, "cannot wait for what happens: %s; tried again",
			      strerror(errno));
	events->unable = true;
	nanosleep(&pause, NULL);
	return false;
}

/* Timers that are set by those that are called here are due after the next descriptors. */
static void call_due(struct xfn_events *events)
{
	uint64_t now = xfn_now_ns();

	while (!events->over && events->timers && events->timers->at_ns <= now) {
		struct xfn_timer *timer = events->timers;

		xfn_events__stop(timer);
		timer->due(timer->ctx);
	}
}

static void call_ready(struct xfn_events *events)
{
	struct xfn_watch *polled[XFN_EVENTS_POLLED];
	struct pollfd fds[XFN_EVENTS_POLLED];
	unsigned n = 0;
	bool known;

	for (struct xfn_watch *w = events->watches; w && n < XFN_EVENTS_POLLED; w = w->next) {
		fds[n] = (struct pollfd){ .fd = w->fd, .events = w->wants };
		polled[n++] = w;
	}
	known = wait_for(events, fds, n);
	events->polled = polled;
	events->polled_count = n;
	for (unsigned i = 0; i < n && !events->over; i++)
		if (polled[i] && (known ? fds[i].revents : polled[i]->wants))
			polled[i]->ready(polled[i]->ctx);
	events->polled = NULL;
	events->polled_count = 0;
}

void xfn_events__round(struct xfn_events *events)
{
	events->rounds++;
	call_ready(events);
	call_due(events);
}

void xfn_events__run(struct xfn_events *events)
{
	events->over = false;
	while (!events->over)
		xfn_events__round(events);
}

void xfn_events__end(struct xfn_events *events)
{
	events->over = true;
}
