// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn build`, `xfn explain`: print what the classifier found. Must never judge of its own. */
#include "verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../skel/loader.h"
#include "../compiler/classify.h"
#include "explain.h"
#include "../compiler/offload.h"
#include "output.h"
#include "../compiler/standalone.h"
#include "../../userspace/control/control.h"
#include "../compiler/watch.h"

struct options {
	const char *verb;
	const char *out;
	bool json, watch;
	bool offload; /* explain: what a card would say */
	bool rules;   /* --rule: the arguments are rules */
	const char *rule;
	uint32_t budget_ns;
	int verbose;
	struct xfn_object_options object;
	char **files; /* points into argv */
	int count;
};

enum key {
	KEY_OFFLOAD = 256
};
/* Microseconds, with decimals, to ns. */
static int parse_budget(const char *text, uint32_t *ns)
{
	char *end;
	double us = strtod(text, &end);

	if (end == text || *end || !(us >= 0 && us <= 1e6))
		return -EINVAL;
	*ns = (uint32_t)(us * 1000);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		if (state->child_inputs)
			state->child_inputs[0] = &opts->object;
		return 0;
	case 'o':
		opts->out = arg;
		return 0;
	case 'j':
		opts->json = true;
		return 0;
	case 'w':
		opts->watch = true;
		return 0;
	case 'v':
		opts->verbose++;
		return 0;
	case KEY_OFFLOAD:
		opts->offload = true;
		return 0;
	case 'b':
		if (parse_budget(arg, &opts->budget_ns))
			argp_error(state, "--budget '%s': take microseconds, 0 for none", arg);
		return 0;
	case 'r':
		opts->rules = true;
		opts->rule = arg;
		return 0;
	case ARGP_KEY_ARGS:
		opts->files = state->argv + state->next;
		opts->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		if (opts->rules)
			return 0;
		argp_error(state, "no source given");
		return EINVAL;
	case ARGP_KEY_END:
		if (opts->out && opts->count > 1 && !opts->object.flavour)
			argp_error(state, "-o names one module, but there are %d sources",
				   opts->count);
		if (opts->watch && opts->object.flavour)
			argp_error(state, "--watch builds modules; leave --standalone and "
					  "--offload out");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

#define SHARED_OPTIONS                                                                                 \
	{ "budget",                                                                                    \
	  'b',                                                                                         \
	  "US",                                                                                        \
	  0,                                                                                           \
	  "Microseconds of a CPU that a request may take in the kernel; beyond it the function runs "  \
	  "in a worker (default: 5; 0: no bound)",                                                     \
	  0 },                                                                                         \
		{ "json", 'j', NULL, 0, "Print JSON", 0 },                                             \
		{ "verbose", 'v', NULL, 0, "Twice: print the compiler's or verifier's own words", 0 }, \
	{                                                                                              \
	}

static const struct argp_option build_options[] = {
	{ "output", 'o', "FILE", 0,
	  "The module or object to write (default: NAME.xfn or NAME.o here)", 0 },
	{ "watch", 'w', NULL, 0,
	  "Build again whenever a source, or a header of its own, is saved, until Ctrl-C", 0 },
	SHARED_OPTIONS
};
static const struct argp_option explain_options[] = {
	{ "rule", 'r', "ID", OPTION_ARG_OPTIONAL,
	  "Print the page of this rule: what it means, and the remedy; alone, all rules", 0 },
	{ "offload", KEY_OFFLOAD, NULL, 0,
	  "Say whether a network card could take the function of a source, and what stands in the way",
	  0 },
	SHARED_OPTIONS
};

/* One judgement as JSON, the same for a source and for a module. */
static json_t *as_json(const struct xfn_module_meta *meta, const struct xfn_attributes *attr,
		       bool failed)
{
	return json_pack("{s:s, s:i, s:s?, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:b, s:s, s:s, "
			 "s:o, s:s}",
			 "name", attr->name, "port", (int)attr->port, "tier",
			 failed ? NULL : xfn_tier_name(meta->tier), "reason", meta->reason, "rule",
			 meta->rule, "remedy", meta->remedy, "file", meta->file, "line",
			 (int)meta->line, "insns", (int)meta->insns, "verified_insns",
			 (int)meta->verified_insns, "stack_bytes", (int)meta->stack_bytes,
			 "verified", (int)meta->verified, "kernel", meta->kernel, "compiler",
			 meta->compiler, "cost", xfn_explain__cost_json(meta), "cost_note",
			 meta->cost_note);
}

/* What only the judgement of a source knows; a build that failed has an error, as all that fails.
 */
static json_t *verdict_json(const struct xfn_verdict *v, const char *line)
{
	json_t *all = as_json(&v->meta, &v->attr, v->refusal.fatal);

	json_object_set_new(all, "column", json_integer(v->refusal.column));
	json_object_set_new(all, "story", json_string(v->refusal.story));
	if (v->refusal.fatal)
		json_object_set_new(all, "error", xfn_control__error(line));
	return all;
}

static void print_line(const struct xfn_module_meta *meta, const struct xfn_attributes *attr)
{
	printf("%s: tier %s", attr->name, xfn_tier_name(meta->tier));
	if (!meta->rule[0] && meta->tier == XFN_TIER_XDP && meta->verified)
		printf(", %u instructions, %u verified, %u bytes of stack\n", meta->insns,
		       meta->verified_insns, meta->stack_bytes);
	else if (!meta->rule[0])
		printf(": %s\n", meta->reason);
	else if (meta->line)
		printf(": %s (%s:%u); %s\n", meta->reason, meta->file, meta->line, meta->remedy);
	else
		printf(": %s (%s); %s\n", meta->reason, meta->file, meta->remedy);
}

/* Judge a source; with `out`, write its module. Exit status. */
static int judge(const struct options *opts, const char *source, const char *out, json_t *all)
{
	struct xfn_verdict *v = calloc(1, sizeof(*v));
	char err[XFN_ERR_MAX] = "", text[1024], line[1536];
	int status = 0;

	if (!v)
		return xfn_output__fail_one(all, opts->verb, opts->json, XFN_EXIT_FAILED,
					    "out of memory");
	if (xfn_classify__within(source, opts->budget_ns, v, err, sizeof(err)) ||
	    (out && !v->refusal.fatal && xfn_verdict__write(v, out, err, sizeof(err)))) {
		status = xfn_output__fail_one(all, opts->verb, opts->json, XFN_EXIT_FAILED, "%s",
					      err);
		xfn_verdict__free(v);
		free(v);
		return status;
	}
	if (v->refusal.fatal)
		status = XFN_EXIT_FAILED;
	xfn_verdict__sentence(v, text, sizeof(text));
	if (opts->json) {
		snprintf(line, sizeof(line), "%s: %s", source, text);
		json_array_append_new(all, verdict_json(v, line));
	} else if (v->refusal.fatal) {
		xfn_output__fail(opts->verb, false, XFN_EXIT_FAILED, "%s: %s", source, text);
		xfn_explain__excerpt(stderr, &v->refusal);
	} else {
		print_line(&v->meta, &v->attr);
		xfn_explain__excerpt(stdout, &v->refusal);
		xfn_explain__cost(stdout, &v->meta);
	}
	if (opts->verbose > 1 && v->log)
		fputs(v->log, stderr);
	xfn_verdict__free(v);
	free(v);
	return status;
}

/* A module tells what was stored, and what this kernel says to its kernel half. */
static int retell(const struct options *opts, const char *path, json_t *all)
{
	char err[XFN_ERR_MAX] = "";
	struct xfn_module *mod = xfn_module__open(path, err, sizeof(err));
	struct xfn_module_meta *meta;
	struct xfn_trial trial = {};

	if (!mod)
		return xfn_output__fail_one(all, opts->verb, opts->json, XFN_EXIT_FAILED, "%s",
					    err);
	meta = &mod->meta;
	if (mod->bpf &&
	    !xfn_loader__try(mod->bpf, mod->bpf_len, meta->file, &trial, err, sizeof(err)) &&
	    trial.permitted) {
		meta->verified = 1;
		if (trial.accepted) {
			meta->insns = trial.insns;
			meta->verified_insns = trial.figures.processed;
			meta->stack_bytes = trial.figures.stack_bytes;
			if (!mod->attr.tier || mod->attr.tier == XFN_TIER_XDP)
				snprintf(meta->reason, sizeof(meta->reason),
					 "accepted by the verifier");
		} else {
			meta->tier = XFN_TIER_AFXDP;
			meta->line = trial.refusal.line;
			snprintf(meta->rule, sizeof(meta->rule), "%s", trial.refusal.rule);
			snprintf(meta->reason, sizeof(meta->reason), "%s", trial.refusal.reason);
			snprintf(meta->remedy, sizeof(meta->remedy), "%s", trial.refusal.remedy);
		}
	}
	if (opts->json)
		json_array_append_new(all, as_json(meta, &mod->attr, false));
	else {
		print_line(meta, &mod->attr);
		xfn_explain__cost(stdout, meta);
	}
	if (opts->verbose > 1 && trial.log)
		fputs(trial.log, stderr);
	free(trial.log);
	xfn_module__close(mod);
	return 0;
}

static bool is_source(const char *path)
{
	size_t len = strlen(path);

	return len > 2 && !strcmp(path + len - 2, ".c");
}

static int build_one(const struct options *opts, const char *source, json_t *all)
{
	const char *base = strrchr(source, '/') ? strrchr(source, '/') + 1 : source;
	char out[512];

	if (!is_source(source))
		return xfn_output__fail_one(all, "build", opts->json, XFN_EXIT_USAGE,
					    "%s: no C source (NAME.c); give one", source);
	snprintf(out, sizeof(out), "%.*s.xfn", (int)strlen(base) - 2, base);
	return judge(opts, source, opts->out ?: out, all) ? XFN_EXIT_FAILED : 0;
}

static void build_again(void *ctx, const char *source)
{
	const struct options *opts = ctx;
	json_t *all = json_array();

	build_one(opts, source, all);
	xfn_output__all(all);
}

/* Until Ctrl-C, whatever the builds came to. Exit status. */
static int build_watching(struct options *opts)
{
	char err[XFN_ERR_MAX] = "";

	for (int i = 0; i < opts->count; i++)
		if (!is_source(opts->files[i]))
			return build_one(opts, opts->files[i], NULL);
	if (!xfn_watch(opts->files, opts->count, !opts->json, build_again, opts, err, sizeof(err)))
		return 0;
	return xfn_output__fail("build", opts->json, XFN_EXIT_FAILED, "%s", err);
}

int verb_build(int argc, char **argv)
{
	static const struct argp_child children[] = { { &xfn_object_argp, 0, NULL, 0 }, {} };
	static const struct argp argp = {
		build_options,
		parse,
		"FILE.c...",
		"Make a module of each function's source, and say where it will "
		"run. XFN_CLANG=clang-19 in the environment picks another compiler than "
		"clang.\vExample: xfn build -o /tmp/echo.xfn functions/echo.c\n"
		"  xfn build --standalone -o both.o functions/echo.c functions/time.c@3700",
		children,
		NULL,
		NULL
	};
	struct options opts = { .verb = "build", .budget_ns = XFN_BUDGET_NS };
	json_t *all;
	int status = 0;

	xfn_output__options(&argp, argc, argv, &opts);
	opts.object.budget_ns = opts.budget_ns;
	if (opts.object.flavour)
		return xfn_object__build(&opts.object, opts.files, opts.count, opts.out, opts.json,
					 opts.verbose);
	if (opts.watch)
		return build_watching(&opts);
	all = json_array();
	for (int i = 0; i < opts.count; i++) {
		int one = build_one(&opts, opts.files[i], all);

		status = one ?: status;
	}
	xfn_output__all(all);
	return status;
}

/* --rule ID, --rule=ID, or both forms with several. */
static int explain_rules(const struct options *opts, json_t *all)
{
	int status = 0;

	if (opts->rule || !opts->count)
		status = xfn_explain__rule(opts->rule, opts->json, all);
	for (int i = 0; i < opts->count; i++)
		status = xfn_explain__rule(opts->files[i], opts->json, all) ?: status;
	return status;
}

int verb_explain(int argc, char **argv)
{
	static const struct argp argp = {
		explain_options,
		parse,
		"FILE.c|MODULE.xfn...",
		"Say in which tier a function runs, why, and what a request "
		"costs.\v"
		"Example: xfn explain -j functions/sha256.c\n"
		"  xfn explain --rule unbounded_loop",
		NULL,
		NULL,
		NULL
	};
	struct options opts = { .verb = "explain", .budget_ns = XFN_BUDGET_NS };
	json_t *all = json_array();
	int status = 0;

	xfn_output__options(&argp, argc, argv, &opts);
	if (opts.rules)
		status = explain_rules(&opts, all);
	for (int i = 0; i < opts.count && !opts.rules; i++)
		if (opts.offload	     ? xfn_offload__explain(opts.files[i], opts.json, all) :
		    is_source(opts.files[i]) ? judge(&opts, opts.files[i], NULL, all) :
					       retell(&opts, opts.files[i], all))
			status = XFN_EXIT_FAILED;
	xfn_output__all(all);
	return status;
}
