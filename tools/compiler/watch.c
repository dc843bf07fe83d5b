// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Doing something again whenever sources are saved. Must never know what is done. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include "../../skel/regular_file.h"
#include "watch.h"

#define PATHS_MAX  256 /* sources and their headers */
#define SETTLED_MS 50  /* an editor's several steps are one save */

/* A file that `source` is made of. */
struct watched {
	char path[PATH_MAX];
	const char *base; /* its name in its folder, within path */
	int folder;	  /* inotify's number of that */
	int source;
	bool saved;
};

struct watch {
	int fd;
	char *const *files;
	int count;
	struct watched *list;
	unsigned used;
	char (*why)[PATH_MAX]; /* of each source: what was saved */
};

static int add_file(struct watch *w, const char *path, int source);

/* The local headers of `path`. */
static int add_headers(struct watch *w, const char *path, int source)
{
	const char *slash = strrchr(path, '/');
	char line[1024], header[PATH_MAX], name[256];
	struct xfn_error err;
	FILE *f = xfn_regular_file__stream(path, "", &err);
	int ret = 0;

	/* a file that is missing now may be saved later */
	while (f && ret >= 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " # include \"%255[^\"]\"", name) != 1)
			continue;
		snprintf(header, sizeof(header), "%.*s%s", slash ? (int)(slash - path) + 1 : 0,
			 path, name);
		/* others (xfn.h) are found elsewhere, and are nobody's to edit */
		if (!access(header, F_OK))
			ret = add_file(w, header, source);
	}
	if (f)
		fclose(f);
	return ret;
}

static int add_file(struct watch *w, const char *path, int source)
{
	const uint32_t saves = IN_CLOSE_WRITE | IN_MOVED_TO;
	struct watched *one = &w->list[w->used];
	char folder[PATH_MAX], *slash;

	for (unsigned i = 0; i < w->used; i++)
		if (w->list[i].source == source && !strcmp(w->list[i].path, path))
			return 0;
	if (w->used == PATHS_MAX)
		return -E2BIG;
	snprintf(one->path, sizeof(one->path), "%s", path);
	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash)
		slash[1] = 0;
	one->base = slash ? one->path + (slash - folder) + 1 : one->path;
	one->source = source;
	one->saved = false;
	one->folder = inotify_add_watch(w->fd, slash ? folder : ".", saves);
	if (one->folder < 0)
		return -errno;
	w->used++;
	return add_headers(w, path, source);
}

/* Files and headers as they are now. */
static int add_all(struct watch *w)
{
	int ret = 0;

	w->used = 0;
	for (int i = 0; !ret && i < w->count; i++)
		ret = add_file(w, w->files[i], i);
	return ret;
}

/* Note what was saved. True: one of ours. */
static bool take_events(struct watch *w)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(w->fd, buffer, sizeof(buffer));
	bool ours = false;

	for (char *p = buffer; n > 0 && p < buffer + n;) {
		const struct inotify_event *event = (const void *)p;

		for (unsigned i = 0; i < w->used; i++)
			/* too many events at once: all may have been saved */
			if (event->mask & IN_Q_OVERFLOW ||
			    (event->len && event->wd == w->list[i].folder &&
			     !strcmp(event->name, w->list[i].base)))
				ours = w->list[i].saved = true;
		p += sizeof(*event) + event->len;
	}
	return ours;
}

static void print_separator(const char *path)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[16];

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&now, &tm));
	printf("---- %s %s\n", text, path);
	fflush(stdout); /* before what is said of the build on standard error */
}

/* Wait for a save, and until no other follows at once. False: it is over. */
static bool wait_for_save(struct watch *w, int signals)
{
	struct pollfd fds[2] = { { .fd = signals, .events = POLLIN },
				 { .fd = w->fd, .events = POLLIN } };
	bool ours = false;

	for (;;) {
		int n = poll(fds, 2, ours ? SETTLED_MS : -1);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0 && fds[0].revents)
			return false;
		if (n > 0 && fds[1].revents)
			ours |= take_events(w);
		if (!n)
			return true;
	}
}

/* For each source the file of its own that was saved, "" where none was. */
static void take_reasons(const struct watch *w)
{
	for (int i = 0; i < w->count; i++)
		w->why[i][0] = 0;
	for (unsigned j = w->used; j-- > 0;)
		if (w->list[j].saved)
			memcpy(w->why[w->list[j].source], w->list[j].path, PATH_MAX);
}

int xfn_watch(char *const *files, int count, bool separator,
	      void (*again)(void *ctx, const char *file), void *ctx, struct xfn_error *err)
{
	struct watch w = { .files = files, .count = count };
	bool first = true;
	sigset_t ends, old;
	int signals, ret;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, &old);
	signals = signalfd(-1, &ends, SFD_CLOEXEC);
	w.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	w.list = calloc(PATHS_MAX, sizeof(*w.list));
	w.why = calloc((size_t)count, sizeof(*w.why));
	ret = signals < 0 || w.fd < 0 || !w.list || !w.why ? -errno : 0;
	while (!ret) {
		/* Headers may have come or gone. Before anything is done: what is saved meanwhile
		 * is not missed. */
		take_reasons(&w);
		ret = add_all(&w);
		for (int i = 0; !ret && i < count; i++) {
			if (!first && !w.why[i][0])
				continue;
			if (!first && separator)
				print_separator(w.why[i]);
			again(ctx, files[i]);
			fflush(stdout);
		}
		first = false;
		if (ret || !wait_for_save(&w, signals))
			break;
	}
	if (ret)
		xfn_error__set(err, "cannot watch %s: %s; %s", files[0], strerror(-ret),
			       ret == -ENOENT ? "name sources in folders that are there" :
						"see `sysctl fs.inotify`, or watch fewer sources");
	free(w.list);
	free(w.why);
	if (w.fd >= 0)
		close(w.fd);
	if (signals >= 0)
		close(signals);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return ret;
}
