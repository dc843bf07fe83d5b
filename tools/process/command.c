// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Running another program and hearing what it says. No shell. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "command.h"
#include "waiting.h"

#define LOOK_MS 200 /* without a word, until it is looked what the program does */

/* All that comes out of `fd`, until it is closed at its other end; end what waits for a file. */
static void listen_to(pid_t pid, int fd, FILE *out, struct xfn_waiting *waits)
{
	struct xfn_waiting now, before = {};
	struct pollfd end = { .fd = fd, .events = POLLIN };
	char chunk[4096];
	ssize_t n;

	for (;;) {
		int ready = poll(&end, 1, waits->pid ? -1 : LOOK_MS);

		if (!ready) {
			if (!xfn_waiting__find(pid, &now))
				now = (struct xfn_waiting){};
			if (now.pid && now.pid == before.pid && !strcmp(now.file, before.file)) {
				*waits = now;
				kill(now.pid, SIGKILL);
			}
			before = now;
		}
		if (ready <= 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (!n || (n < 0 && errno != EINTR))
			return;
		if (n > 0 && out)
			fwrite(chunk, 1, (size_t)n, out);
	}
}

/*
 * The environment of what is run, NULL: out of memory. Messages are in English: they are read, not only
 * shown. A crash of clang leaves no files behind.
 */
static char **quiet_environment(void)
{
	size_t count = 0, n = 0;
	char **env;

	while (environ[count])
		count++;
	env = calloc(count + 3, sizeof(*env));
	if (!env)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (strncmp(environ[i], "LC_ALL=", 7) &&
		    strncmp(environ[i], "LLVM_DISABLE_SYMBOLIZATION=", 27))
			env[n++] = environ[i];
	env[n++] = (char *)"LC_ALL=C";
	env[n++] = (char *)"LLVM_DISABLE_SYMBOLIZATION=1";
	return env;
}

int xfn_command__wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int xfn_command__run(char *const argv[], char **said)
{
	posix_spawn_file_actions_t actions;
	struct xfn_waiting waits = {};
	size_t len = 0;
	int fds[2], ret;
	char **env;
	FILE *out;
	pid_t pid;

	*said = NULL;
	env = quiet_environment();
	if (!env)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC)) {
		ret = -errno;
		free(env);
		return ret;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 2);
	ret = -posix_spawnp(&pid, argv[0], &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	free(env);
	close(fds[1]);
	out = ret ? NULL : open_memstream(said, &len);
	if (!ret)
		listen_to(pid, fds[0], out, &waits);
	close(fds[0]);
	if (out)
		fclose(out);
	if (ret)
		return ret;
	ret = xfn_command__wait(pid);
	if (waits.pid) {
		free(*said);
		if (asprintf(said, "%s, which is %s", waits.file, waits.kind) < 0)
			*said = NULL;
	}
	if (!*said)
		return -ENOMEM;
	return waits.pid ? XFN_COMMAND_WAITS : ret;
}

/* Words of compilers, linkers and the C library for what the host lacks, whatever they work on. */
static const char *const lacks[] = {
	"No space left on device",
	"Disk quota exceeded",
	"File too large",
	"Read-only file system",
	"Input/output error",
	"Cannot allocate memory",
	"out of memory",
	"memory exhausted",
	"Resource temporarily unavailable",
	"Too many open files",
	"unable to execute command",
	"failed due to signal",
	"unable to open output file",
	"unable to make temporary file",
	"error while loading shared libraries",
};

/* "FILE:12: error: ...": words about a place in a source may say anything. */
static bool has_place(const char *row, size_t len)
{
	size_t word = strcspn(row, " \n");

	for (size_t i = 1; i + 1 < word && i + 1 < len; i++)
		if (row[i] == ':' && isdigit((unsigned char)row[i + 1]))
			return true;
	return false;
}

/* The first row that says what the host lacks; NULL: none. */
static const char *lacking(const char *said, size_t *len)
{
	for (; *said; said += *len + (said[*len] == '\n')) {
		*len = strcspn(said, "\n");
		for (size_t i = 0; i < ARRAY_SIZE(lacks); i++)
			if (!has_place(said, *len) &&
			    memmem(said, *len, lacks[i], strlen(lacks[i])))
				return said;
	}
	return NULL;
}

int xfn_command__fault(const char *program, int ret, const char *said, struct xfn_error *err)
{
	const char *row;
	size_t len;

	if (ret == XFN_COMMAND_WAITS)
		return xfn_fail(err, ret,
				"%s waits for %s, not a regular file; include a regular one",
				program, said);
	if (ret < 0)
		return xfn_fail(err, ret,
				"cannot run %s: %s; free memory and processes, and try again",
				program, strerror(-ret));
	row = ret && said ? lacking(said, &len) : NULL;
	/* of a crash for want of something, the want is told */
	if (ret > 128 && !row)
		return xfn_fail(
			err, -EIO,
			"%s was ended by signal %d (%s), so nothing is judged; look for a lack of "
			"memory, and try again",
			program, ret - 128, strsignal(ret - 128));
	if (!row && ret != 126 && ret != 127)
		return 0;
	return xfn_fail(err, -EIO, "%s cannot work on this host: %.*s; mend that, and try again",
			program,
			row  ? (int)len :
			said ? (int)strcspn(said, "\n") :
			       0,
			row	     ?:
				said ?:
				       "");
}

const char *xfn_command__clang(void)
{
	const char *named = getenv("XFN_CLANG");

	return named && *named ? named : "clang";
}
