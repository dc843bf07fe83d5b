/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the suites of the control socket share: a real server in a thread, in a folder of the
 * suite's own, and clients that write to it by hand. Knows no verb of xfn's. To be included after
 * cmocka.h.
 */
#ifndef XFN_TEST_CONTROL_SERVER_H
#define XFN_TEST_CONTROL_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "../../userspace/control/control.h"
#include "../../userspace/host/events.h"

#define BIG (3u << 20)

static char dir[] = "/tmp/xfn-test-control-XXXXXX";
static struct xfn_control_server *server;
static pthread_t thread;
static struct xfn_events events;
static struct xfn_watch stop_watch;
static int stop_fd;
static uint64_t ticket; /* of the request that is answered later */

static json_t *handle(void *ctx, const char *verb, json_t *args, struct xfn_error *err)
{
	(void)ctx;
	if (!strcmp(verb, "ls"))
		return json_pack("{s:O}", "args", args);
	if (!strcmp(verb, "big")) {
		char *text = malloc(BIG);
		json_t *data;

		memset(text, 'x', BIG);
		data = json_stringn(text, BIG);
		free(text);
		return data;
	}
	if (!strcmp(verb, "later"))
		ticket = xfn_control__later(server);
	if (!strcmp(verb, "give") || !strcmp(verb, "refuse")) {
		xfn_control__answer(server, ticket,
				    *verb == 'g' ? json_pack("{s:s}", "late", "yes") : NULL,
				    "too late; ask again");
		return json_null();
	}
	if (!strcmp(verb, "fail"))
		xfn_error__set(err, "echo: a; b; try again");
	if (!strcmp(verb, "cut")) /* within the second character */
		xfn_error__set(err, "%.3s: no such thing; see \xff", "\u00e9\u00e9");
	return NULL;
}

static void on_stop(void *ctx)
{
	xfn_events__end(ctx);
}

static void *serve(void *arg)
{
	(void)arg;
	xfn_events__run(&events);
	return NULL;
}

static void start(const char *ifname)
{
	struct xfn_error err = { 0 };

	stop_fd = eventfd(0, EFD_CLOEXEC);
	xfn_events__watch(&events, &stop_watch, XFN_TURN_FIRST, stop_fd, on_stop, &events);
	if (xfn_control__listen(&events, ifname, handle, NULL, &server, &err))
		fail_msg("%s", err.line);
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
}

static void stop(void)
{
	assert_int_equal(eventfd_write(stop_fd, 1), 0);
	pthread_join(thread, NULL);
	xfn_control__close(server);
	xfn_events__unwatch(&stop_watch);
	close(stop_fd);
}

static int group_set_up(void **state)
{
	(void)state;
	return !mkdtemp(dir) || setenv("XFN_RUNTIME_DIR", dir, 1);
}

static int group_tear_down(void **state)
{
	(void)state;
	return rmdir(dir); /* fails where a socket was left */
}

static int set_up(void **state)
{
	(void)state;
	start("eth7");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stop();
	return 0;
}

static void socket_path(const char *ifname, char *path, size_t len)
{
	struct xfn_error err = { 0 };

	if (xfn_control__path(ifname, path, len, &err))
		fail_msg("%s", err.line);
}

static int connect_raw(const char *ifname)
{
	struct timeval limit = { .tv_sec = 8 };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	socket_path(ifname, sun.sun_path, sizeof(sun.sun_path));
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

/* The error message (copied) in the line that comes back; "" where the server only closes. */
static void read_error(int fd, char *message, size_t len, bool *has_next)
{
	char line[4096];
	size_t got = 0;
	json_t *answer, *error;

	for (ssize_t n; got < sizeof(line) && !memchr(line, '\n', got); got += (size_t)n) {
		n = recv(fd, line + got, sizeof(line) - got, 0);
		if (n <= 0)
			break;
	}
	*message = '\0';
	*has_next = false;
	if (!got)
		return;
	answer = json_loadb(line, got, 0, NULL);
	assert_non_null(answer);
	assert_true(json_is_false(json_object_get(answer, "ok")));
	error = json_object_get(answer, "error");
	snprintf(message, len, "%s", json_string_value(json_object_get(error, "message")));
	*has_next = json_string_length(json_object_get(error, "next")) > 0;
	json_decref(answer);
}

#endif
