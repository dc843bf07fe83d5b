// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The file of the control socket: made where only its owner gets at it, never in the place of one
 * that lives, and removed only while it is ours. Must never know of clients.
 */
#include "../../skel/error.h"
#include "control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "control.h"

/* The folder, made if need be and held: an open descriptor, locked against another starting server.
 */
static int folder_lock(const char *path, struct xfn_error *err)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct stat st;
	int fd, ret;

	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (mkdir(dir, 0700) && errno != EEXIST) {
		ret = -errno;
		return xfn_fail(err, ret, "%s: cannot be made: %s; set XFN_RUNTIME_DIR", dir,
				strerror(-ret));
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		ret = -errno;
		xfn_error__set(err, "%s: %s; set XFN_RUNTIME_DIR", dir, strerror(-ret));
		goto fail;
	}
	if (st.st_uid != geteuid() || (st.st_mode & 022)) {
		ret = -EPERM;
		xfn_error__set(err,
			       "%s: others may write there; chmod 0700 it, or set XFN_RUNTIME_DIR",
			       dir);
		goto fail;
	}
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB); i++) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || i == 200) {
			ret = -errno;
			xfn_error__set(err, "%s: held by another starting xfn; try again", dir);
			goto fail;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
	}
	return fd;
fail:
	if (fd >= 0)
		close(fd);
	return ret;
}

/* What stands at the path: 0 nothing (any more), -EADDRINUSE a living server, or -errno. */
static int clear_path(const struct sockaddr_un *sun, const char *who, struct xfn_error *err)
{
	struct stat st;
	int fd, ret = 0;

	if (lstat(sun->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return xfn_fail(err, -ENOTSOCK, "%s: no socket; remove it", sun->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)))
		ret = -errno;
	close(fd);
	if (!ret || ret == -EAGAIN)
		return xfn_fail(err, -EADDRINUSE,
				"%s: an xfn serves it already; see `xfn ls`, stop that one first",
				who);
	if (ret != -ECONNREFUSED)
		return ret;
	return unlink(sun->sun_path) && errno != ENOENT ? -errno : 0;
}

static int bind_private(int fd, const struct sockaddr_un *sun)
{
	/* by umask: after a chmod there would have been a moment with other permissions */
	mode_t old = umask(0177);
	int ret = bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) ? -errno : 0;

	umask(old);
	return ret;
}

int xfn_control_socket__open(struct xfn_control_socket *sock, const char *who,
			     struct xfn_error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int lock = folder_lock(sock->path, err), ret;
	struct stat st;

	if (lock < 0)
		return lock;
	memcpy(sun.sun_path, sock->path, sizeof(sun.sun_path));
	ret = clear_path(&sun, who, err);
	if (ret)
		goto out;
	sock->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock->fd < 0) {
		ret = -errno;
		goto out;
	}
	ret = bind_private(sock->fd, &sun);
	if (ret)
		goto out;
	if (listen(sock->fd, XFN_CONTROL_CLIENTS) || lstat(sock->path, &st)) {
		ret = -errno;
		unlink(sock->path);
		goto out;
	}
	sock->dev = st.st_dev;
	sock->ino = st.st_ino;
out:
	close(lock);
	return ret;
}

void xfn_control_socket__close(struct xfn_control_socket *sock)
{
	struct stat st;

	if (sock->ino && !lstat(sock->path, &st) && st.st_dev == sock->dev &&
	    st.st_ino == sock->ino)
		unlink(sock->path);
	if (sock->fd >= 0)
		close(sock->fd);
	sock->fd = -1;
}
