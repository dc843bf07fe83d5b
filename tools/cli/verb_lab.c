// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `xfn lab`: namespaces NAME-server and NAME-client, a veth pair between them, static neighbours,
 * and an XDP program on the client's end (without one veth loses what the server sends by XDP_TX).
 * Runs ip and ethtool, never a shell of its own accord. Must never know of functions or of the
 * supervisor.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../process/command.h"
#include "options.h"
#include "output.h"
#include "pass.skel.h"

#define SERVER_MAC "02:78:66:6e:00:01"
#define CLIENT_MAC "02:78:66:6e:00:02"

struct lab {
	char name[32];
	char server[48], client[48]; /* namespaces */
	char server_if[IFNAMSIZ], client_if[IFNAMSIZ];
	unsigned queues; /* of each end, receiving and sending */
};

/* The names of a lab. False: `name` is none. */
static bool lab_init(struct lab *lab, const char *name)
{
	const char *suffix = strcmp(name, "xfn") ? name : "";
	size_t len = strlen(name);

	/* "xfns0" and the suffix must fit an interface's name */
	if (!len || len > IFNAMSIZ - 1 - 5 ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != len)
		return false;
	snprintf(lab->name, sizeof(lab->name), "%s", name);
	snprintf(lab->server, sizeof(lab->server), "%s-server", name);
	snprintf(lab->client, sizeof(lab->client), "%s-client", name);
	snprintf(lab->server_if, sizeof(lab->server_if), "xfns0%.10s", suffix);
	snprintf(lab->client_if, sizeof(lab->client_if), "xfnc0%.10s", suffix);
	return true;
}

struct options {
	const char *name;
	unsigned queues;
	bool json;
};

static const struct xfn_option options[] = {
	XFN_OPTION("name", 'n', "NAME", XFN_TO_TEXT(struct options, name),
		   "Name of the lab (default: xfn)"),
	XFN_OPTION("queues", 'q', "N", XFN_TO_NUMBER(struct options, queues, 1, 64),
		   "Queues of the link when it is raised (default: 1)"),
	XFN_OPTION_JSON(struct options, json),
	{}
};

/* Run one line of words (none holds a blank); what it says is shown where it fails, unless quiet. */
static int run_words(bool quiet, const char *line)
{
	char copy[512], *argv[32], *save = NULL, *said;
	int argc = 0, ret;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w && argc < 31; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	ret = xfn_command__run(argv, &said);
	if (ret < 0)
		fprintf(stderr, "xfn lab: cannot run %s: %s; install iproute2 and ethtool\n",
			argv[0], strerror(-ret));
	else if (ret && !quiet)
		fprintf(stderr, "%sxfn lab: '%s' failed with status %d\n", said, line, ret);
	free(said);
	return ret < 0 ? 1 : ret;
}

#define RUN(quiet, ...)                                                                            \
	({                                                                                         \
		char line_[512];                                                                   \
		snprintf(line_, sizeof(line_), __VA_ARGS__);                                       \
		run_words(quiet, line_);                                                           \
	})

static int enter(const struct lab *lab, const char *ns)
{
	char path[80];
	int fd, err = 0;

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "xfn lab: namespace %s: %s; raise it with `xfn lab up -n %s`\n", ns,
			strerror(errno), lab->name);
		return -1;
	}
	if (setns(fd, CLONE_NEWNET)) {
		fprintf(stderr, "xfn lab: cannot enter namespace %s: %s; run as root\n", ns,
			strerror(errno));
		err = -1;
	}
	close(fd);
	return err;
}

static int lab_down(const struct lab *lab)
{
	int status = 0;
	const char *both[] = { lab->server, lab->client };

	/* the pair is removed by name: a namespace outlives its name while a process is in it */
	RUN(true, "ip -n %s link del %s", lab->server, lab->server_if);
	RUN(true, "ip -n %s link del %s", lab->client, lab->client_if);
	for (int i = 0; i < 2; i++) {
		char path[80];

		snprintf(path, sizeof(path), "/run/netns/%s", both[i]);
		if (!access(path, F_OK) && RUN(false, "ip netns del %s", both[i]))
			status = 1;
	}
	return status;
}

/* Attach the passing program in a child: the parent's namespace is not to change. A netlink
 * attachment, not a link, so that it stays without a process. */
static int attach_pass(const struct lab *lab)
{
	pid_t pid = fork();

	if (pid < 0)
		return 1;
	if (!pid) {
		struct pass_bpf *skel;
		int ifindex, err;

		if (enter(lab, lab->client))
			_exit(1);
		ifindex = (int)if_nametoindex(lab->client_if);
		skel = pass_bpf__open_and_load();
		if (!skel || !ifindex) {
			fprintf(stderr, "xfn lab: cannot load the client's XDP program: %s\n",
				strerror(errno));
			_exit(1);
		}
		err = bpf_xdp_attach(ifindex, bpf_program__fd(skel->progs.xfn_pass),
				     XDP_FLAGS_DRV_MODE, NULL);
		if (err)
			fprintf(stderr, "xfn lab: cannot attach to %s in native mode: %s\n",
				lab->client_if, strerror(-err));
		_exit(err ? 1 : 0);
	}
	return xfn_command__wait(pid);
}

static bool lab_complete(const struct lab *lab)
{
	return !RUN(true, "ip -n %s link show dev %s up", lab->server, lab->server_if) &&
	       !RUN(true, "ip -n %s link show dev %s up", lab->client, lab->client_if);
}

static int lab_side(const struct lab *lab, bool server)
{
	const char *ns = server ? lab->server : lab->client;
	const char *dev = server ? lab->server_if : lab->client_if;
	const char *peer_mac = server ? CLIENT_MAC : SERVER_MAC;
	int me = server ? 1 : 2, peer = server ? 2 : 1;

	return RUN(false, "ip -n %s link set lo up", ns) ||
	       RUN(false, "ip netns exec %s ethtool -K %s rxvlan off txvlan off", ns, dev) ||
	       RUN(false, "ip -n %s addr add 10.78.0.%d/24 dev %s", ns, me, dev) ||
	       RUN(false, "ip -n %s addr add fd78::%d/64 dev %s nodad", ns, me, dev) ||
	       RUN(false, "ip -n %s link set %s up", ns, dev) ||
	       RUN(false, "ip -n %s neigh replace 10.78.0.%d lladdr %s dev %s nud permanent", ns,
		   peer, peer_mac, dev) ||
	       RUN(false, "ip -n %s neigh replace fd78::%d lladdr %s dev %s nud permanent", ns,
		   peer, peer_mac, dev);
}

static int lab_up(const struct lab *lab)
{
	if (geteuid()) {
		fprintf(stderr, "xfn lab: namespaces want root; run it as root\n");
		return 1;
	}
	if (lab_complete(lab))
		return attach_pass(lab);
	lab_down(lab); /* what is left of a half-raised one */
	if (RUN(false, "ip netns add %s", lab->server) ||
	    RUN(false, "ip netns add %s", lab->client) ||
	    RUN(false,
		"ip link add %s netns %s address " SERVER_MAC
		" numrxqueues %u numtxqueues %u type veth "
		"peer name %s netns %s address " CLIENT_MAC " numrxqueues %u numtxqueues %u",
		lab->server_if, lab->server, lab->queues, lab->queues, lab->client_if, lab->client,
		lab->queues, lab->queues) ||
	    lab_side(lab, true) || lab_side(lab, false) || attach_pass(lab)) {
		lab_down(lab);
		return 1;
	}
	return 0;
}

/*
 * A process that tears the lab down once every other holder of the pipe's end is gone, however
 * `xfn lab run` ended. Own session: a terminal's Ctrl-C is not for it. It has become ready, and
 * holds nothing but the pipe, when this returns. *end is to be closed to make it work.
 */
static pid_t guardian(const struct lab *lab, int *end)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid) {
		close(fds[0]);
		*end = fds[1];
		return pid;
	}
	close(fds[1]);
	setsid();
	for (int s = 1; s < 32; s++)
		if (s != SIGCHLD)
			signal(s, SIG_IGN);
	char c;
	while (read(fds[0], &c, 1) < 0 && errno == EINTR)
		;
	_exit(lab_down(lab));
}

static volatile sig_atomic_t child_pid;

static void forward(int sig)
{
	if (child_pid > 0)
		kill(child_pid, sig);
}

static int lab_run(const struct lab *lab, char **argv)
{
	struct sigaction act = { .sa_handler = forward };
	int end = -1, status = 1, err;
	sigset_t block, old;
	pid_t guard;

	guard = guardian(lab, &end);
	if (guard < 0) {
		fprintf(stderr, "xfn lab: cannot start the guardian: %s\n", strerror(errno));
		return 1;
	}
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, &old);
	err = lab_up(lab);
	if (!err) {
		pid_t pid, self = getpid();

		setenv("XFN_LAB", lab->name, 1);
		pid = fork();
		if (!pid) {
			sigprocmask(SIG_SETMASK, &old, NULL);
			/* the lab is gone when we are: so is the command */
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			if (getppid() == self)
				execvp(argv[0], argv);
			fprintf(stderr, "xfn lab: cannot run %s: %s\n", argv[0], strerror(errno));
			_exit(127);
		}
		child_pid = pid;
		sigaction(SIGINT, &act, NULL);
		sigaction(SIGTERM, &act, NULL);
		sigaction(SIGHUP, &act, NULL);
		sigprocmask(SIG_SETMASK, &old, NULL);
		if (pid > 0)
			status = xfn_command__wait(pid);
	}
	close(end);
	err = xfn_command__wait(guard);
	return status ? status : err;
}

static int report(const struct lab *lab, bool json, const char *state, int status)
{
	if (json)
		printf("{\"name\": \"%s\", \"state\": \"%s\", \"server\": \"%s\", \"client\": \"%s\", "
		       "\"server_interface\": \"%s\", \"client_interface\": \"%s\"}\n",
		       lab->name, status ? "failed" : state, lab->server, lab->client,
		       lab->server_if, lab->client_if);
	else if (!status && !strcmp(state, "up"))
		printf("%s: %s 10.78.0.1 fd78::1, %s: %s 10.78.0.2 fd78::2\n", lab->server,
		       lab->server_if, lab->client, lab->client_if);
	return status;
}

/* `exec SIDE COMMAND...`, `shell [SIDE]`: becomes it. */
static int lab_enter(const struct lab *lab, bool json, bool shell, char **words)
{
	char *shells[] = { getenv("SHELL") ?: "/bin/sh", NULL };
	const char *side = *words ? *words++ : "server";
	bool client = !strcmp(side, "client");

	if (*words && !strcmp(*words, "--"))
		words++;
	if ((!client && strcmp(side, "server")) || !*words != shell)
		return xfn_output__fail(
			"lab", json, XFN_EXIT_USAGE, "%s: take %s", shell ? "shell" : "exec",
			shell ? "server or client" : "server or client, and a command");
	if (enter(lab, client ? lab->client : lab->server))
		return XFN_EXIT_FAILED;
	setenv("XFN_LAB", lab->name, 1);
	words = shell ? shells : words;
	execvp(words[0], words);
	fprintf(stderr, "xfn lab: cannot run %s: %s\n", words[0], strerror(errno));
	return 127;
}

static int run(void *input, struct xfn_words words)
{
	const struct options *opts = input;
	const char *command = words.word[0];
	struct lab lab = { .queues = opts->queues };

	if (!lab_init(&lab, opts->name))
		return xfn_options__bad("lab", opts->json, "--name", opts->name,
					"take 1 to 10 of a-z, 0-9 and _");
	if (!strcmp(command, "up") && words.count == 1)
		return report(&lab, opts->json, "up", lab_up(&lab));
	if (!strcmp(command, "down") && words.count == 1)
		return report(&lab, opts->json, "down", lab_down(&lab));
	if (!strcmp(command, "run") && words.count > 1)
		return lab_run(&lab, words.word + 1);
	if (!strcmp(command, "exec") || !strcmp(command, "shell"))
		return lab_enter(&lab, opts->json, *command == 's', words.word + 1);
	return xfn_output__fail(
		"lab", opts->json, XFN_EXIT_USAGE,
		"'%s': no such command, or not with these words; see `xfn lab --help`", command);
}

XFN_VERB(lab, struct options, options, run, .summary = "two network namespaces to try things in",
	 XFN_WORDS("COMMAND", 1, XFN_ANY_NUMBER, "=up down exec shell run server client",
		   "names no command; see `xfn lab --help`"),
	 .command = true,
	 .doc = "  up                          raise namespaces NAME-server and NAME-client\n"
		"  down                        remove them\n"
		"  exec server|client CMD...   run CMD in one of them\n"
		"  shell [server|client]       a shell in one of them (server)\n"
		"  run CMD...                  up, CMD with XFN_LAB=NAME, down however it ends",
	 .example = "xfn lab up && xfn lab exec server xfn run -i xfns0 echo",
	 .defaults = &(const struct options){ .name = "xfn", .queues = 1 });
