// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The loop: the order of a round, what is removed within one, timers, and a kernel that refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../userspace/host/events.h"
#include "../../userspace/host/now.h"

static struct xfn_events events;
static char calls[64]; /* who was called, in order */

struct caller {
	char name;
	int fd;
	struct xfn_watch watch;
	struct xfn_timer timer;
	struct caller *other; /* to be removed */
	unsigned times;	      /* left to set its timer again */
	bool ends;
};

static void called(struct caller *c)
{
	size_t n = strlen(calls);

	if (n + 1 < sizeof(calls))
		calls[n] = c->name;
	if (c->ends)
		xfn_events__end(&events);
}

static void on_ready(void *ctx)
{
	struct caller *c = ctx;
	eventfd_t value;

	assert_int_equal(eventfd_read(c->fd, &value), 0);
	called(c);
	if (c->other)
		xfn_events__unwatch(&c->other->watch);
}

static void on_due(void *ctx)
{
	struct caller *c = ctx;

	called(c);
	if (c->times && c->times--)
		xfn_events__after(&events, &c->timer, 0, on_due, c);
}

static void watch(struct caller *c, enum xfn_turn turn)
{
	c->fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(c->fd >= 0);
	xfn_events__watch(&events, &c->watch, turn, c->fd, on_ready, c);
}

static void unwatch(struct caller *c)
{
	xfn_events__unwatch(&c->watch);
	close(c->fd);
}

static int set_up(void **state)
{
	(void)state;
	memset(calls, 0, sizeof(calls));
	events = (struct xfn_events){};
	return 0;
}

static void turns(void **state)
{
	struct caller a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' },
		      d = { .name = 'd' }, z = { .name = 'z', .ends = true };

	(void)state;
	watch(&d, XFN_TURN_LAST);
	watch(&b, XFN_TURN_NORMAL);
	watch(&c, XFN_TURN_NORMAL); /* behind those that came before */
	watch(&a, XFN_TURN_FIRST);
	xfn_events__after(&events, &z.timer, 0, on_due, &z); /* behind all descriptors */
	xfn_events__run(&events);
	assert_string_equal(calls, "abcdz");
	unwatch(&a);
	unwatch(&b);
	unwatch(&c);
	unwatch(&d);
}

/* Ready as it is, it is not called any more: its memory may be gone. */
static void removed_within_the_round(void **state)
{
	struct caller b = { .name = 'b' }, a = { .name = 'a', .other = &b },
		      z = { .name = 'z', .ends = true };

	(void)state;
	watch(&a, XFN_TURN_EARLY);
	watch(&b, XFN_TURN_NORMAL);
	watch(&z, XFN_TURN_LAST);
	xfn_events__run(&events);
	assert_string_equal(calls, "az");
	assert_null(b.watch.events);
	unwatch(&a);
	unwatch(&b);
	unwatch(&z);
}

static void ends_at_once(void **state)
{
	struct caller a = { .name = 'a', .ends = true }, b = { .name = 'b' }, c = { .name = 'c' };

	(void)state;
	watch(&b, XFN_TURN_NORMAL);
	watch(&a, XFN_TURN_FIRST);
	xfn_events__after(&events, &c.timer, 0, on_due, &c);
	xfn_events__run(&events);
	assert_string_equal(calls, "a");
	unwatch(&a);
	unwatch(&b);
}

static void timers(void **state)
{
	struct caller a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' },
		      z = { .name = 'z', .ends = true };
	uint64_t begun = xfn_now_ms();

	(void)state;
	xfn_events__after(&events, &z.timer, 30, on_due, &z);
	xfn_events__after(&events, &b.timer, 20, on_due, &b);
	xfn_events__after(&events, &a.timer, 60000, on_due, &a);
	xfn_events__after(&events, &a.timer, 10, on_due, &a); /* in place of that */
	xfn_events__after(&events, &c.timer, 15, on_due, &c);
	xfn_events__stop(&c.timer);
	xfn_events__stop(&c.timer);
	xfn_events__run(&events);
	assert_string_equal(calls, "abz");
	assert_in_range(xfn_now_ms() - begun, 30, 5000);
}

/* A timer that is set anew again and again leaves descriptors their turn. */
static void timers_starve_nobody(void **state)
{
	struct caller a = { .name = 'a', .times = UINT32_MAX }, z = { .name = 'z', .ends = true };

	(void)state;
	xfn_events__after(&events, &a.timer, 0, on_due, &a);
	watch(&z, XFN_TURN_LAST);
	xfn_events__run(&events);
	assert_string_equal(calls, "z");
	assert_int_equal(eventfd_write(z.fd, 1), 0);
	xfn_events__run(&events);
	assert_string_equal(calls, "zz");
	xfn_events__stop(&a.timer);
	unwatch(&z);
}

static void hang_up_only(void **state)
{
	struct caller b = { .name = 'b' }, z = { .name = 'z', .ends = true };
	struct caller a = { .name = 'a' };
	int ends[2];

	(void)state;
	watch(&b, XFN_TURN_FIRST);
	b.watch.wants = 0; /* readable as it is */
	assert_int_equal(pipe(ends), 0);
	a.fd = ends[0];
	xfn_events__watch(&events, &a.watch, XFN_TURN_NORMAL, a.fd, on_due, &a);
	a.watch.wants = 0;
	a.ends = true;
	xfn_events__after(&events, &z.timer, 10, on_due, &z);
	xfn_events__run(&events);
	assert_string_equal(calls, "z");
	close(ends[1]);
	xfn_events__run(&events);
	assert_string_equal(calls, "za");
	unwatch(&a);
	unwatch(&b);
}

/* poll(2) takes no more descriptors than the process may open, and no new one is to be had. */
static void nothing_left(void **state)
{
	struct caller a = { .name = 'a' }, b = { .name = 'b' }, z = { .name = 'z', .ends = true };
	struct rlimit files, few;

	(void)state;
	watch(&a, XFN_TURN_NORMAL);
	watch(&z, XFN_TURN_LAST);
	b.fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	few = files;
	few.rlim_cur = 2;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	xfn_events__watch(&events, &b.watch, XFN_TURN_NORMAL, b.fd, on_ready, &b);
	xfn_events__run(&events);
	assert_true(events.unable);
	assert_string_equal(calls, "abz");
	/* and all is as before when there is room again */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(eventfd_write(z.fd, 1), 0);
	xfn_events__run(&events);
	assert_false(events.unable);
	assert_string_equal(calls, "abzz");
	unwatch(&a);
	unwatch(&b);
	unwatch(&z);
}

/* No descriptor is none to be polled; more than are polled at once do no harm. */
static void none_and_many(void **state)
{
	static struct caller many[XFN_EVENTS_POLLED + 8];
	struct caller z = { .name = 'z', .ends = true };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	(void)state;
	xfn_events__watch(&events, &many[0].watch, XFN_TURN_FIRST, -1, on_ready, &many[0]);
	assert_null(many[0].watch.events);
	for (unsigned i = 0; i < XFN_EVENTS_POLLED + 8; i++)
		xfn_events__watch(&events, &many[i].watch, XFN_TURN_LAST, fd, on_ready, &many[i]);
	watch(&z, XFN_TURN_FIRST);
	xfn_events__run(&events);
	assert_string_equal(calls, "z");
	for (unsigned i = 0; i < XFN_EVENTS_POLLED + 8; i++)
		xfn_events__unwatch(&many[i].watch);
	unwatch(&z);
	assert_null(events.watches);
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(turns),
		TEST(removed_within_the_round),
		TEST(ends_at_once),
		TEST(timers),
		TEST(timers_starve_nobody),
		TEST(hang_up_only),
		TEST(nothing_left),
		TEST(none_and_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
