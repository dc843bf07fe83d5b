// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where a run keeps its files, and under which name. Must never know what they are. */
#include "../../skel/error.h"
#include "runtime_dir.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

int xfn_runtime_dir(char *dir, size_t len, struct xfn_error *err)
{
	const char *own = secure_getenv("XFN_RUNTIME_DIR");
	const char *xdg = secure_getenv("XDG_RUNTIME_DIR");
	int n;

	if (own && *own) {
		if (*own != '/')
			return xfn_fail(err, -EINVAL,
					"XFN_RUNTIME_DIR '%s': not absolute; give a path from /",
					own);
		n = snprintf(dir, len, "%s", own);
	} else if (!geteuid()) {
		n = snprintf(dir, len, "/run/xfn");
	} else if (xdg && *xdg == '/') {
		n = snprintf(dir, len, "%s/xfn", xdg);
	} else {
		return xfn_fail(
			err, -ENOENT,
			"no runtime folder: XDG_RUNTIME_DIR is not set; set it or XFN_RUNTIME_DIR, or use sudo");
	}
	if (n < 0 || (size_t)n >= len)
		return xfn_fail(err, -ENAMETOOLONG,
				"runtime folder: path too long; set a shorter XFN_RUNTIME_DIR");
	return 0;
}

uint64_t xfn_runtime_dir__namespace(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = XFN_RUNTIME_HOST;
	socklen_t len = sizeof(cookie);

	if (fd < 0)
		return cookie;
	getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len);
	close(fd);
	return cookie;
}

bool xfn_runtime_dir__parse(const char *text, uint64_t here, struct xfn_runtime_name *out)
{
	size_t len = strcspn(text, ":");
	const char *number = text[len] ? text + len + 1 : NULL;
	char *end = NULL;

	if (!len || len >= IF_NAMESIZE || memchr(text, '/', len) || *text == '.')
		return false;
	snprintf(out->iface, sizeof(out->iface), "%.*s", (int)len, text);
	out->space = number ? strtoull(number, &end, 10) : here;
	return !number || (*number >= '1' && *number <= '9' && !*end);
}

int xfn_runtime_dir__path(const char *name, const char *suffix, char *path, size_t len,
			  struct xfn_error *err)
{
	char dir[256], space[24] = "";
	struct xfn_runtime_name of;
	int n, ret = xfn_runtime_dir(dir, sizeof(dir), err);

	if (ret)
		return ret;
	if (!xfn_runtime_dir__parse(name, xfn_runtime_dir__namespace(), &of))
		return xfn_fail(err, -EINVAL, "'%s': no interface's name; `ip link` lists them",
				name);
	if (of.space != XFN_RUNTIME_HOST)
		snprintf(space, sizeof(space), ":%" PRIu64, of.space);
	n = snprintf(path, len, "%s/%s%s%s", dir, of.iface, space, suffix);
	if (n < 0 || (size_t)n >= len)
		return xfn_fail(err, -ENAMETOOLONG,
				"%s: path of %d bytes, %zu may be; set a shorter XFN_RUNTIME_DIR",
				dir, n, len - 1);
	return 0;
}
