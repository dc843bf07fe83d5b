// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The libraries that a source names by XFN_LINK, and the words of a compiler that they ask for. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "classify.h"
#include "classify_links.h"
#include "../process/command.h"
#include "source_text.h"

void xfn_arguments__add(struct xfn_arguments *a, const char *arg)
{
	if (a->count < XFN_ARGUMENTS_MAX - 1)
		a->argv[a->count++] = (char *)arg;
}

void xfn_arguments__add_path(struct xfn_arguments *a, const char *flag, const char *dir,
			     const char *rest)
{
	char *arg;

	if (a->owned_count == XFN_ARGUMENTS_MAX || asprintf(&arg, "%s%s/%s", flag, dir, rest) < 0)
		return;
	a->owned[a->owned_count++] = arg;
	xfn_arguments__add(a, arg);
}

void xfn_arguments__free(struct xfn_arguments *a)
{
	for (unsigned i = 0; i < a->owned_count; i++)
		free(a->owned[i]);
}

static const char name_bytes[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+_-";

/*
 * "NAME", or "NAME >= VERSION" with any of pkg-config's comparisons: never an option or a path,
 * either of which would make pkg-config read a file that the source brings, and pass its flags on.
 */
static bool names_library(const char *requirement)
{
	static const char *const comparisons[] = { "=", "!=", "<", ">", "<=", ">=" };
	size_t len = strspn(requirement, name_bytes), op;

	/* NAME.pc is a file's, in whichever folder this is */
	if (!isalnum((unsigned char)*requirement) ||
	    (len > 3 && !strncmp(requirement + len - 3, ".pc", 3)))
		return false;
	if (requirement[len] != ' ')
		return !requirement[len];
	requirement += len + strspn(requirement + len, " ");
	op = strcspn(requirement, " ");
	for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++)
		if (strlen(comparisons[i]) == op && !strncmp(requirement, comparisons[i], op)) {
			requirement += op + strspn(requirement + op, " ");
			len = strspn(requirement, name_bytes);
			return isalnum((unsigned char)*requirement) && !requirement[len];
		}
	return false;
}

/* Flags of one XFN_LINK requirement. 0; 1: it is not there; -errno with err. */
static int link_flags(const char *requirement, struct xfn_arguments *a, char **why,
		      struct xfn_error *err)
{
	char *const argv[] = { (char *)"pkg-config",
			       (char *)"--cflags",
			       (char *)"--libs",
			       (char *)"--print-errors",
			       (char *)"--",
			       (char *)requirement,
			       NULL };
	char *said, *save = NULL;
	int ret = xfn_command__run(argv, &said);

	if (ret) {
		*why = said;
		return ret == -ENOENT ? 1 : xfn_command__fault(argv[0], ret, said, err) ?: 1;
	}
	for (char *word = strtok_r(said, " \t\n", &save); word;
	     word = strtok_r(NULL, " \t\n", &save))
		xfn_arguments__add(a, word);
	if (a->owned_count < XFN_ARGUMENTS_MAX)
		a->owned[a->owned_count++] = said;
	return 0;
}

/* One XFN_LINK("..."), whose text begins at `begin` behind its quote. 0, or -errno with err. */
static int one_link(const char *source, const char *begin, uint32_t line, struct xfn_verdict *v,
		    struct xfn_arguments *a, struct xfn_error *err)
{
	char requirement[200], said[300], *why = NULL;
	int ret;

	snprintf(requirement, sizeof(requirement), "%.*s", (int)strcspn(begin, "\"\n"), begin);
	if (!names_library(requirement)) {
		snprintf(said, sizeof(said),
			 "has XFN_LINK(\"%s\"), and only names of libraries stand there: "
			 "\"NAME\" or \"NAME >= VERSION\"",
			 requirement);
		xfn_refusal__set(&v->refusal, XFN_RULE_missing_library, said, source, line);
		return 0;
	}
	ret = link_flags(requirement, a, &why, err);
	if (ret > 0) {
		snprintf(said, sizeof(said), "wants the library %s, which %s", requirement,
			 why ? "is not installed here" :
			       "only pkg-config finds, and that is not installed here");
		xfn_refusal__set(&v->refusal, XFN_RULE_missing_library, said, source, line);
		v->log = why;
		return 0;
	}
	free(why);
	return ret;
}

int xfn_classify__links(const char *source, struct xfn_verdict *v, struct xfn_arguments *a,
			struct xfn_error *err)
{
	static const char word[] = "XFN_LINK", blanks[] = " \t\r\n";
	char *text = xfn_source_text(source, true);
	const char *at = text;
	int ret = 0;

	while (!ret && at && !v->refusal.rule[0] && (at = xfn_source_text__word(text, at, word))) {
		const char *begin = at + strlen(word);

		begin += strspn(begin, blanks);
		begin += *begin == '(';
		begin += strspn(begin, blanks);
		if (*begin == '"')
			ret = one_link(source, begin + 1, xfn_source_text__line(text, at), v, a,
				       err);
		at = begin;
	}
	free(text);
	return ret;
}
