// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The file of the control socket: who may open it, what stands in its place, and which of several
 * is found by a name.
 */
#include "../../skel/error.h"
#include "../suite.h"
#include <errno.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "control_server.h"

static void permissions(void **state)
{
	struct xfn_events none = {}; /* nobody serves it */
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
	struct xfn_events none = {}; /* nobody serves it */
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
XFN_SUITE_AROUND(group_set_up, group_tear_down, TEST(permissions), TEST(other_uid_refused),
		 cmocka_unit_test(stale_and_living), TEST(several_namespaces),
		 TEST(several_running))
