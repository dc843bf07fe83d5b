// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a source includes, before a compiler opens it: a FIFO is named with its line, and what an
 * assembler brings in (.incbin) no list of the compiler's names. Only what stands there as text is
 * found; what a macro names is noticed when the compiler waits for it (process/waiting.h). Must
 * never judge what is in a header.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "../../skel/regular_file.h"
#include "../process/output_file.h"
#include "source_text.h"

#define FILES_MAX 128 /* headers of one source that are looked at */

struct scan {
	const char *out; /* NULL, or a file to be written: it must be none of those brought in */
	char *paths[FILES_MAX];
	unsigned count;
};

static bool known(const struct scan *scan, const char *path)
{
	for (unsigned i = 0; i < scan->count; i++)
		if (!strcmp(scan->paths[i], path))
			return true;
	return false;
}

/* The name in a line of the kinds #include "NAME", #include <NAME> and #embed; false: none. */
static bool included(const char *line, char name[256])
{
	char word[16];

	line += strspn(line, " \t");
	if (*line != '#')
		return false;
	return sscanf(line, "# %15[a-z_] \"%255[^\"\n]\"", word, name) == 2 ||
			       sscanf(line, "# %15[a-z_] <%255[^>\n]>", word, name) == 2 ?
		       !strncmp(word, "include", 7) || !strcmp(word, "import") ||
			       !strcmp(word, "embed") :
		       false;
}

/* The name in a line with .incbin "NAME", with its quotes escaped or not; false: none. */
static bool brought_in(const char *line, char name[256])
{
	static const char word[] = ".incbin";
	const char *end = line + strcspn(line, "\n"),
		   *at = memmem(line, (size_t)(end - line), word, sizeof(word) - 1);

	if (!at)
		return false;
	at += sizeof(word) - 1;
	at += strspn(at, " \t\\");
	if (*at != '"')
		return false;
	snprintf(name, 256, "%.*s", (int)strcspn(at + 1, "\"\\\n"), at + 1);
	return *name;
}

/* A file that the compiler would open. The assembler's lie where the caller is. */
static int look_at(const struct scan *scan, const char *path, uint32_t number, const char *name,
		   const char *file, struct xfn_error *err)
{
	struct stat st;
	const char *kind = stat(file, &st) ? NULL : xfn_regular_file__other_kind(st.st_mode);

	if (kind)
		xfn_error__set(
			err,
			"%.200s: line %u includes %.120s, which is %s, not a regular file; include "
			"a regular one",
			path, number, name, kind);
	else if (scan->out && xfn_output_file__same(file, scan->out))
		xfn_error__set(err, XFN_OUTPUT_IS_INPUT, scan->out, name);
	else
		return 0;
	return -EINVAL;
}

/* The headers of `path` that lie beside it, or are named whole, behind the others of the scan. */
static int scan_file(struct scan *scan, const char *path, struct xfn_error *err)
{
	const char *slash = strrchr(path, '/');
	char *text = xfn_source_text(path, true), name[256], header[PATH_MAX];
	uint32_t number = 1;
	int ret = 0;

	for (const char *line = text; !ret && line; number++) {
		if (included(line, name)) {
			bool whole = *name == '/';

			snprintf(header, sizeof(header), "%.*s%s",
				 slash && !whole ? (int)(slash - path) + 1 : 0, path, name);
			/* others (xfn.h) are found elsewhere, or the compiler says that they are
			 * not */
			ret = look_at(scan, path, number, name, header, err);
			if (!ret && !access(header, F_OK) && !known(scan, header) &&
			    scan->count < FILES_MAX) {
				scan->paths[scan->count] = strdup(header);
				if (scan->paths[scan->count])
					scan->count++;
			}
		} else if (brought_in(line, name)) {
			ret = look_at(scan, path, number, name, name, err);
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	free(text);
	return ret;
}

int xfn_source__includes(const char *source, const char *out, struct xfn_error *err)
{
	struct scan scan = { .out = out };
	int ret = scan_file(&scan, source, err);

	for (unsigned i = 0; !ret && i < scan.count; i++)
		ret = scan_file(&scan, scan.paths[i], err);
	for (unsigned i = 0; i < scan.count; i++)
		free(scan.paths[i]);
	return ret;
}
