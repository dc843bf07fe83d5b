// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The journal of changes to an interface. What is noted is held in memory too, in its order. */
#include "../../skel/error.h"
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>
#include "../host/log.h"
#include "../host/runtime_dir.h"

#define SUFFIX ".journal"
#define LINE   (XFN_JOURNAL_TEXT + 32)

struct xfn_journal {
	char ifname[32];
	const struct xfn_journal_kind *kinds;
	char path[256];
	char (*line)[LINE]; /* "KIND TEXT", oldest first */
	unsigned count;
};

static int append(struct xfn_journal *j, const char *line)
{
	char(*all)[LINE] = reallocarray(j->line, j->count + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	j->line = all;
	snprintf(all[j->count++], sizeof(*all), "%s", line);
	return 0;
}

/* A line that a kill cut short was no change yet. */
static int read_all(struct xfn_journal *j)
{
	int fd = open(j->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), ret = 0;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char line[LINE + 1];
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	/* another user's would have changes undone that are none of ours */
	if (!f || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
		if (f)
			fclose(f);
		else
			close(fd);
		return -EPERM;
	}
	while (!ret && fgets(line, sizeof(line), f)) {
		char *end = strchr(line, '\n');

		if (!end)
			break;
		*end = 0;
		ret = append(j, line);
	}
	/* not as if the rest were not there: it would be gone with the next write */
	if (!ret && ferror(f))
		ret = -EIO;
	fclose(f);
	return ret;
}

/* All lines anew, in one step: the file is never without them. */
static int write_all(const struct xfn_journal *j)
{
	char fresh[sizeof(j->path) + 4];
	bool bad = false;
	FILE *f;
	int fd;

	if (!j->count)
		return unlink(j->path) && errno != ENOENT ? -errno : 0;
	snprintf(fresh, sizeof(fresh), "%s.new", j->path);
	/* one that a kill has left; nobody else's is followed */
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		int ret = -errno;

		if (fd >= 0)
			close(fd);
		return ret;
	}
	for (unsigned i = 0; i < j->count; i++)
		bad = fprintf(f, "%s\n", j->line[i]) < 0 || bad;
	bad = fclose(f) || bad;
	return bad || rename(fresh, j->path) ? -EIO : 0;
}

static int undo_line(const struct xfn_journal *j, const char *line)
{
	for (const struct xfn_journal_kind *kind = j->kinds; kind->name; kind++) {
		size_t len = strlen(kind->name);

		if (!strncmp(line, kind->name, len) && line[len] == ' ')
			return kind->undo(j->ifname, line + len + 1);
	}
	return -EPROTONOSUPPORT; /* another version's */
}

/* Newest first. Returns how many were undone; the others stay. */
static unsigned undo_all(struct xfn_journal *j)
{
	unsigned undone = 0;

	for (unsigned i = j->count; i-- > 0;) {
		int ret = undo_line(j, j->line[i]);

		if (ret) {
			xfn_log__line(LOG_WARNING, "%s: cannot undo '%s': %s; it stays in %s",
				      j->ifname, j->line[i], strerror(-ret), j->path);
			continue;
		}
		memmove(j->line + i, j->line + i + 1, (j->count - i - 1) * sizeof(*j->line));
		j->count--;
		undone++;
	}
	/* also without what a kill had cut short */
	if (write_all(j))
		xfn_log__line(LOG_WARNING, "%s: cannot be written; remove it", j->path);
	return undone;
}

static void release(struct xfn_journal *j)
{
	free(j->line);
	free(j);
}

int xfn_journal__open(const char *ifname, const struct xfn_journal_kind *kinds,
		      struct xfn_journal **out, struct xfn_error *err)
{
	struct xfn_journal *j = calloc(1, sizeof(*j));
	unsigned left;
	int ret;

	*out = NULL;
	if (!j)
		return xfn_fail(err, -ENOMEM, "journal of changes: no memory; free some");
	snprintf(j->ifname, sizeof(j->ifname), "%s", ifname);
	j->kinds = kinds;
	ret = xfn_runtime_dir__path(ifname, SUFFIX, j->path, sizeof(j->path), err);
	if (!ret && (ret = read_all(j)))
		xfn_error__set(err, "%s: cannot be read: %s; see what is there", j->path,
			       strerror(-ret));
	if (ret) {
		release(j);
		return ret;
	}
	left = undo_all(j);
	if (left)
		xfn_log__line(LOG_NOTICE,
			      "%s: undone what an earlier run, which was killed, had changed (%u)",
			      ifname, left);
	*out = j;
	return 0;
}

static int find(const struct xfn_journal *j, const char *line)
{
	for (unsigned i = 0; i < j->count; i++)
		if (!strcmp(j->line[i], line))
			return (int)i;
	return -1;
}

int xfn_journal__note(struct xfn_journal *j, const char *kind, const char *text)
{
	char line[LINE];
	int fd, n, ret;
	off_t end;

	n = snprintf(line, sizeof(line), "%s %s", kind, text);
	if (n < 0 || (size_t)n >= sizeof(line))
		return -ENAMETOOLONG;
	if (find(j, line) >= 0)
		return 0;
	ret = append(j, line);
	if (ret)
		return ret;
	errno = 0;
	fd = open(j->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	if (end < 0 || dprintf(fd, "%s\n", line) != n + 1)
		ret = errno ? -errno : -ENOSPC;
	/* what a full disk cut short would run into the next line */
	if (ret && end >= 0 && ftruncate(fd, end))
		xfn_log__line(LOG_WARNING, "%s: cannot be written; remove it", j->path);
	if (fd >= 0)
		close(fd);
	if (ret)
		j->count--;
	return ret;
}

void xfn_journal__forget(struct xfn_journal *j, const char *kind, const char *text)
{
	char line[LINE];
	int at;

	snprintf(line, sizeof(line), "%s %s", kind, text);
	at = find(j, line);
	if (at < 0)
		return;
	memmove(j->line + at, j->line + at + 1, (j->count - at - 1) * sizeof(*j->line));
	j->count--;
	if (write_all(j))
		xfn_log__line(LOG_WARNING, "%s: cannot be written; see whether its folder can",
			      j->path);
}

void xfn_journal__close(struct xfn_journal *j)
{
	if (!j)
		return;
	undo_all(j);
	release(j);
}

int xfn_journal__count(const char *ifname)
{
	struct xfn_journal *j = calloc(1, sizeof(*j));
	struct xfn_error err;
	int ret;

	if (!j)
		return -ENOMEM;
	ret = xfn_runtime_dir__path(ifname, SUFFIX, j->path, sizeof(j->path), &err);
	ret = ret ?: read_all(j);
	ret = ret ?: (int)j->count;
	release(j);
	return ret;
}
