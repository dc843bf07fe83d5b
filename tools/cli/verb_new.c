// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn new`: a function to start from, with its cases. Must never overwrite anything. */
#include "verbs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "../../functions/xfn.h"
#include "output.h"

#define WORD "template" /* stands for the name in the files below */

/* tools/templates/ as they are, so that they can be built and tested there. */
#define EMBED(symbol, path)                                                                        \
	__asm__(".section .rodata\n.global " #symbol "\n" #symbol ":\n.incbin \"" path             \
		"\"\n.byte 0\n.previous\n");                                                       \
	extern const char symbol[]
EMBED(xfn_new_source, "tools/templates/template.c");
EMBED(xfn_new_cases, "tools/templates/template.cases");

struct options {
	const char *name, *folder;
	bool json;
};

static const struct argp_option options[] = { { "output", 'o', "DIR", 0,
						"The folder to write into (default: this one)", 0 },
					      { "json", 'j', NULL, 0, "Print JSON", 0 },
					      {} };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *opts = state->input;

	switch (key) {
	case 'o':
		opts->folder = arg;
		return 0;
	case 'j':
		opts->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (opts->name)
			argp_error(state, "'%s': makes one function", arg);
		opts->name = arg;
		return 0;
	case ARGP_KEY_END:
		if (!opts->name)
			argp_error(state, "names no function; give NAME");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static bool name_ok(const char *name)
{
	size_t len = strlen(name);

	return len && len <= XFN_NAME_MAX && *name >= 'a' && *name <= 'z' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

static bool word_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Write `text` with the name in place of WORD into a new file. 0 or -errno; the file is gone then,
 * unless it was there before (-EEXIST). */
static int write_file(const char *path, const char *text, const char *name)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), ret;
	const char *at, *from = text;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		return ret;
	}
	while ((at = strstr(from, WORD))) {
		bool whole = (at == text || !word_byte(at[-1])) && !word_byte(at[strlen(WORD)]);

		fwrite(from, 1, (size_t)(at - from), f);
		fputs(whole ? name : WORD, f);
		from = at + strlen(WORD);
	}
	fputs(from, f);
	ret = ferror(f) ? -EIO : 0;
	if (fclose(f) && !ret)
		ret = -errno;
	if (ret)
		unlink(path);
	return ret;
}

static int fail(const struct options *opts, const char *path, int error)
{
	if (error == -EEXIST)
		return xfn_output__fail("new", opts->json, XFN_EXIT_FAILED,
					"%s: is there already, and stays as it is; take another "
					"name, or -o DIR",
					path);
	return xfn_output__fail("new", opts->json, XFN_EXIT_FAILED,
				"%s: %s; name a folder that can be written with -o", path,
				strerror(-error));
}

int verb_new(int argc, char **argv)
{
	static const struct argp argp = {
		options,
		parse,
		"NAME",
		"Write NAME.c, a function that builds and answers, and NAME.cases, what it is "
		"asked and answers. Nothing is overwritten.\v"
		"Example: xfn new hello && xfn build hello.c && xfn test hello.c",
		NULL,
		NULL,
		NULL
	};
	char source[PATH_MAX], cases[PATH_MAX];
	struct options opts = {};
	const char *slash;
	int ret;

	xfn_output__options(&argp, argc, argv, &opts);
	if (!name_ok(opts.name))
		return xfn_output__fail("new", opts.json, XFN_EXIT_USAGE,
					"'%.60s': no name of a function; take a-z, then up to 14 "
					"of a-z, 0-9 and _",
					opts.name);
	slash = opts.folder ? "/" : "";
	snprintf(source, sizeof(source), "%s%s%s.c", opts.folder ?: "", slash, opts.name);
	snprintf(cases, sizeof(cases), "%s%s%s.cases", opts.folder ?: "", slash, opts.name);
	/* before anything is written: cases without their source help nobody */
	if (!access(cases, F_OK))
		return fail(&opts, cases, -EEXIST);
	ret = write_file(source, xfn_new_source, opts.name);
	if (ret)
		return fail(&opts, source, ret);
	ret = write_file(cases, xfn_new_cases, opts.name);
	if (ret) {
		unlink(source);
		return fail(&opts, cases, ret);
	}
	if (opts.json)
		return xfn_output__json(json_pack("{s:s, s:s, s:s}", "name", opts.name, "source",
						  source, "cases", cases));
	printf("%s and %s are written. Next:\n"
	       "  xfn build %s        # a module, %s.xfn, and its tier\n"
	       "  xfn test %s         # its cases, on both targets\n"
	       "  xfn build --watch %s\n"
	       "  xfn run %s          # serves it on port 4000 of loopback; then\n"
	       "  xfn invoke -x '01 01 0007 68656c6c6f' 127.0.0.1:4000\n",
	       source, cases, source, opts.name, source, source, source);
	return 0;
}
