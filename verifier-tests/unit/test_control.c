// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the control socket's server takes and answers, and from how many clients. */
#include "../../skel/error.h"
#include "../suite.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include "control_server.h"

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
XFN_SUITE_AROUND(group_set_up, group_tear_down, TEST(good_request),
		 TEST(two_requests_in_one_packet), TEST(big_answer), TEST(handler_refuses),
		 TEST(answered_later), TEST(not_utf8), TEST(unknown_verb), TEST(broken_requests),
		 TEST(line_length), TEST(seventeen_clients), TEST(no_descriptor_left),
		 TEST(silent_clients), TEST(descriptors_refused))
