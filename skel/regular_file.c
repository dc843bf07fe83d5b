// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Opening files that a user names. Must never wait for another process to open them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "error.h"
#include "regular_file.h"

const char *xfn_regular_file__other_kind(unsigned mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return NULL;
	case S_IFIFO:
		return "a FIFO";
	case S_IFDIR:
		return "a directory";
	case S_IFSOCK:
		return "a socket";
	}
	return "a device";
}

static int refuse(const char *path, const char *kind, const char *next, struct xfn_error *err)
{
	return xfn_fail(err, -EINVAL, "%.300s: is %s, not a regular file; %s", path, kind, next);
}

static bool unnamed_pipe(const char *path, const struct stat *st)
{
	struct statfs fs;

	return S_ISFIFO(st->st_mode) && !statfs(path, &fs) && fs.f_type == PIPEFS_MAGIC;
}

static int open_file(const char *path, bool pipes, const char *next, struct xfn_error *err)
{
	const char *kind;
	struct stat st;
	int fd = -1, ret;

	/* opening some devices has effects: check the type first */
	if (!stat(path, &st)) {
		kind = xfn_regular_file__other_kind(st.st_mode);
		if (pipes && unnamed_pipe(path, &st)) {
			fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
			if (fd >= 0)
				return fd;
		} else if (kind) {
			return refuse(path, kind, next, err);
		} else {
			fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		}
	}
	if (fd < 0 || fstat(fd, &st)) {
		ret = -errno;
		xfn_error__set(err, "%.300s: %s; %s", path, strerror(-ret), next);
		if (fd >= 0)
			close(fd);
		return ret;
	}
	kind = xfn_regular_file__other_kind(st.st_mode);
	if (!kind)
		return fd;
	/* another file has taken its place since the check */
	close(fd);
	return refuse(path, kind, next, err);
}

int xfn_regular_file__open(const char *path, const char *next, struct xfn_error *err)
{
	return open_file(path, false, next, err);
}

FILE *xfn_regular_file__stream(const char *path, const char *next, struct xfn_error *err)
{
	int fd = open_file(path, true, next, err);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "re");

	if (fd >= 0 && !f) {
		xfn_error__set(err, "%.300s: %s; %s", path, strerror(errno), next);
		fd = -errno;
	}
	if (!f)
		errno = -fd;
	return f;
}
