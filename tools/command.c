// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Running another program and hearing what it says. No shell. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "command.h"

const char *xfn_command__clang(void)
{
	const char *named = getenv("XFN_CLANG");

	return named && *named ? named : "clang";
}

int xfn_command__run(char *const argv[], char **said)
{
	posix_spawn_file_actions_t actions;
	size_t len = 0;
	int fds[2], status, ret;
	char chunk[4096];
	FILE *out;
	ssize_t n;
	pid_t pid;

	*said = NULL;
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	setenv("LC_ALL", "C", 1); /* messages are read, not only shown */
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 2);
	ret = -posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	out = ret ? NULL : open_memstream(said, &len);
	while (!ret && (n = read(fds[0], chunk, sizeof(chunk))) != 0) {
		if (n > 0 && out)
			fwrite(chunk, 1, n, out);
		else if (n < 0 && errno != EINTR)
			break;
	}
	close(fds[0]);
	if (out)
		fclose(out);
	if (ret)
		return ret;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!*said)
		return -ENOMEM;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
