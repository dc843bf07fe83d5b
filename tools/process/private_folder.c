// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Private folders for what is compiled. Must never know what lies in them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "private_folder.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
#define SIGNALS ARRAY_SIZE(signals)

/* Those that there are; changed with the signals blocked. */
static struct folder {
	struct folder *next;
	pid_t owner; /* a forked process leaves it alone */
	char path[];
} * folders;

static bool caught[SIGNALS];

/* By system calls only: a signal may be the reason. */
static void empty(const char *path)
{
	char buf[2048] __attribute__((aligned(__alignof__(struct dirent64))));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t n;

	while (fd >= 0 && (n = getdents64(fd, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + n; p += ((struct dirent64 *)p)->d_reclen)
			unlinkat(fd, ((struct dirent64 *)p)->d_name, 0);
	if (fd >= 0)
		close(fd);
	rmdir(path);
}

static void end(int sig)
{
	struct sigaction usual = { .sa_handler = SIG_DFL };

	for (const struct folder *f = folders; f; f = f->next)
		if (f->owner == getpid())
			empty(f->path);
	sigaction(sig, &usual, NULL);
	raise(sig); /* comes when this returns */
}

static void block(sigset_t *old)
{
	sigset_t all;

	sigemptyset(&all);
	for (unsigned i = 0; i < SIGNALS; i++)
		sigaddset(&all, signals[i]);
	sigprocmask(SIG_BLOCK, &all, old);
}

/* With the first folder, and without the last. */
static void watch_signals(bool on)
{
	struct sigaction act = { .sa_handler = on ? end : SIG_DFL }, was;

	for (unsigned i = 0; i < SIGNALS; i++) {
		if (on)
			caught[i] = !sigaction(signals[i], NULL, &was) && was.sa_handler == SIG_DFL;
		if (caught[i])
			sigaction(signals[i], &act, NULL);
	}
}

int xfn_private_folder__make(char *path, size_t len, struct xfn_error *err)
{
	const char *tmp = getenv("TMPDIR");
	struct folder *f = malloc(sizeof(*f) + len);
	sigset_t old;
	int ret = 0;

	tmp = tmp && *tmp ? tmp : "/tmp";
	block(&old);
	if (!f)
		ret = -ENOMEM;
	else if ((size_t)snprintf(path, len, "%s/xfn-XXXXXX", tmp) >= len)
		ret = -ENAMETOOLONG;
	else if (!mkdtemp(path))
		ret = -errno;
	if (!ret) {
		if (!folders)
			watch_signals(true);
		strcpy(f->path, path);
		f->owner = getpid();
		f->next = folders;
		folders = f;
	} else {
		xfn_error__set(err, "%s: %s; set TMPDIR to a folder that can be written", tmp,
			       strerror(-ret));
		*path = 0;
		free(f);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return ret;
}

void xfn_private_folder__remove(const char *path)
{
	struct folder **at = &folders, *f;
	sigset_t old;

	block(&old);
	while (*at && strcmp((*at)->path, path))
		at = &(*at)->next;
	f = *at;
	if (f) {
		empty(path);
		*at = f->next;
		free(f);
		if (!folders)
			watch_signals(false);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
}
