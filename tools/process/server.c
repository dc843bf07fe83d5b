// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Servers as processes: start, wait, CPU time, end. Must never speak to one but by its output. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../userspace/host/now.h"
#include "server.h"

#define STOP_MS 5000
#define FAMILY	64

volatile int server_interrupted;

bool server__beside(const char *name, char *path, size_t len)
{
	ssize_t n = readlink("/proc/self/exe", path, len - 1);
	char *slash;

	if (n <= 0)
		return false;
	path[n] = 0;
	slash = strrchr(path, '/') + 1;
	if ((size_t)(slash - path) + strlen(name) >= len)
		return false;
	strcpy(slash, name);
	return !access(path, R_OK);
}

int server__enter(const char *netns)
{
	char path[96];
	int fd, ret;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = setns(fd, CLONE_NEWNET) ? -errno : 0;
	close(fd);
	return ret;
}

static void become(const char *netns, int cpu, bool quiet, int out, char *const argv[])
{
	cpu_set_t cpus;
	int null;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* reaches one that is stopped, too */
	CPU_ZERO(&cpus);
	CPU_SET(cpu < 0 ? 0 : cpu, &cpus);
	if ((cpu >= 0 && sched_setaffinity(0, sizeof(cpus), &cpus)) ||
	    (netns && server__enter(netns)) || dup2(out, 1) < 0)
		_exit(126);
	null = open("/dev/null", O_RDWR);
	if (quiet && null >= 0)
		dup2(null, 2);
	execvp(argv[0], argv);
	fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int server__start(struct server *srv, const char *netns, int cpu, bool quiet, char *const argv[])
{
	pid_t self = getpid();
	int fds[2];

	*srv = (struct server){ .out = -1 };
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	srv->pid = fork();
	if (!srv->pid) {
		if (getppid() == self)
			become(netns, cpu, quiet, fds[1], argv);
		_exit(127);
	}
	close(fds[1]);
	srv->out = fds[0];
	return srv->pid < 0 ? -errno : 0;
}

/* The next line, without its end. False: none within the time. */
static bool read_line(struct server *srv, uint64_t until, char *line, size_t size)
{
	size_t len = 0;

	while (len < size - 1 && (!len || line[len - 1] != '\n')) {
		struct pollfd wait = { .fd = srv->out, .events = POLLIN };

		if (server_interrupted || xfn_now_ms() > until)
			return false;
		if (poll(&wait, 1, 200) < 1)
			continue;
		if (read(srv->out, line + len, 1) != 1)
			return false;
		len++;
	}
	if (len && line[len - 1] == '\n')
		len--;
	line[len] = 0;
	return true;
}

int server__ready(struct server *srv, int timeout_ms)
{
	size_t size = 1 << 20;
	char *line = malloc(size);
	json_t *said = NULL;

	if (line && read_line(srv, xfn_now_ms() + (unsigned)timeout_ms, line, size))
		said = json_loads(line, 0, NULL);
	if (json_is_true(json_object_get(said, "ready"))) {
		srv->ready = said;
		free(line);
		return 0;
	}
	if (!server_interrupted)
		fprintf(stderr, "xfn run does not become ready%s%s\n", said ? ": " : "",
			said ? line : "");
	json_decref(said);
	free(line);
	return -1;
}

int server__said(struct server *srv, const char *text, int timeout_ms)
{
	uint64_t until = xfn_now_ms() + (unsigned)timeout_ms;
	char line[1024];

	while (read_line(srv, until, line, sizeof(line)))
		if (strstr(line, text))
			return 0;
	return -1;
}

void server__stop(struct server *srv)
{
	uint64_t late = xfn_now_ms() + STOP_MS;

	if (srv->pid > 0) {
		server__freeze(srv, false);
		kill(srv->pid, SIGTERM);
		while (waitpid(srv->pid, NULL, WNOHANG) == 0) {
			if (xfn_now_ms() > late)
				kill(srv->pid, SIGKILL);
			usleep(5000);
		}
	}
	if (srv->out >= 0)
		close(srv->out);
	json_decref(srv->ready);
	*srv = (struct server){ .out = -1 };
}

static uint64_t cpu_of(pid_t pid)
{
	unsigned long long ns, sum = 0;
	char path[64];
	struct dirent *entry;
	FILE *f;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char file[400];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s/schedstat", path, entry->d_name);
		f = fopen(file, "re");
		if (f && fscanf(f, "%llu", &ns) == 1)
			sum += ns;
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return sum;
}

static pid_t parent_of(pid_t pid)
{
	char path[64], state;
	int parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	/* the name in brackets may hold anything but is no longer than this */
	if (f && fscanf(f, "%*d (%*[^)]) %c %d", &state, &parent) != 2)
		parent = 0;
	if (f)
		fclose(f);
	return parent;
}

static int by_number(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

/* The process and its children, in the order of their start: two levels are what servers have. */
static unsigned family_of(const struct server *srv, pid_t pids[FAMILY])
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	unsigned n = 0;

	if (srv->pid > 0)
		pids[n++] = srv->pid;
	while (dir && (entry = readdir(dir)) && n < FAMILY) {
		pid_t pid = atoi(entry->d_name);

		if (pid > 1 && parent_of(pid) == srv->pid)
			pids[n++] = pid;
	}
	if (dir)
		closedir(dir);
	if (n > 1)
		qsort(pids + 1, n - 1, sizeof(pids[0]), by_number);
	return n;
}

uint64_t server__cpu_ns(const struct server *srv)
{
	pid_t pids[FAMILY];
	unsigned n = family_of(srv, pids);
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += cpu_of(pids[i]);
	return sum;
}

void server__freeze(const struct server *srv, bool frozen)
{
	pid_t pids[FAMILY];
	unsigned n = family_of(srv, pids);

	for (unsigned i = 0; i < n; i++)
		kill(pids[i], frozen ? SIGSTOP : SIGCONT);
}

void server__spread(const struct server *srv, unsigned cpus)
{
	pid_t pids[FAMILY];
	unsigned n = family_of(srv, pids);

	for (unsigned i = 1; i < n; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((i - 1) % cpus, &set);
		sched_setaffinity(pids[i], sizeof(set), &set);
	}
}
