// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The client's end of the control socket: what every verb calls. Must never
 * know of verbs or of what the answers mean.
 */
#include "../../skel/error.h"
#include "control.h"
#include "../host/interface.h"
#include "../host/now.h"
#include "../host/runtime_dir.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SUFFIX ".sock"

int xfn_control__path(const char *ifname, char *path, size_t len, struct xfn_error *err)
{
	const size_t most = sizeof(((struct sockaddr_un *)0)->sun_path);

	return xfn_runtime_dir__path(ifname ?: XFN_RUNTIME_SOCKETS, SUFFIX, path,
				     len < most ? len : most, err);
}

/* Wait for `events` until the deadline. 0 or -ETIMEDOUT. */
static int wait_for(int fd, short events, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		uint64_t now = xfn_now_ms();

		if (now >= deadline)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)(deadline - now)) > 0)
			return 0;
	}
}

/* A connected, non-blocking socket or -errno. */
static int connect_to(const char *path, uint64_t deadline)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), ret;

	if (fd < 0)
		return -errno;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	while (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		ret = -errno;
		/* EAGAIN: the backlog is full; unix sockets do not poll for that */
		if (ret != -EAGAIN && ret != -EINTR)
			goto fail;
		if (xfn_now_ms() >= deadline) {
			ret = -ETIMEDOUT;
			goto fail;
		}
		poll(NULL, 0, 10);
	}
	return fd;
fail:
	close(fd);
	return ret;
}

static int by_name(const void *a, const void *b)
{
	const struct xfn_runtime_name *x = a, *y = b;
	int ret = strcmp(x->iface, y->iface);

	return ret ?: (x->space > y->space) - (x->space < y->space);
}

/*
 * All that answer. Sockets that nobody listens on are left alone: the next server of that name
 * replaces them.
 */
static int find_all(struct xfn_runtime_name *names, unsigned max, struct xfn_error *err)
{
	char dir[256], path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	uint64_t deadline = xfn_now_ms() + XFN_CONTROL_SECONDS * 1000;
	int ret = xfn_runtime_dir(dir, sizeof(dir), err);
	unsigned count = 0;
	struct dirent *de;
	DIR *d;

	if (ret)
		return ret;
	d = opendir(dir);
	if (!d && errno != ENOENT) {
		ret = -errno;
		return xfn_fail(err, ret, "%s: %s; use sudo, or set XFN_RUNTIME_DIR", dir,
				strerror(-ret));
	}
	while (d && (de = readdir(d))) {
		size_t len = strlen(de->d_name), stem = len - strlen(SUFFIX);
		char text[XFN_CONTROL_NAME];
		struct xfn_runtime_name name;
		int n, fd;

		if (len <= strlen(SUFFIX) || strcmp(de->d_name + stem, SUFFIX) ||
		    stem >= sizeof(text))
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)stem, de->d_name);
		n = snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		if (n < 0 || (size_t)n >= sizeof(path) ||
		    !xfn_runtime_dir__parse(text, XFN_RUNTIME_HOST, &name))
			continue;
		fd = connect_to(path, deadline);
		if (fd < 0)
			continue;
		close(fd);
		if (count < max)
			names[count] = name;
		count++;
	}
	if (d)
		closedir(d);
	qsort(names, count < max ? count : max, sizeof(*names), by_name);
	return (int)count;
}

/* The shortest text that `xfn_control__ask` takes for it. */
static void write_name(const struct xfn_runtime_name *names, unsigned count, unsigned i,
		       uint64_t here, char *text)
{
	bool alone = true;

	for (unsigned k = 0; k < count; k++)
		alone = alone && (k == i || strcmp(names[k].iface, names[i].iface));
	if (alone || names[i].space == here)
		snprintf(text, XFN_CONTROL_NAME, "%.*s", IF_NAMESIZE - 1, names[i].iface);
	else
		snprintf(text, XFN_CONTROL_NAME, "%.*s:%" PRIu64, IF_NAMESIZE - 1, names[i].iface,
			 names[i].space);
}

int xfn_control__running(char (*names)[XFN_CONTROL_NAME], unsigned max, struct xfn_error *err)
{
	struct xfn_runtime_name all[XFN_CONTROL_RUNNING];
	unsigned room = max < XFN_CONTROL_RUNNING ? max : XFN_CONTROL_RUNNING, n;
	int count = find_all(all, room, err);

	n = count < 0 ? 0 : (unsigned)count < room ? (unsigned)count : room;
	for (unsigned i = 0; i < n; i++)
		write_name(all, n, i, xfn_runtime_dir__namespace(), names[i]);
	return count;
}

bool xfn_control__is_served(const char *ifname)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct xfn_error err;
	int fd = xfn_control__path(ifname, path, sizeof(path), &err);

	if (!fd)
		fd = connect_to(path, xfn_now_ms() + XFN_CONTROL_SECONDS * 1000);
	if (fd >= 0)
		close(fd);
	/* one that does not take us now lives as well */
	return fd >= 0 || (fd != -ENOENT && fd != -ECONNREFUSED);
}

/* A user does not see root's: its folder is another. */
static const char *or_sudo(void)
{
	return geteuid() && !secure_getenv("XFN_RUNTIME_DIR") ? ", or use sudo to ask root's" : "";
}

/* "A, B, C", as far as it fits. */
static void list(char (*names)[XFN_CONTROL_NAME], int count, char *text, size_t len)
{
	text[0] = '\0';
	for (int i = 0; i < count && i < XFN_CONTROL_RUNNING; i++) {
		size_t used = strlen(text);

		snprintf(text + used, len - used, "%s%s", used ? ", " : "", names[i]);
	}
}

/* The name of the only one that runs. 0 or -errno. */
static int find_only(char name[XFN_CONTROL_NAME], struct xfn_error *err)
{
	char names[XFN_CONTROL_RUNNING][XFN_CONTROL_NAME], text[160];
	int count = xfn_control__running(names, XFN_CONTROL_RUNNING, err);

	if (count < 0)
		return count;
	if (!count)
		return xfn_fail(err, -ENOENT, "no xfn is running; start one with `xfn run`%s",
				or_sudo());
	if (count == 1) {
		memcpy(name, names[0], XFN_CONTROL_NAME);
		return 0;
	}
	list(names, count, text, sizeof(text));
	return xfn_fail(err, -ENOTUNIQ, "%d xfn are running: %s; choose one with -i", count, text);
}

static int connect_here(const char *name, uint64_t deadline, char *path, struct xfn_error *err)
{
	int fd = xfn_control__path(name, path, sizeof(((struct sockaddr_un *)0)->sun_path), err);

	return fd ?: connect_to(path, deadline);
}

/*
 * The one of that name in another network namespace, into `name`. 0; -ENOENT: there is none,
 * -ENOTUNIQ with a line in err.
 */
static int find_elsewhere(const char *iface, char name[XFN_CONTROL_NAME], struct xfn_error *err)
{
	char names[XFN_CONTROL_RUNNING][XFN_CONTROL_NAME], text[160];
	struct xfn_runtime_name all[XFN_CONTROL_RUNNING];
	int count = find_all(all, XFN_CONTROL_RUNNING, err), met = 0;

	for (int i = 0; i < count && i < XFN_CONTROL_RUNNING; i++)
		if (!strcmp(all[i].iface, iface))
			snprintf(names[met++], XFN_CONTROL_NAME, "%s:%" PRIu64, iface,
				 all[i].space);
	if (met == 1)
		memcpy(name, names[0], XFN_CONTROL_NAME);
	if (met < 2)
		return met ? 0 : -ENOENT;
	list(names, met, text, sizeof(text));
	return xfn_fail(
		err, -ENOTUNIQ,
		"%s: %d xfn serve one of that name, in other network namespaces: %s; choose one "
		"with -i, `xfn ls` lists them with their pids",
		iface, met, text);
}

static int connect_named(const char *ifname, uint64_t deadline, struct xfn_error *err)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)], other[XFN_CONTROL_NAME];
	char real[IF_NAMESIZE];
	int fd;

	/* by the name under which it is served */
	if (*ifname != '@' && xfn_interface__find(ifname, real))
		ifname = real;
	fd = connect_here(ifname, deadline, path, err);
	if (fd == -EINVAL || fd == -ENAMETOOLONG)
		return fd;
	if ((fd == -ENOENT || fd == -ECONNREFUSED) && !strchr(ifname, ':')) {
		fd = find_elsewhere(ifname, other, err);
		if (fd == -ENOTUNIQ)
			return fd;
		fd = fd ?: connect_here(other, deadline, path, err);
	}
	if (fd == -ENOENT || fd == -ECONNREFUSED)
		return xfn_fail(err, -ENOENT,
				"%s: no xfn is running; start one with `xfn run%s%s`%s", ifname,
				*ifname == '@' ? "" : " -i ", *ifname == '@' ? "" : ifname,
				or_sudo());
	if (fd < 0)
		xfn_error__set(err, "%s: control socket %s: %s; %s", ifname, path, strerror(-fd),
			       fd == -EACCES ? "use sudo" : "see whether its xfn still runs");
	return fd;
}

/* A server that refuses early closes before it has read all: its answer is what counts. */
static int send_all(int fd, const char *text, size_t len, uint64_t deadline)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n >= 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			return 0;
		} else if (errno == EAGAIN) {
			int ret = wait_for(fd, POLLOUT, deadline);

			if (ret)
				return ret;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

/* One line, without its newline, into *text (the caller frees it). 0 or -errno. */
static int recv_line(int fd, char **text, size_t *len, uint64_t deadline)
{
	size_t room = 0;

	*text = NULL;
	*len = 0;
	for (;;) {
		char *nl, *more;
		ssize_t n;

		if (*len == room) {
			room = room ? room * 2 : 4096;
			if (room > 2 * XFN_CONTROL_ANSWER)
				return -EMSGSIZE;
			more = realloc(*text, room);
			if (!more)
				return -ENOMEM;
			*text = more;
		}
		n = recv(fd, *text + *len, room - *len, 0);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && errno == EAGAIN) {
			int ret = wait_for(fd, POLLIN, deadline);

			if (ret)
				return ret;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		nl = memchr(*text + *len, '\n', (size_t)n);
		*len += (size_t)n;
		if (nl) {
			*len = (size_t)(nl - *text);
			return 0;
		}
	}
}

static int read_answer(json_t *answer, json_t **data, struct xfn_error *err)
{
	const char *message = NULL, *next = "";
	json_t *body = NULL;
	int version, ok;

	if (json_unpack(answer, "{s:i, s:b, s?o}", "xfn", &version, "ok", &ok, "data", &body) ||
	    version != XFN_CONTROL_VERSION)
		return xfn_fail(
			err, -EPROTO,
			"answer of another version of xfn; use the program that runs, or restart it");
	if (ok) {
		*data = body ? json_incref(body) : json_null();
		return 0;
	}
	if (json_unpack(answer, "{s:{s:s, s?s}}", "error", "message", &message, "next", &next))
		message = "refused without a reason";
	return xfn_fail(err, -EREMOTEIO, "%s%s%s", message, *next ? "; " : "", next);
}

/* {"xfn": 1, "verb", "args"} as one line; the caller frees it. NULL: no memory, or not UTF-8. */
static char *request_line(const char *verb, json_t *args, size_t *len)
{
	json_t *empty = args ? NULL : json_object();
	json_t *request = json_pack("{s:i, s:s, s:O}", "xfn", XFN_CONTROL_VERSION, "verb", verb,
				    "args", args ?: empty);
	char *line = request ? json_dumps(request, JSON_COMPACT) : NULL;

	json_decref(request);
	json_decref(empty);
	if (!line)
		return NULL;
	*len = strlen(line);
	line[(*len)++] = '\n'; /* in place of the 0: the length is known */
	return line;
}

int xfn_control__ask(const char *ifname, const char *verb, json_t *args, json_t **data,
		     struct xfn_error *err)
{
	uint64_t deadline = xfn_now_ms() + XFN_CONTROL_SECONDS * 1000;
	char name[XFN_CONTROL_NAME] = "", *line, *text = NULL;
	json_t *answer = NULL;
	size_t len, got = 0;
	int fd, ret;

	line = request_line(verb, args, &len);
	if (!line)
		return xfn_fail(err, -EINVAL,
				"%s: no request can be made of it; give text in UTF-8", verb);
	if (len > XFN_CONTROL_LINE) {
		xfn_error__set(err, "%s: request of %zu bytes, %d are allowed; send less", verb,
			       len, XFN_CONTROL_LINE);
		free(line);
		return -E2BIG;
	}
	fd = ifname ? 0 : find_only(name, err);
	ifname = ifname ?: name;
	if (!fd)
		fd = connect_named(ifname, deadline, err);
	if (fd < 0) {
		free(line);
		return fd;
	}
	ret = send_all(fd, line, len, deadline);
	if (!ret)
		ret = recv_line(fd, &text, &got, deadline);
	if (!ret) {
		answer = json_loadb(text, got, 0, NULL);
		ret = answer ? read_answer(answer, data, err) : -EBADMSG;
	}
	if (ret && ret != -EREMOTEIO && ret != -EPROTO)
		xfn_error__set(err, "%s: the running xfn gave no answer: %s; look at its messages",
			       ifname, strerror(-ret));
	json_decref(answer);
	free(text);
	free(line);
	close(fd);
	return ret;
}
