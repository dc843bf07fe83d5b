/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What suites in C share that work in a lab of their own: its namespaces, an xfn in it, what that
 * counts. Knows the command line and the wire. To be included after cmocka.h.
 */
#ifndef XFN_TEST_LAB_H
#define XFN_TEST_LAB_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <jansson.h>

static char lab[16], iface[32], client_iface[32], xfn[256], folder[64];
static pid_t server; /* xfn's process */

/* What the words behind `format` of a function of that form come to, in the array `text`. */
#define FORMATTED(text, format)                                                                    \
	do {                                                                                       \
		va_list args_;                                                                     \
		va_start(args_, format);                                                           \
		vsnprintf(text, sizeof(text), format, args_);                                      \
		va_end(args_);                                                                     \
	} while (0)

static int shell(const char *format, ...)
{
	char line[1000];

	FORMATTED(line, format);
	return system(line);
}

/* A command on one side of the lab. */
#define ON(side, format, ...)                                                                      \
	shell("ip netns exec %s-" side " " format, lab __VA_OPT__(, ) __VA_ARGS__)

/* Sockets made from now on are those of "client" or "server", or (NULL) of here. */
static void be(const char *side)
{
	static int home = -1;
	char path[64];
	int fd;

	if (home < 0)
		home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/run/netns/%s-%s", lab, side ?: "");
	fd = side ? open(path, O_RDONLY | O_CLOEXEC) : home;
	assert_true(fd >= 0);
	assert_int_equal(setns(fd, CLONE_NEWNET), 0);
	if (side)
		close(fd);
}

static const char *by = ""; /* words of a program that is to execute xfn */

/* `xfn run` with these words in the server's namespace; its output goes to $folder/out. */
static void launch(const char *words)
{
	char copy[1000], path[100], *argv[60] = { xfn, (char *)"lab",  (char *)"-n",
						  lab, (char *)"exec", (char *)"server" };
	int n = 6, fd;

	snprintf(copy, sizeof(copy), "%s %s run -j %s", by, xfn, words);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[n++] = word;
	snprintf(path, sizeof(path), "%s/out", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	server = fork();
	if (!server) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(fd, 1);
		dup2(fd, 2);
		execv(xfn, argv);
		_exit(127);
	}
	close(fd);
}

/* Is `text` in what it has said so far? */
static bool said(const char *text)
{
	static char all[65536];
	char path[100];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/out", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, all, sizeof(all) - 1);
	close(fd);
	all[n > 0 ? n : 0] = 0;
	return strstr(all, text);
}

/* Tried until it holds, on a machine that may be busy. */
#define SOON(condition)                                                                            \
	({                                                                                         \
		bool held_ = false;                                                                \
		for (int try_ = 0; !(held_ = (condition)) && try_ < 1500; try_++)                  \
			usleep(10000);                                                             \
		held_;                                                                             \
	})

static void start(const char *format, ...)
{
	char words[500];

	FORMATTED(words, format);
	launch(words);
	if (SOON(said("\"ready\"") || waitpid(server, NULL, WNOHANG)) && said("\"ready\""))
		return;
	shell("cat %s/out", folder);
	fail_msg("xfn run %s does not become ready", words);
}

static void stop(void)
{
	int status = -1;

	assert_true(server > 0);
	kill(server, SIGTERM);
	waitpid(server, &status, 0);
	server = 0;
	assert_int_equal(status, 0);
}

/* What `xfn stat` says. */
static json_t *stat_now(void)
{
	char line[400];
	json_t *stat;
	FILE *f;

	snprintf(line, sizeof(line), "%s stat -j -i %s", xfn, iface);
	f = popen(line, "r");
	assert_non_null(f);
	stat = json_loadf(f, 0, NULL);
	pclose(f);
	assert_non_null(stat);
	return stat;
}

/* `field` of the row of that name in a list of it; without a name, of all rows. */
static unsigned long count_in(const json_t *stat, const char *list, const char *name,
			      const char *field)
{
	unsigned long sum = 0;
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(stat, list), i, row) {
		if (!name || !strcmp(json_string_value(json_object_get(row, "name")), name))
			sum += json_integer_value(json_object_get(row, field));
	}
	return sum;
}

static inline unsigned long count(const char *list, const char *name, const char *field)
{
	json_t *stat = stat_now();
	unsigned long n = count_in(stat, list, name, field);

	json_decref(stat);
	return n;
}

/* An address of text, IPv4 or IPv6. */
static inline socklen_t place(const char *ip, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;
	bool v6 = strchr(ip, ':');

	memset(out, 0, sizeof(*out));
	out->ss_family = v6 ? AF_INET6 : AF_INET;
	in->sin_port = htons(port);
	assert_int_equal(
		inet_pton(out->ss_family, ip, v6 ? (void *)&in6->sin6_addr : (void *)&in->sin_addr),
		1);
	return v6 ? sizeof(*in6) : sizeof(*in);
}

/* What the client's link has given up on, of what its sockets sent. */
static inline unsigned long dropped_on_the_way(void)
{
	unsigned long n = 0;
	char line[200];
	FILE *f;

	snprintf(line, sizeof(line),
		 "ip netns exec %s-client cat /sys/class/net/%s/statistics/tx_dropped", lab,
		 client_iface);
	f = popen(line, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &n), 1);
	pclose(f);
	return n;
}

/* Send `count` datagrams. Returns how many of them reached the server's interface. */
static inline unsigned long flood(const char *ip, uint16_t port, unsigned count, size_t len)
{
	unsigned long before = dropped_on_the_way(), sent = 0;
	struct sockaddr_storage to;
	socklen_t to_len = place(ip, port, &to);
	static uint8_t payload[2000];
	const int on = 1;
	int fd;

	be("client");
	fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	be(NULL);
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, to_len), 0);
	for (unsigned i = 0; i < count; i++)
		sent += send(fd, payload, len, 0) == (ssize_t)len;
	close(fd);
	return sent - (dropped_on_the_way() - before);
}

/* What is counted, as counted.awk tells; `frames`: as the interface saw it. */
struct books {
	bool frames;
	unsigned long counted, lost;
};

static inline struct books read_books(bool frames)
{
	struct books books = { .frames = frames };
	char line[400];
	FILE *f;

	snprintf(line, sizeof(line), "%s stat -i %s | awk -v frames=%d -f %s", xfn, iface, frames,
		 "verifier-tests/lab/counted.awk");
	f = popen(line, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &books.counted, &books.lost), 2);
	pclose(f);
	return books;
}

/* Since `before`, so much has reached the interface: it is counted, soon, and nothing else. Returns
 * how much of it is lost. */
static inline unsigned long balance(const struct books *before, unsigned long reached,
				    const char *what)
{
	struct books now;

	if (SOON((now = read_books(before->frames)).counted - before->counted >= reached) &&
	    now.counted - before->counted == reached)
		return now.lost - before->lost;
	shell("%s stat -i %s", xfn, iface);
	fail_msg("%s: %lu reached the interface, %lu are counted, %lu of them under a reason", what,
		 reached, now.counted - before->counted, now.lost - before->lost);
	return 0;
}

/* After a failure the server still runs. */
static int end_server(void **state)
{
	(void)state;
	if (server > 0) {
		kill(server, SIGTERM);
		waitpid(server, NULL, 0);
	}
	server = 0;
	return 0;
}

static int lower(void **state)
{
	(void)state;
	if (lab[0])
		shell("%s lab -n %s down >/dev/null", xfn, lab);
	if (folder[0])
		shell("rm -rf %s", folder);
	return 0;
}

/* A lab whose name begins with `letter`; without root and a built xfn every test is skipped. */
static int raise_lab(char letter)
{
	snprintf(xfn, sizeof(xfn), "%s/xfn", getenv("XFN_BUILD") ?: "build");
	if (geteuid() || access(xfn, X_OK)) {
		print_message("SKIP: wants root and build/xfn\n");
		return 0;
	}
	snprintf(folder, sizeof(folder), "/tmp/xfn-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	chmod(folder, 0755);
	setenv("XFN_RUNTIME_DIR", folder, 1);
	snprintf(lab, sizeof(lab), "%c%d", letter, getpid() % 1000000);
	snprintf(iface, sizeof(iface), "xfns0%s", lab);
	snprintf(client_iface, sizeof(client_iface), "xfnc0%s", lab);
	if (!shell("%s lab -n %s up >/dev/null", xfn, lab))
		return 0;
	lab[0] = 0;
	return -1;
}

#endif
