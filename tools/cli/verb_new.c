// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn new`: a function to start from, with its cases. Must never overwrite anything. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "../../userspace/control/control.h"
#include <unistd.h>
#include "../../functions/xfn.h"
#include "options.h"
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
	const char *folder;
	bool json;
};

static const struct xfn_option options[] = {
	XFN_OPTION("output", 'o', "DIR", XFN_TO_TEXT(struct options, folder),
		   "The folder to write into (default: this one)", .completes = "/"),
	XFN_OPTION_JSON(struct options, json),
	{}
};

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

static int new (void *input, struct xfn_words words)
{
	const struct options *opts = input;
	const char *name = words.word[0];
	char source[PATH_MAX], cases[PATH_MAX];
	const char *slash;
	int ret;

	if (!name_ok(name))
		return xfn_output__fail("new", opts->json, XFN_EXIT_USAGE,
					"'%.60s': no name of a function; take a-z, then up to 14 "
					"of a-z, 0-9 and _",
					name);
	slash = opts->folder ? "/" : "";
	snprintf(source, sizeof(source), "%s%s%s.c", opts->folder ?: "", slash, name);
	snprintf(cases, sizeof(cases), "%s%s%s.cases", opts->folder ?: "", slash, name);
	/* before anything is written: cases without their source help nobody */
	if (!access(cases, F_OK))
		return fail(opts, cases, -EEXIST);
	ret = write_file(source, xfn_new_source, name);
	if (ret)
		return fail(opts, source, ret);
	ret = write_file(cases, xfn_new_cases, name);
	if (ret) {
		unlink(source);
		return fail(opts, cases, ret);
	}
	if (opts->json)
		return xfn_output__json(json_pack("{s:s, s:o, s:o}", "name", name, "source",
						  xfn_control__text(source), "cases",
						  xfn_control__text(cases)));
	printf("%s and %s are written. Next:\n"
	       "  xfn build %s        # a module, %s.xfn, and its tier\n"
	       "  xfn test %s         # its cases, on both targets\n"
	       "  xfn build --watch %s\n"
	       "  xfn run %s          # serves it on port 4000 of loopback; then\n"
	       "  xfn invoke -x '01 01 0007 68656c6c6f' 127.0.0.1:4000\n",
	       source, cases, source, name, source, source, source);
	return 0;
}

XFN_VERB(new, struct options, options, new,
	 .summary = "write a function to start from, with its cases",
	 XFN_WORDS("NAME", 1, 1, NULL, "names no function; give NAME"),
	 .doc = "Write NAME.c, a function that builds and answers, and NAME.cases, what it is "
		"asked and answers. Nothing is overwritten.",
	 .example = "xfn new hello && xfn build hello.c && xfn test hello.c");
