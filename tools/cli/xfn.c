// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn`: the verb table, --help, --version, exit status. Must never do a verb's work. */
#include <signal.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "options.h"
#include "output.h"
#include "version.h" /* the build writes it */

#define VERB(name) extern const struct xfn_verb xfn_verb_##name;
#include "verbs.h"
#undef VERB

static const struct xfn_verb *const verbs[] = {
#define VERB(name) &xfn_verb_##name,
#include "verbs.h"
#undef VERB
};

static const struct xfn_verb *verb_find(const char *name)
{
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}

static void help(FILE *out)
{
	fputs("Usage: xfn VERB [OPTION...] [ARGUMENT...]\n"
	      "Packet functions: small C functions that answer UDP datagrams, in the kernel where they "
	      "may.\n\n",
	      out);
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(out, "  %-8s %s\n", verbs[i]->name, verbs[i]->summary);
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
	const struct xfn_verb *verb;
	const char *name = argc > 1 ? argv[1] : "";
	bool table = argc == 4 && !strcmp(name, "help") && !strcmp(argv[2], "--options");

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
	words[0] = argv[strcmp(name, "help") ? 1 : table ? 3 : 2];
	verb = verb_find(words[0]);
	if (!verb) {
		fprintf(stderr, "xfn: unknown verb '%.60s'; see `xfn --help`\n", words[0]);
		return XFN_EXIT_USAGE;
	}
	/* a limit of file sizes is an error that has a message; what runs in a lab has its own way
	 */
	if (strcmp(verb->name, "lab"))
		signal(SIGXFSZ, SIG_IGN);
	if (table) { /* for completion: `xfn help --options VERB` */
		xfn_options__print(verb, stdout);
		return finish(0);
	}
	if (words[0] != argv[1] || (argc == 3 && !strcmp(argv[2], "-h")))
		return finish(xfn_verb__run(verb, 2, words));
	return finish(xfn_verb__run(verb, argc - 1, argv + 1));
}
