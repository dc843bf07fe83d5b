// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The control socket: a real server in a thread, real clients, in a folder of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
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

static void refused(const char *request, size_t len, const char *want)
{
	int fd = connect_raw("eth7");
	char message[512];
	bool next;

	/* the server may stop reading first */
	for (size_t sent = 0; sent < len;) {
		ssize_t n = send(fd, request + sent, len - sent, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	read_error(fd, message, sizeof(message), &next);
	close(fd);
	if (!strstr(message, want) || !next)
		fail_msg("'%s' does not say '%s', or no next step", message, want);
}

static void good_request(void **state)
{
	json_t *args = json_pack("{s:s}", "name", "echo"), *data = NULL;
	struct xfn_error err = { 0 };

	(void)state;
	if (xfn_control__ask("eth7", "ls", args, &data, &err))
		fail_msg("%s", err.line);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(data, "args"), "name")), "echo");
	json_decref(data);
	/* the only one that runs, without its name; no arguments */
	if (xfn_control__ask(NULL, "ls", NULL, &data, &err))
		fail_msg("%s", err.line);
	assert_true(json_is_object(json_object_get(data, "args")));
	json_decref(data);
	json_decref(args);
}

static void two_requests_in_one_packet(void **state)
{
	static const char two[] =
		"{\"xfn\": 1, \"verb\": \"ls\"}\n{\"xfn\": 1, \"verb\": \"ls\"}\n";
	int fd = connect_raw("eth7"), lines = 0;
	char c;

	(void)state;
	assert_int_equal(send(fd, two, sizeof(two) - 1, 0), sizeof(two) - 1);
	while (lines < 2 && recv(fd, &c, 1, 0) == 1)
		lines += c == '\n';
	assert_int_equal(lines, 2);
	close(fd);
}

static void big_answer(void **state)
{
	json_t *data = NULL;
	struct xfn_error err = { 0 };

	(void)state;
	if (xfn_control__ask("eth7", "big", NULL, &data, &err))
		fail_msg("%s", err.line);
	assert_int_equal(json_string_length(data), BIG);
	json_decref(data);
}

static void handler_refuses(void **state)
{
	json_t *data = NULL, *error;
	struct xfn_error err = { 0 };

	(void)state;
	assert_int_equal(xfn_control__ask("eth7", "fail", NULL, &data, &err), -EREMOTEIO);
	assert_string_equal(err.line, "echo: a; b; try again");
	error = xfn_control__error(err.line);
	assert_string_equal(json_string_value(json_object_get(error, "message")), "echo: a; b");
	assert_string_equal(json_string_value(json_object_get(error, "next")), "try again");
	json_decref(error);
}

/* Ask, and see that it is answered now. */
static void ask_now(const char *verb)
{
	json_t *data = NULL;
	struct xfn_error err = { 0 };

	if (xfn_control__ask("eth7", verb, NULL, &data, &err))
		fail_msg("%s: %s", verb, err.line);
	json_decref(data);
}

static void answered_later(void **state)
{
	static const char two[] = "{\"xfn\": 1, \"verb\": \"later\"}\n"
				  "{\"xfn\": 1, \"verb\": \"ls\"}\n";
	char line[512] = "", message[128];
	bool next;
	int fd;

	(void)state;
	fd = connect_raw("eth7");
	assert_int_equal(send(fd, two, sizeof(two) - 1, 0), sizeof(two) - 1);
	for (int i = 0; i < 20; i++)
		ask_now("ls"); /* others go on */
	/* the second request waits for the first one's answer */
	assert_int_equal(recv(fd, line, sizeof(line) - 1, MSG_DONTWAIT), -1);
	ask_now("give");
	assert_true(recv(fd, line, sizeof(line) - 1, 0) > 0);
	assert_non_null(strstr(line, "\"late\":\"yes\""));
	if (!strstr(line, "\"args\""))
		assert_true(recv(fd, line, sizeof(line) - 1, 0) > 0);
	assert_non_null(strstr(line, "\"args\""));

	assert_int_equal(send(fd, two, strcspn(two, "\n") + 1, 0), strcspn(two, "\n") + 1);
	ask_now("ls");
	ask_now("refuse");
	read_error(fd, message, sizeof(message), &next);
	assert_string_equal(message, "too late");
	assert_true(next);
	/* nobody is there any more */
	assert_int_equal(send(fd, two, strcspn(two, "\n") + 1, 0), strcspn(two, "\n") + 1);
	ask_now("ls");
	close(fd);
	ask_now("ls");
	ask_now("give");
	ask_now("give");
}

static void not_utf8(void **state)
{
	char verb[128];
	struct xfn_error err = { 0 };
	json_t *data = NULL;

	(void)state;
	assert_int_equal(xfn_control__ask("eth7", "cut", NULL, &data, &err), -EREMOTEIO);
	assert_string_equal(err.line, "???: no such thing; see ?");
	/* what is repeated of a request is cut anywhere */
	for (int i = 0; i < 4; i++) {
		snprintf(verb, sizeof(verb), "%.*s\u20ac\u20ac", 28 + i,
			 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
		assert_int_equal(xfn_control__ask("eth7", verb, NULL, &data, &err), -EREMOTEIO);
		assert_non_null(strstr(err.line, "is unknown"));
	}
}

static void unknown_verb(void **state)
{
	json_t *data = NULL;
	struct xfn_error err = { 0 };

	(void)state;
	assert_int_equal(xfn_control__ask("eth7", "dance", NULL, &data, &err), -EREMOTEIO);
	assert_non_null(strstr(err.line, "'dance' is unknown"));
	assert_non_null(strstr(err.line, "; "));
}

#define REFUSED(text, want) refused(text, sizeof(text) - 1, want)

static void broken_requests(void **state)
{
	(void)state;
	REFUSED("{\"xfn\": 1, \n", "not JSON");
	REFUSED("\n", "not JSON");
	REFUSED("\xff\xfe\0\n", "not JSON");
	REFUSED("{\"xfn\": 2, \"verb\": \"ls\"}\n", "version 1");
	REFUSED("{\"verb\": \"ls\"}\n", "version 1");
	REFUSED("[]\n", "version 1");
	REFUSED("{\"xfn\": 1}\n", "no verb");
	REFUSED("{\"xfn\": 1, \"verb\": 3}\n", "no verb");
	REFUSED("{\"xfn\": 1, \"verb\": \"ls\", \"args\": []}\n", "not an object");
}

static void line_length(void **state)
{
	size_t len = XFN_CONTROL_LINE + 100;
	char *line = malloc(len);
	struct xfn_error err = { 0 };
	json_t *data = NULL, *args;
	int fd;

	(void)state;
	memset(line, ' ', len);
	refused(line, len, "above 262144 bytes");
	/* as long as allowed, newline included */
	memcpy(line, "{\"xfn\": 1, \"verb\": \"ls\"}", 24);
	line[XFN_CONTROL_LINE - 1] = '\n';
	fd = connect_raw("eth7");
	for (size_t sent = 0; sent < XFN_CONTROL_LINE;) {
		ssize_t n = send(fd, line + sent, XFN_CONTROL_LINE - sent, 0);

		assert_true(n > 0);
		sent += (size_t)n;
	}
	assert_true(recv(fd, line, len - 1, 0) > 0);
	assert_non_null(memmem(line, 40, "\"ok\":true", 9));
	close(fd);
	/* the client refuses by itself */
	memset(line, 'a', len);
	args = json_pack("{s:s#}", "payload", line, (int)len);
	assert_int_equal(xfn_control__ask("eth7", "ls", args, &data, &err), -E2BIG);
	json_decref(args);
	free(line);
}

static void seventeen_clients(void **state)
{
	int fd[XFN_CONTROL_CLIENTS], more;
	char message[512];
	struct xfn_error err = { 0 };
	json_t *data = NULL;
	bool next;

	(void)state;
	for (int i = 0; i < XFN_CONTROL_CLIENTS; i++)
		fd[i] = connect_raw("eth7");
	more = connect_raw("eth7");
	read_error(more, message, sizeof(message), &next);
	assert_non_null(strstr(message, "16 clients"));
	assert_true(next);
	close(more);
	assert_int_equal(xfn_control__ask("eth7", "ls", NULL, &data, &err), -EREMOTEIO);
	assert_non_null(strstr(err.line, "16 clients"));
	for (int i = 0; i < XFN_CONTROL_CLIENTS; i++)
		close(fd[i]);
	/* their places are free again once the server has seen them go */
	for (int i = 0; i < 100; i++) {
		if (!xfn_control__ask("eth7", "ls", NULL, &data, &err))
			break;
		usleep(10000);
	}
	assert_non_null(data);
	json_decref(data);
}

static void no_descriptor_left(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 2 };
	struct rlimit files, few;
	char message[512];
	bool next;
	int fd;

	(void)state;
	socket_path("eth7", sun.sun_path, sizeof(sun.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	few = files;
	few.rlim_cur = fd + 1; /* the lowest that was free */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	read_error(fd, message, sizeof(message), &next);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_non_null(strstr(message, "no descriptor left"));
	assert_true(next);
	close(fd);
	ask_now("ls");
}

static void silent_clients(void **state)
{
	int silent = connect_raw("eth7"), slow = connect_raw("eth7"), deaf = connect_raw("eth7");
	static const char big[] = "{\"xfn\": 1, \"verb\": \"big\"}\n";
	struct timespec before, after;
	json_t *data = NULL;
	char c;
	struct xfn_error err = { 0 };
	size_t got = 0;
	char part[65536];
	ssize_t n;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(send(deaf, big, sizeof(big) - 1, 0), sizeof(big) - 1);
	/* nobody else waits for them */
	if (xfn_control__ask("eth7", "ls", NULL, &data, &err))
		fail_msg("%s", err.line);
	json_decref(data);
	/* a byte a second does not buy time */
	for (int i = 0; i < 5; i++) {
		if (send(slow, "x", 1, MSG_NOSIGNAL) != 1)
			break;
		sleep(1);
	}
	assert_int_equal(recv(silent, &c, 1, 0), 0);
	assert_true(recv(slow, &c, 1, 0) <= 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(after.tv_sec - before.tv_sec, XFN_CONTROL_SECONDS - 1,
			XFN_CONTROL_SECONDS + 2);
	/* who did not take its answer lost the rest of it */
	while ((n = recv(deaf, part, sizeof(part), 0)) > 0)
		got += (size_t)n;
	assert_in_range(got, 1, BIG - 1);
	close(silent);
	close(slow);
	close(deaf);
}

static void permissions(void **state)
{
	struct xfn_events none = {};
	char path[128], own[] = "/tmp/xfn-test-control-XXXXXX";
	struct xfn_error err = { 0 };
	struct xfn_control_server *srv;
	struct stat st;

	(void)state;
	socket_path("eth7", path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* a folder that the server makes */
	assert_non_null(mkdtemp(own));
	assert_int_equal(rmdir(own), 0);
	setenv("XFN_RUNTIME_DIR", own, 1);
	assert_int_equal(xfn_control__listen(&none, NULL, handle, NULL, &srv, &err), 0);
	assert_int_equal(stat(own, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	socket_path(NULL, path, sizeof(path));
	assert_non_null(strstr(path, "/@sockets"));
	assert_int_equal(access(path, F_OK), 0);
	xfn_control__close(srv);
	assert_int_equal(access(path, F_OK), -1);
	/* a folder in which others may replace the socket */
	assert_int_equal(chmod(own, 0777), 0);
	assert_int_equal(xfn_control__listen(&none, NULL, handle, NULL, &srv, &err), -EPERM);
	assert_non_null(strstr(err.line, own));
	assert_int_equal(rmdir(own), 0);
	setenv("XFN_RUNTIME_DIR", dir, 1);
}

static void other_uid_refused(void **state)
{
	char path[128], message[512];
	int status;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	/* what protects first is taken away: permissions of folder and socket */
	socket_path("eth7", path, sizeof(path));
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(path, 0666), 0);
	pid = fork();
	if (!pid) {
		bool next;
		int fd;

		if (setuid(65534))
			_exit(2);
		fd = connect_raw("eth7");
		read_error(fd, message, sizeof(message), &next);
		_exit(!(next && strstr(message, "uid 65534 may not")));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(dir, 0700), 0);
}

static void stale_and_living(void **state)
{
	struct xfn_events none = {};
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct xfn_control_server *second;
	struct xfn_error err = { 0 };
	json_t *data = NULL;
	FILE *f;

	(void)state;
	/* as a killed server leaves it */
	socket_path("eth7", sun.sun_path, sizeof(sun.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	assert_int_equal(xfn_control__ask("eth7", "ls", NULL, &data, &err), -ENOENT);
	assert_non_null(strstr(err.line, "xfn run -i eth7"));
	assert_int_equal(xfn_control__ask(NULL, "ls", NULL, &data, &err), -ENOENT);
	assert_string_equal(err.line, "no xfn is running; start one with `xfn run`");
	start("eth7");
	assert_int_equal(xfn_control__listen(&none, "eth7", handle, NULL, &second, &err),
			 -EADDRINUSE);
	assert_null(second);
	assert_non_null(strstr(err.line, "eth7"));
	assert_non_null(strstr(err.line, "stop that one first"));
	/* the first one is as before */
	if (xfn_control__ask("eth7", "ls", NULL, &data, &err))
		fail_msg("%s", err.line);
	json_decref(data);
	stop();
	/* what is no socket is not removed */
	f = fopen(sun.sun_path, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(xfn_control__listen(&none, "eth7", handle, NULL, &second, &err),
			 -ENOTSOCK);
	assert_int_equal(unlink(sun.sun_path), 0);
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Whatever comes along with a request is not kept. */
static void descriptors_refused(void **state)
{
	static const char line[] = "{\"xfn\": 1, \"verb\": \"ls\"}\n";
	int fd = connect_raw("eth7"), sent[8];
	unsigned before = 0;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(sent))];
	} control = { .align = { .cmsg_len = CMSG_LEN(sizeof(sent)),
				 .cmsg_level = SOL_SOCKET,
				 .cmsg_type = SCM_RIGHTS } };
	struct iovec part = { (void *)line, sizeof(line) - 1 };
	struct msghdr msg = { .msg_iov = &part,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	char answer[256];

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		sent[i] = STDERR_FILENO;
	memcpy(CMSG_DATA(&control.align), sent, sizeof(sent));
	for (int round = 0; round < 20; round++) {
		ssize_t got = 0, n = 0;

		assert_int_equal(sendmsg(fd, &msg, 0), sizeof(line) - 1);
		do {
			n = recv(fd, answer + got, sizeof(answer) - 1 - got, 0);
			assert_true(n > 0);
			got += n;
		} while (answer[got - 1] != '\n');
		answer[got] = 0;
		assert_non_null(strstr(answer, "\"ok\":true"));
		if (!before)
			before = open_descriptors();
	}
	assert_int_equal(open_descriptors(), before);
	close(fd);
}

/* In a network namespace of its own, until the pipe is closed: a server of that name. */
static pid_t serve_elsewhere(const char *ifname, int *end)
{
	int ends[2], ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends) || pipe(ready), 0);
	pid = fork();
	if (!pid) {
		struct xfn_control_server *srv;
		struct xfn_error err;
		struct xfn_events own = {};
		struct xfn_watch end = {};

		close(ends[1]);
		if (unshare(CLONE_NEWNET) ||
		    xfn_control__listen(&own, ifname, handle, NULL, &srv, &err) ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		xfn_events__watch(&own, &end, XFN_TURN_FIRST, ends[0], on_stop, &own);
		xfn_events__run(&own);
		xfn_control__close(srv);
		_exit(0);
	}
	close(ends[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*end = ends[1];
	return pid;
}

static void end_elsewhere(pid_t pid, int end)
{
	int status;

	close(end);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* One name in several network namespaces is several interfaces. */
static void several_namespaces(void **state)
{
	char names[8][XFN_CONTROL_NAME], *colon;
	struct xfn_error err = { 0 };
	json_t *data = NULL;
	pid_t first, second;
	int ends[2];

	(void)state;
	if (geteuid())
		skip();
	first = serve_elsewhere("eth7", &ends[0]);
	assert_int_equal(xfn_control__running(names, 8, &err), 2);
	/* ours by its name alone, the other one by a longer one */
	colon = strchr(names[0], ':') ?: strchr(names[1], ':');
	assert_non_null(colon);
	assert_string_equal(strchr(names[0], ':') ? names[1] : names[0], "eth7");
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(xfn_control__ask(names[i], "ls", NULL, &data, &err), 0);
		json_decref(data);
	}
	assert_true(xfn_control__is_served("eth7"));
	assert_false(xfn_control__is_served("eth6"));
	/* one that is not here is found by its name, while it is the only one of that */
	second = serve_elsewhere("eth6", &ends[1]);
	assert_int_equal(xfn_control__ask("eth6", "ls", NULL, &data, &err), 0);
	json_decref(data);
	assert_false(xfn_control__is_served("eth6"));
	end_elsewhere(second, ends[1]);
	stop();
	second = serve_elsewhere("eth7", &ends[1]);
	assert_int_equal(xfn_control__ask("eth7", "ls", NULL, &data, &err), -ENOTUNIQ);
	assert_non_null(
		strstr(err.line, "2 xfn serve one of that name, in other network namespaces"));
	assert_non_null(strstr(err.line, "choose one with -i"));
	end_elsewhere(second, ends[1]); /* which has the other one's pipe too */
	end_elsewhere(first, ends[0]);
	start("eth7");
}

static void several_running(void **state)
{
	struct xfn_events none = {}; /* nobody serves it */
	struct xfn_control_server *other;
	char path[128];
	struct xfn_error err = { 0 };
	json_t *data = NULL;

	(void)state;
	assert_int_equal(xfn_control__listen(&none, NULL, handle, NULL, &other, &err), 0);
	assert_int_equal(xfn_control__ask(NULL, "ls", NULL, &data, &err), -ENOTUNIQ);
	assert_non_null(strstr(err.line, "eth7"));
	assert_non_null(strstr(err.line, "@sockets"));
	xfn_control__close(other);
	assert_int_equal(xfn_control__path("a/b", path, sizeof(path), &err), -EINVAL);
	assert_int_equal(xfn_control__path("", path, sizeof(path), &err), -EINVAL);
	assert_int_equal(xfn_control__path("sixteen_letters_", path, sizeof(path), &err), -EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(good_request),
		TEST(two_requests_in_one_packet),
		TEST(big_answer),
		TEST(handler_refuses),
		TEST(answered_later),
		TEST(not_utf8),
		TEST(unknown_verb),
		TEST(broken_requests),
		TEST(line_length),
		TEST(seventeen_clients),
		TEST(no_descriptor_left),
		TEST(silent_clients),
		TEST(permissions),
		TEST(other_uid_refused),
		cmocka_unit_test(stale_and_living),
		TEST(descriptors_refused),
		TEST(several_namespaces),
		TEST(several_running),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
