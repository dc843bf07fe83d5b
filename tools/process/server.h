/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Servers as processes of their own: `xfn run` and others, started in the lab, waited for, ended.
 * Knows command lines and nothing of what is inside.
 */
#ifndef XFN_SERVER_H
#define XFN_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct server {
	pid_t pid;
	int out;       /* its standard output, -1: closed */
	json_t *ready; /* what `xfn run -j` said first; NULL: another program */
};

/* Path of the program `name` beside this one; false where there is none. */
bool server__beside(const char *name, char *path, size_t len);

/*
 * Start argv (found by PATH) in the named network namespace (NULL: this one), on CPU `cpu` (-1:
 * any). Its messages go where ours go, or nowhere where `quiet`. It ends when we end. 0 or -errno.
 */
int server__start(struct server *srv, const char *netns, int cpu, bool quiet, char *const argv[]);

/* Wait for the first line of `xfn run -j`; it must say that it is ready. 0 or -1, said. */
int server__ready(struct server *srv, int timeout_ms);

/* Wait for a line with `text` in it. 0 or -1. */
int server__said(struct server *srv, const char *text, int timeout_ms);

/* SIGTERM, after a while SIGKILL; frees. Safe on one that never started. */
void server__stop(struct server *srv);

/* CPU time of the process and all below it so far, in ns (/proc/PID/schedstat). */
uint64_t server__cpu_ns(const struct server *srv);

/* Stop (SIGSTOP) and go on (SIGCONT): for a server that spins while others are measured. */
void server__freeze(const struct server *srv, bool frozen);

/* Its workers, in the order in which they were started, to CPUs 0, 1 ... and again. */
void server__spread(const struct server *srv, unsigned cpus);

/* Enter a network namespace by its name under /run/netns. 0 or -errno. */
int server__enter(const char *netns);

/* To be set by a signal handler: waits end early. */
extern volatile int server_interrupted;

#endif
