// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where this xfn's own files lie, in the build tree and installed. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "paths.h"

/* The first of `places`, relative to the program's folder, that holds `probe`; NULL ends them. */
static int find(const char *const *places, const char *probe, char *out, size_t len)
{
	char exe[PATH_MAX], path[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n <= 0)
		return -ENOENT;
	exe[n] = 0;
	*strrchr(exe, '/') = 0;
	for (; *places; places++) {
		char *real;

		snprintf(path, sizeof(path), "%s/%s%s", exe, *places, probe);
		if (access(path, R_OK))
			continue;
		path[strlen(path) - strlen(probe)] = 0;
		real = realpath(path, NULL);
		if (!real)
			continue;
		n = snprintf(out, len, "%s", real);
		free(real);
		return (size_t)n < len ? 0 : -ENOENT;
	}
	return -ENOENT;
}

/* Without /proc no program knows where it lies. */
static int not_found(const char *line, struct xfn_error *err)
{
	return xfn_fail(
		err, -ENOENT, "%s",
		!access("/proc/self/exe", F_OK) ?
			line :
			"/proc shows nothing here, so xfn does not find its own files; mount -t "
			"proc proc /proc");
}

int xfn_paths__support(char *dir, size_t len, struct xfn_error *err)
{
	/* build/xfn; PREFIX/bin/xfn; build/tests/SUITE */
	static const char *const places[] = { "..", "../share/xfn", "../..", "../../..", NULL };
	const char *given = getenv("XFN_SUPPORT");

	if (given) {
		if ((size_t)snprintf(dir, len, "%s/xdp/function_bpf.h", given) < len &&
		    !access(dir, R_OK)) {
			dir[strlen(given)] = 0;
			return 0;
		}
		return xfn_fail(err, -ENOENT,
				"XFN_SUPPORT '%s': holds none of xfn's headers; leave it unset",
				given);
	}
	if (!find(places, "/xdp/function_bpf.h", dir, len))
		return 0;
	return not_found(
		"xfn's own headers are not found; is it installed whole? (XFN_SUPPORT names "
		"their folder)",
		err);
}

int xfn_paths__worker(char *path, size_t len, struct xfn_error *err)
{
	static const char *const places[] = { "xfn-worker", "../libexec/xfn/xfn-worker",
					      "../xfn-worker", NULL };

	if (!find(places, "", path, len))
		return 0;
	return not_found("xfn-worker is not found beside this program; is xfn installed whole?",
			 err);
}

void xfn_paths__modules(char *dir, size_t len)
{
	static const char *const places[] = { "functions", "../lib/xfn/functions", "../functions",
					      NULL };

	if (find(places, "/echo.xfn", dir, len))
		*dir = 0;
}
