// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the compiler of functions is asked before it compiles one. Must never compile one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../skel/error.h"
#include "compiler.h"

static const char *zeroes = XFN_FLAGS_ZEROES;

const char *xfn_compiler__zeroes(void)
{
	return zeroes;
}

int xfn_compiler__fault(int ret, const char *said, struct xfn_error *err)
{
	int fault = xfn_command__fault(xfn_command__clang(), ret, said, err);
	size_t len = strlen(err->line);

	if (fault && ret > 128)
		snprintf(err->line + len, sizeof(err->line) - len,
			 ", or name another clang by XFN_CLANG");
	return fault;
}

int xfn_compiler__no_tree(int ret, const char *said, struct xfn_error *err)
{
	int fault = xfn_compiler__fault(ret, said, err);

	if (!fault && ret) {
		xfn_error__set(
			err,
			"%s shows no syntax tree (-ast-dump), so nothing is judged; name another "
			"clang by XFN_CLANG",
			xfn_command__clang());
		fault = -EINVAL;
	}
	return fault;
}

/* Does the compiler take the flags? Nothing is compiled. Exit status, or -errno. */
static int takes(const char *flag, char **said)
{
	char *const argv[] = { (char *)xfn_command__clang(),
			       XFN_FLAGS_ZEROES,
			       (char *)flag,
			       "-Werror",
			       "-fsyntax-only",
			       "-x",
			       "c",
			       "/dev/null",
			       NULL };

	return xfn_command__run(argv, said);
}

static int probe_zeroes(struct xfn_error *err)
{
	const char *const tries[] = { XFN_FLAGS_ZEROES, XFN_FLAGS_ZEROES_TWICE };

	for (unsigned i = 0; i < 2; i++) {
		char *said;
		int ret = takes(tries[i], &said), fault;

		fault = xfn_compiler__fault(ret, said, err);
		free(said);
		if (fault)
			return fault;
		if (!ret) {
			zeroes = tries[i];
			return 0;
		}
	}
	return xfn_fail(err, -EINVAL,
			"%s cannot set variables to zero (" XFN_FLAGS_ZEROES
			"); name clang 14 or later by XFN_CLANG",
			xfn_command__clang());
}

int xfn_compiler__probe(char *version, size_t len, struct xfn_error *err)
{
	char *const argv[] = { (char *)xfn_command__clang(), (char *)"--version", NULL };
	char *said;
	int ret = xfn_command__run(argv, &said), fault;

	fault = ret == -ENOENT || ret == -EACCES ? 0 : xfn_compiler__fault(ret, said, err);
	if (fault) {
		free(said);
		return fault;
	}
	if (ret) {
		xfn_error__set(
			err,
			"%s does not run (%s); install its package, or name another by XFN_CLANG",
			argv[0], ret < 0 ? strerror(-ret) : "it fails");
		free(said);
		return -ENOENT;
	}
	snprintf(version, len, "%.*s", (int)strcspn(said, "\n"), said);
	free(said);
	return probe_zeroes(err);
}
