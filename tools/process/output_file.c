// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A file that a verb writes by name. Must never know what is in it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "output_file.h"

#define TRIES 100 /* names for the file that is being written */

bool xfn_output_file__same(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int xfn_output_file__free(const char *out, struct xfn_error *err)
{
	struct stat st;

	if (lstat(out, &st)) {
		if (errno == ENOENT)
			return 0;
		return xfn_fail(err, -errno, "%s: %s; choose another place with -o", out,
				strerror(errno));
	}
	if (S_ISREG(st.st_mode))
		return 0;
	return xfn_fail(err, -EEXIST,
			"%s: is %s, which a file would replace; name a regular file with -o", out,
			S_ISLNK(st.st_mode)  ? "a symbolic link" :
			S_ISDIR(st.st_mode)  ? "a folder" :
			S_ISFIFO(st.st_mode) ? "a FIFO" :
			S_ISSOCK(st.st_mode) ? "a socket" :
					       "a device");
}

/* The next name of a make rule at *at, unescaped; false: none is left. */
static bool next_name(const char **at, char *name, size_t len)
{
	const char *p = *at;
	size_t n = 0;

	for (;;) {
		p += strspn(p, " \t\n");
		if (*p != '\\' || p[1] != '\n')
			break;
		p += 2;
	}
	for (; *p && !strchr(" \t\n", *p); p++) {
		if ((*p == '\\' && (p[1] == ' ' || p[1] == '#')) || (*p == '$' && p[1] == '$'))
			p++;
		if (n + 1 < len)
			name[n++] = *p;
	}
	name[n] = 0;
	*at = p;
	return n > 0;
}

int xfn_output_file__not_listed(const char *out, const char *list, struct xfn_error *err)
{
	FILE *f = fopen(list, "re");
	char *text = NULL, name[PATH_MAX];
	const char *at;
	size_t room = 0;
	int ret = 0;

	at = f && getdelim(&text, &room, '\0', f) > 0 ? text : "";
	while (!ret && next_name(&at, name, sizeof(name)))
		if (xfn_output_file__same(name, out)) {
			xfn_error__set(err, XFN_OUTPUT_IS_INPUT, out, name);
			ret = -EEXIST;
		}
	free(text);
	if (f)
		fclose(f);
	return ret;
}

/* A new file beside `out`, which nobody can have put there. Its descriptor, or -errno. */
static int make_beside(const char *out, char *part, size_t len)
{
	const char *base = strrchr(out, '/') ? strrchr(out, '/') + 1 : out;

	for (int i = 0; i < TRIES; i++) {
		unsigned random = 0;
		int fd;

		if (getrandom(&random, sizeof(random), 0) < 0)
			return -errno;
		if ((size_t)snprintf(part, len, "%.*s.%.200s.%08x", (int)(base - out), out, base,
				     random) >= len)
			return -ENAMETOOLONG;
		fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (fd >= 0 || errno != EEXIST)
			return fd >= 0 ? fd : -errno;
	}
	return -EEXIST;
}

static int write_whole(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int xfn_output_file__put(const char *out, const void *bytes, size_t len, struct xfn_error *err)
{
	char part[PATH_MAX];
	int ret = xfn_output_file__free(out, err), fd;

	if (ret)
		return ret;
	fd = make_beside(out, part, sizeof(part));
	ret = fd < 0 ? fd : write_whole(fd, bytes, len);
	if (fd >= 0 && close(fd) && !ret)
		ret = -errno;
	if (!ret && rename(part, out))
		ret = -errno;
	if (!ret)
		return 0;
	xfn_error__set(err, "%s: %s; choose another place with -o", out, strerror(-ret));
	if (fd >= 0)
		unlink(part);
	return ret;
}
