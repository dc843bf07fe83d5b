// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The verbs of a running supervisor, asked in ways in which `xfn` does not ask: what is wrong with
 * the arguments is refused by name, and nothing is done. A supervisor behind UDP sockets of
 * loopback, with a runtime folder of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../suite.h"
#include "../../userspace/control/control.h"

static char dir[] = "/tmp/xfn-test-requests-XXXXXX";
static pid_t supervisor;

static int set_up(void **state)
{
	const char *build = getenv("XFN_BUILD") ?: "build";
	char xfn[256], module[320];
	struct xfn_error err;
	json_t *data = NULL;
	int out;

	(void)state;
	if (!mkdtemp(dir) || setenv("XFN_RUNTIME_DIR", dir, 1))
		return -1;
	snprintf(xfn, sizeof(xfn), "%s/xfn", build);
	snprintf(module, sizeof(module), "%s/functions/echo.xfn@%d", build,
		 20000 + getpid() % 20000);
	supervisor = fork();
	if (!supervisor) {
		out = open("/dev/null", O_WRONLY);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execl(xfn, xfn, "run", module, NULL);
		_exit(127);
	}
	for (unsigned i = 0; i < 500; i++) {
		json_t *args = json_pack("{s:s}", "name", "echo");
		int ret = xfn_control__ask(NULL, "invoke", args, &data, &err);

		json_decref(args);
		if (!ret) {
			json_decref(data);
			return 0;
		}
		usleep(20000);
	}
	print_error("%s\n", err.line);
	return -1;
}

static int tear_down(void **state)
{
	int status = -1;

	(void)state;
	kill(supervisor, SIGTERM);
	if (waitpid(supervisor, &status, 0) != supervisor || status)
		return -1;
	return rmdir(dir); /* fails where something was left */
}

/* Takes the reference. */
static json_t *ask(const char *verb, json_t *args, int want)
{
	struct xfn_error err = { 0 };
	json_t *data = NULL;
	int ret = xfn_control__ask(NULL, verb, args, &data, &err);

	json_decref(args);
	if (ret != want)
		fail_msg("%s: %d, not %d: %s", verb, ret, want, err.line);
	return data;
}

/* `args` is JSON; `line` is the error line, or how it begins. */
static void refused(const char *verb, const char *args, const char *line)
{
	json_t *given = json_loads(args, 0, NULL), *data = NULL;
	struct xfn_error err = { 0 };

	assert_non_null(given);
	assert_int_equal(xfn_control__ask(NULL, verb, given, &data, &err), -EREMOTEIO);
	json_decref(given);
	if (strncmp(err.line, line, strlen(line)) || !strstr(err.line, "; "))
		fail_msg("%s %s: '%s', not '%s'", verb, args, err.line, line);
}

static void unknown_verb(void **state)
{
	(void)state;
	refused("dance", "{}",
		"dance: unknown verb; this xfn knows ls, stat, invoke, release and scale");
}

static void unknown_arguments(void **state)
{
	(void)state;
	refused("ls", "{\"audit\": true}", "ls knows no argument 'audit'; it takes none");
	refused("stat", "{\"audits\": true}", "stat knows no argument 'audits'; it takes audit");
	refused("scale", "{\"workers\": 1, \"quue\": 0}",
		"scale knows no argument 'quue'; it takes name, queue, workers");
	refused("release", "{\"function\": \"echo\"}",
		"release knows no argument 'function'; it takes name");
	refused("invoke", "{\"name\": \"echo\", \"\\u20acuro\": 1}",
		"invoke knows no argument '\u20acuro'; it takes name, payload, version, repeat");
}

static void wrong_arguments(void **state)
{
	(void)state;
	refused("stat", "{\"audit\": 1}",
		"stat wants audit to be true or false; `xfn stat -v` asks for one");
	refused("scale", "{}",
		"scale wants a number of workers, 0 to 8; `xfn stat` tells of those now");
	refused("scale", "{\"workers\": 9}", "scale wants a number of workers, 0 to 8; ");
	refused("scale", "{\"workers\": -1}", "scale wants a number of workers, 0 to 8; ");
	refused("scale", "{\"workers\": 1.5}", "scale wants a number of workers, 0 to 8; ");
	refused("scale", "{\"workers\": 4294967297}", "scale wants a number of workers, 0 to 8; ");
	refused("scale", "{\"workers\": null}", "scale wants a number of workers, 0 to 8; ");
	refused("scale", "{\"workers\": 1, \"queue\": 64}",
		"scale wants a queue, 0 to 63; leave it out for all of them");
	refused("scale", "{\"workers\": 1, \"queue\": -1}", "scale wants a queue, 0 to 63; ");
	/* and not the workers that all functions share */
	refused("scale", "{\"workers\": 1, \"name\": 7}", "scale wants the name of a function; ");
	refused("release", "{}", "release wants the name of a function; `xfn ls` lists them");
	refused("release", "{\"name\": []}", "release wants the name of a function; ");
	refused("invoke", "{}", "invoke wants the name of a function; ");
	refused("invoke", "{\"name\": \"echo\", \"payload\": 7}", "invoke wants a payload as hex");
	refused("invoke", "{\"name\": \"echo\", \"payload\": \"abc\"}", "the payload is no hex");
	refused("invoke", "{\"name\": \"echo\", \"payload\": \"xy\"}", "the payload is no hex");
	refused("invoke", "{\"name\": \"echo\", \"version\": 5}", "invoke wants an IP version; ");
	refused("invoke", "{\"name\": \"echo\", \"version\": 7}", "invoke wants an IP version, 4");
	refused("invoke", "{\"name\": \"echo\", \"repeat\": 0}",
		"invoke wants a number of calls, 1");
}

static void no_such_function(void **state)
{
	(void)state;
	refused("invoke", "{\"name\": \"dance\"}", "dance: no such function here; ");
	refused("release", "{\"name\": \"dance\"}", "dance: no such function here; ");
	refused("release", "{\"name\": \"echo\"}",
		"echo: is neither in quarantine nor set aside; ");
	refused("scale", "{\"name\": \"dance\", \"workers\": 1}", "dance: no such function here; ");
	refused("scale", "{\"workers\": 1}", "no worker of AF_XDP runs here; ");
}

static void answered(void **state)
{
	json_t *data = ask("invoke", json_pack("{s:s, s:s}", "name", "echo", "payload", "68Aa"), 0);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(data, "reply")), "68aa");
	assert_string_equal(json_string_value(json_object_get(data, "action")), "reply");
	json_decref(data);
	data = ask("ls", NULL, 0);
	assert_int_equal(json_array_size(json_object_get(data, "functions")), 1);
	assert_true(json_is_null(json_object_get(data, "zero_copy")));
	assert_null(json_object_get(data, "flow_rules"));
	json_decref(data);
	data = ask("stat", json_pack("{s:b}", "audit", 1), 0);
	assert_true(json_is_array(json_object_get(data, "frames")));
	json_decref(data);
	data = ask("stat", json_pack("{s:b}", "audit", 0), 0);
	assert_null(json_object_get(data, "frames"));
	assert_true(json_is_null(
		json_object_get(json_array_get(json_object_get(data, "workers"), 0), "zero_copy")));
	json_decref(data);
}

XFN_SUITE_AROUND(set_up, tear_down, cmocka_unit_test(unknown_verb),
		 cmocka_unit_test(unknown_arguments), cmocka_unit_test(wrong_arguments),
		 cmocka_unit_test(no_such_function), cmocka_unit_test(answered))
