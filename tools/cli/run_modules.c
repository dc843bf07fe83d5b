// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The modules of `xfn run`: found, built where they are sources, removed again. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "../../skel/error.h"
#include "../../skel/regular_file.h"
#include "../../userspace/host/limits.h"
#include "../compiler/classify.h"
#include "../compiler/offload.h"
#include "options.h"
#include "output.h"
#include "../process/paths.h"
#include "../process/private_folder.h"
#include "run_inside.h"
#include "../arguments/spec.h"

/* As xfn_spec__parse; says what is wrong. Exit status. */
static int take_spec(struct run *run, char *spec, struct xfn_run_module *mod)
{
	struct xfn_spec got;
	const char *wrong;
	char whole[128];

	snprintf(whole, sizeof(whole), "%s", spec);
	wrong = xfn_spec__parse(spec, &got);
	if (wrong)
		return xfn_options__bad("run", run->opts.json, "module", whole, "%s", wrong);
	*mod = (struct xfn_run_module){ .path = got.path, .addr = got.addr, .port = got.port };
	return 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && !strcmp(text + n - m, end);
}

/* The private folder, made when it is first wanted. Exit status. */
static int make_folder(struct run *run)
{
	struct xfn_error err = { 0 };

	if (*run->folder || !xfn_private_folder__make(run->folder, sizeof(run->folder), &err))
		return 0;
	return xfn_output__fail("run", run->opts.json, XFN_EXIT_FAILED, "%s", err.line);
}

/* Build a source into the private folder. Exit status; on success mod->path is the module. */
static int build(struct run *run, struct xfn_run_module *mod)
{
	struct xfn_build_options how = { .source = mod->path };
	const char *name = strrchr(mod->path, '/');
	char *out;
	struct xfn_error err = { 0 };
	int status = make_folder(run);

	if (status)
		return status;
	name = name ? name + 1 : mod->path;
	if (asprintf(&out, "%s/%zu-%.*s.xfn", run->folder, (size_t)(mod - run->modules),
		     (int)strlen(name) - 2, name) < 0)
		return XFN_EXIT_FAILED;
	how.out = out;
	mod->path = out;
	if (xfn_build_module(&how, &err))
		return xfn_output__fail("run", run->opts.json, XFN_EXIT_FAILED, "%s", err.line);
	return 0;
}

static char *copy(const char *text)
{
	char *p = strdup(text);

	if (!p) {
		fputs("xfn run: no memory; free some\n", stderr);
		exit(XFN_EXIT_FAILED);
	}
	return p;
}

/* No module named: all shipped ones, as if they had been given. */
static int take_shipped(struct run *run)
{
	char dir[PATH_MAX - 16], pattern[PATH_MAX];
	glob_t found = {};

	xfn_paths__modules(dir, sizeof(dir));
	snprintf(pattern, sizeof(pattern), "%s/*.xfn", dir);
	if (!*dir || glob(pattern, 0, NULL, &found) || !found.gl_pathc)
		return xfn_output__fail(
			"run", run->opts.json, XFN_EXIT_USAGE,
			"no module named, and none beside the program; name one: xfn run F.xfn");
	run->modules = calloc(found.gl_pathc, sizeof(*run->modules));
	for (size_t i = 0; run->modules && i < found.gl_pathc; i++)
		run->modules[i] =
			(struct xfn_run_module){ .path = copy(found.gl_pathv[i]), .addr = "" };
	run->opts.module_count = (unsigned)found.gl_pathc;
	globfree(&found);
	return run->modules ? 0 : XFN_EXIT_FAILED;
}

/* Exit status. */
static int no_module(const struct run *run, const char *path)
{
	const char *kind;
	struct stat st;

	kind = stat(path, &st) ? NULL : xfn_regular_file__other_kind(st.st_mode);
	return xfn_output__fail("run", run->opts.json, XFN_EXIT_FAILED,
				"%s: %s%s%s; name F.xfn or a source F.c", path,
				kind ? "is " : "no such module", kind ?: "",
				kind ? ", not a regular file" : "");
}

/* The modules named. A bare name that is no file here means the shipped module. */
int xfn_run__modules(struct run *run)
{
	char dir[PATH_MAX - 64], path[PATH_MAX];
	int status = 0;

	if (!run->specs)
		return take_shipped(run);
	xfn_paths__modules(dir, sizeof(dir));
	run->modules = calloc(run->specs, sizeof(*run->modules));
	if (!run->modules)
		return XFN_EXIT_FAILED;
	run->opts.module_count = run->specs;
	for (unsigned i = 0; !status && i < run->specs; i++) {
		struct xfn_run_module *mod = &run->modules[i];

		status = take_spec(run, run->spec[i], mod);
		if (status || xfn_spec__is_file(mod->path))
			continue;
		snprintf(path, sizeof(path), "%s/%.*s.xfn", dir, XFN_NAME_MAX, mod->path);
		if (strchr(mod->path, '/') || strlen(mod->path) > XFN_NAME_MAX ||
		    !xfn_spec__is_file(path))
			return no_module(run, mod->path);
		mod->path = copy(path);
	}
	return status;
}

/* Build the sources among the modules. */
int xfn_run__sources(struct run *run)
{
	int status = 0;

	for (unsigned i = 0; !status && !xfn_run_interrupted && i < run->opts.module_count; i++)
		if (ends_with(run->modules[i].path, ".c"))
			status = build(run, &run->modules[i]);
	return xfn_run_interrupted ? XFN_EXIT_FAILED : status;
}

/*
 * Everybody who serves them uses what is read here: a file that is changed later changes nothing,
 * whichever supervisor or worker starts when. A module named twice is two, each with its own data.
 */
int xfn_run__open(struct run *run)
{
	struct xfn_error err = { 0 };

	xfn_limits__raise(); /* each is one */
	for (unsigned i = 0; i < run->opts.module_count; i++) {
		struct xfn_run_module *mod = &run->modules[i];

		mod->mod = xfn_module__open(mod->path, &err);
		if (!mod->mod)
			return xfn_output__fail("run", run->opts.json, XFN_EXIT_FAILED, "%s",
						err.line);
	}
	return 0;
}

/* What the card is to take. Exit status. */
int xfn_run__offload_device(struct run *run)
{
	int status = run->opts.mode == XFN_MODE_OFFLOAD ? make_folder(run) : 0, ret;
	struct xfn_error err = { 0 };

	if (status || run->opts.mode != XFN_MODE_OFFLOAD)
		return status;
	snprintf(run->card, sizeof(run->card), "%s/card.o", run->folder);
	ret = xfn_offload__choose(&run->opts, run->modules, run->object, run->card, &err);
	if (ret)
		return xfn_output__fail("run", run->opts.json,
					ret == -EINVAL ? XFN_EXIT_USAGE : XFN_EXIT_FAILED, "%s",
					err.line);
	return xfn_run_interrupted ? XFN_EXIT_FAILED : 0;
}

void xfn_run__remove(struct run *run)
{
	for (unsigned i = 0; run->modules && i < run->opts.module_count; i++)
		xfn_module__close(run->modules[i].mod);
	xfn_private_folder__remove(run->folder);
}
