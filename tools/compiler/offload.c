// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The offload flavour as its user would build it (`xfn build --offload`), and what stands in its
 * way. Must never load anything onto a card.
 */
#include "../../skel/error.h"
#include "offload.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../../skel/loader.h"
#include "classify.h"
#include "../process/command.h"

/*
 * Message and next step of an error that xfn printed with -j; else the first line that was said.
 * The object's own name, which is no one else's business, is left out. -EINVAL; -EIO where it was
 * the host that failed.
 */
static int take_error(const char *said, const char *out, struct xfn_obstacle *no)
{
	const char *at = strchr(said, '{'), *text = NULL;
	json_t *all = at ? json_loads(at, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
	json_t *error = json_object_get(all, "error");
	const char *cause = json_string_value(json_object_get(error, "cause"));
	int ret = error && (!cause || strcmp(cause, "host")) ? -EINVAL : -EIO;
	size_t len = strlen(out);

	if (error) {
		text = json_string_value(json_object_get(error, "message"));
		snprintf(no->remedy, sizeof(no->remedy), "%s",
			 json_string_value(json_object_get(error, "next")) ?: "");
	}
	if (text && !strncmp(text, out, len) && !strncmp(text + len, ": ", 2))
		text += len + 2;
	if (text)
		snprintf(no->what, sizeof(no->what), "%s", text);
	else
		snprintf(no->what, sizeof(no->what), "%.*s", (int)strcspn(said, "\n"), said);
	json_decref(all);
	return ret;
}

int xfn_offload__build(const char *const *options, const char *const *specs, unsigned count,
		       const char *out, struct xfn_obstacle *no)
{
	unsigned n = 0, given = 0;
	struct xfn_error err;
	const char **argv;
	char *said;
	int ret, fault;

	*no = (struct xfn_obstacle){ .kind = "program", .remedy = "leave it to the host" };
	while (options && options[given])
		given++;
	argv = calloc(given + count + 7, sizeof(*argv));
	if (!argv) {
		snprintf(no->what, sizeof(no->what), "cannot be built: out of memory");
		return -EIO;
	}
	argv[n++] = "/proc/self/exe";
	argv[n++] = "build";
	argv[n++] = "--offload";
	argv[n++] = "-j";
	argv[n++] = "-o";
	argv[n++] = out;
	for (unsigned i = 0; i < given; i++)
		argv[n++] = options[i];
	for (unsigned i = 0; i < count; i++)
		argv[n++] = specs[i];
	ret = xfn_command__run((char *const *)argv, &said);
	free(argv);
	fault = xfn_command__fault("xfn", ret, ret == XFN_COMMAND_WAITS ? said : NULL, &err) ?
			-EIO :
			0;
	if (fault)
		snprintf(no->what, sizeof(no->what), "%.*s", (int)sizeof(no->what) - 1, err.line);
	if (ret && !fault)
		fault = take_error(said, out, no);
	free(said);
	return fault;
}

/* The tier that the classifier gave it stands in the way before any card does. */
static bool judge_tier(const struct xfn_verdict *v, struct xfn_obstacles *out)
{
	struct xfn_obstacle *o = &out->list[0];

	if (v->meta.tier == XFN_TIER_XDP)
		return true;
	out->count = 1;
	*o = (struct xfn_obstacle){ .kind = "tier", .line = v->meta.line };
	snprintf(o->what, sizeof(o->what), "runs in tier %s only: %.330s",
		 xfn_tier_name(v->meta.tier), v->meta.reason);
	snprintf(o->remedy, sizeof(o->remedy), "%s",
		 v->meta.remedy[0] ? v->meta.remedy : "leave .tier out");
	return false;
}

int xfn_offload__judge(const char *source, char name[XFN_NAME_MAX + 1], struct xfn_obstacles *out,
		       struct xfn_error *err)
{
	struct xfn_verdict *v = calloc(1, sizeof(*v));
	char object[sizeof(v->folder) + 16], text[1024];
	struct xfn_obstacle no;
	int ret;

	if (!v)
		return xfn_fail(err, -ENOMEM, "out of memory");
	memset(out, 0, sizeof(*out));
	ret = xfn_classify(source, v, err);
	if (!ret && v->refusal.fatal) {
		xfn_verdict__sentence(v, text, sizeof(text));
		xfn_error__set(err, "%s: %s", source, text);
		ret = -EINVAL;
	}
	snprintf(name, XFN_NAME_MAX + 1, "%s", v->attr.name);
	snprintf(object, sizeof(object), "%s/card.o", v->folder);
	if (!ret && judge_tier(v, out)) {
		ret = xfn_offload__build(NULL, &source, 1, object, &no);
		if (ret == -EIO) {
			xfn_error__set(err, "%s", no.what);
		} else if (!ret) {
			ret = xfn_offload__scan(object, source, out, err);
		} else {
			snprintf(object, sizeof(object), "%s/kernel.o", v->folder);
			ret = xfn_offload__scan_globals(object, source, out, err);
			if (!out->count)
				out->list[out->count++] = no;
		}
	}
	xfn_verdict__free(v);
	free(v);
	return ret;
}
