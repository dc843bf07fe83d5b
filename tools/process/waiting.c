// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* proc(5): /proc/PID/task/TID/syscall has the number and the arguments of the call in which a thread
 * stands. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "waiting.h"

#define DEPTH 8 /* processes below one another */

struct call {
	long number;
	unsigned long arg[2];
};

/* False: the thread runs, stands in none, or may not be looked at. */
static bool read_call(pid_t pid, const char *tid, struct call *out)
{
	char path[64];
	bool found;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%.10s/syscall", pid, tid);
	f = fopen(path, "re");
	if (!f)
		return false;
	found = fscanf(f, "%ld %lx %lx", &out->number, &out->arg[0], &out->arg[1]) == 3;
	fclose(f);
	return found;
}

/* A string of that process, page by page: what follows it may not be there. */
static bool read_name(pid_t pid, unsigned long at, char *name, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), got = 0;

	while (got < len) {
		size_t part = page - (at + got) % page;
		struct iovec to = { name + got, part < len - got ? part : len - got };
		struct iovec from = { (void *)(at + got), to.iov_len };
		ssize_t n = process_vm_readv(pid, &to, 1, &from, 1, 0);

		if (n <= 0)
			return false;
		got += (size_t)n;
		if (memchr(name, '\0', got))
			return true;
	}
	return false;
}

static bool has_kind(const char *path, struct xfn_waiting *out)
{
	struct stat st;

	if (stat(path, &st) || (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)))
		return false;
	out->kind = S_ISFIFO(st.st_mode) ? "a FIFO" : "a device";
	return true;
}

/* open(2), where the name is taken from, seen from here. */
static bool opens(pid_t pid, int folder, unsigned long name, struct xfn_waiting *out)
{
	char path[PATH_MAX + 64];

	if (!read_name(pid, name, out->file, sizeof(out->file)))
		return false;
	if (out->file[0] == '/')
		snprintf(path, sizeof(path), "%s", out->file);
	else if (folder == AT_FDCWD)
		snprintf(path, sizeof(path), "/proc/%d/cwd/%s", pid, out->file);
	else
		snprintf(path, sizeof(path), "/proc/%d/fd/%d/%s", pid, folder, out->file);
	return has_kind(path, out);
}

/* Has it open what was opened by a name since it was started? */
static bool holds(pid_t pid, struct xfn_waiting *out)
{
	struct stat st, ours, none;
	struct dirent *entry;
	char path[400];
	bool found = false;
	DIR *dir;

	if (stat("/dev/null", &none))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (!found && dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);
		ssize_t n;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		n = readlink(path, out->file, sizeof(out->file) - 1);
		if (n <= 0 || out->file[0] != '/' || stat(path, &st) ||
		    st.st_rdev == none.st_rdev ||
		    (!fstat(fd, &ours) && ours.st_dev == st.st_dev && ours.st_ino == st.st_ino))
			continue;
		out->file[n] = '\0';
		found = has_kind(path, out);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool opens_one(pid_t pid, const struct call *call, struct xfn_waiting *out)
{
	switch (call->number) {
#ifdef SYS_open /* newer architectures have openat only */
	case SYS_open:
		return opens(pid, AT_FDCWD, call->arg[0], out);
#endif
	case SYS_openat:
	case SYS_openat2:
		return opens(pid, (int)call->arg[0], call->arg[1], out);
	}
	return false;
}

static bool find(pid_t pid, unsigned depth, struct xfn_waiting *out)
{
	char path[64], list[400];
	struct dirent *entry;
	struct call call;
	bool found = holds(pid, out);
	int child;
	DIR *dir;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	if (found)
		out->pid = pid;
	dir = opendir(path);
	while (!found && dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		found = read_call(pid, entry->d_name, &call) && opens_one(pid, &call, out);
		if (found)
			out->pid = pid;
		snprintf(list, sizeof(list), "%s/%s/children", path, entry->d_name);
		f = found || !depth ? NULL : fopen(list, "re");
		while (!found && f && fscanf(f, "%d", &child) == 1)
			found = find(child, depth - 1, out);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return found;
}

bool xfn_waiting__find(pid_t pid, struct xfn_waiting *out)
{
	return find(pid, DEPTH, out);
}
