// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn`: the verb table, --help, --version, exit status. Must never do a verb's work. */
#include <signal.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "output.h"
#include "verbs.h"
#include "version.h" /* the build writes it */

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} verbs[] = {
	{ "build", verb_build, "make a module of a function's source, and say its tier" },
	{ "explain", verb_explain, "why a module has the tier it has" },
	{ "new", verb_new, "write a function to start from, with its cases" },
	{ "test", verb_test, "run a function's cases on both targets" },
	{ "run", verb_run, "serve functions until interrupted" },
	{ "ls", verb_ls, "list the functions served" },
	{ "stat", verb_stat, "show what was counted" },
	{ "scale", verb_scale, "change the number of workers of a queue, or of a function" },
	{ "release", verb_release, "let a quarantined function run again" },
	{ "invoke", verb_invoke, "ask a function once" },
	{ "bench", verb_bench, "put load on a UDP server, and compare its replies" },
	{ "check", verb_check, "what this host can do, and how to mend the rest" },
	{ "lab", verb_lab, "two network namespaces to try things in" },
};

static const struct verb *verb_find(const char *name)
{
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static void help(FILE *out)
{
	fputs("Usage: xfn VERB [OPTION...] [ARGUMENT...]\n"
	      "Packet functions: small C functions that answer UDP datagrams, in the kernel where they "
	      "may.\n\n",
	      out);
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\n`xfn VERB --help` tells its options. Exit status: 0 done, 1 failed, 2 usage.\n"
	      "Example: xfn run echo@7777, then: xfn invoke 127.0.0.1:7777 hello\n",
	      out);
}

/* What was printed counts only if it was written. */
static int finish(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fputs("xfn: standard output cannot be written; the output is incomplete\n", stderr);
	return status ? status : XFN_EXIT_FAILED;
}

/*
 * Where standard input, output or errors are closed, the next file that is opened would take their
 * number, and be written what is meant for a person. Reading finds an end, writing fails.
 */
static void fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY); /* not CLOEXEC: children want them as well */
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	char option[] = "--help", *words[] = { NULL, option, NULL };
	const struct verb *verb;
	const char *name = argc > 1 ? argv[1] : "";

	fill_standard();
	if (!strcmp(name, "-h") || !strcmp(name, "--help") ||
	    (!strcmp(name, "help") && argc == 2)) {
		help(stdout);
		return finish(0);
	}
	if (!strcmp(name, "-V") || !strcmp(name, "--version")) {
		puts("xfn " XFN_VERSION);
		return finish(0);
	}
	if (!*name) {
		help(stderr);
		return XFN_EXIT_USAGE;
	}
	/* `xfn help VERB`, `xfn VERB -h` */
	words[0] = !strcmp(name, "help") ? argv[2] : argv[1];
	verb = verb_find(words[0]);
	if (!verb) {
		fprintf(stderr, "xfn: unknown verb '%.60s'; see `xfn --help`\n", words[0]);
		return XFN_EXIT_USAGE;
	}
	/* a limit of file sizes is an error that has a message; what runs in a lab has its own way
	 */
	if (strcmp(verb->name, "lab"))
		signal(SIGXFSZ, SIG_IGN);
	if (words[0] != argv[1] || (argc == 3 && !strcmp(argv[2], "-h")))
		return finish(verb->run(2, words));
	return finish(verb->run(argc - 1, argv + 1));
}
