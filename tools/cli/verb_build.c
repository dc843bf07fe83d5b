// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `xfn build`, `xfn explain`: print what the classifier found. Must never judge of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../skel/error.h"
#include "../../skel/loader.h"
#include "../compiler/classify.h"
#include "explain.h"
#include "options.h"
#include "../arguments/spec.h"
#include "output.h"
#include "verb_build_object.h"
#include "../../userspace/control/control.h"
#include "../compiler/watch.h"

struct options {
	const char *verb;
	const char *out;
	bool json, watch;
	bool offload;	  /* explain: what a card would say */
	const char *rule; /* --rule, "" without a name: the arguments are rules */
	double budget_us;
	int verbose;
	struct xfn_object_options object;
};

#define SHARED_OPTIONS                                                                             \
	XFN_OPTION("budget", 'b', "US", XFN_TO_REAL(struct options, budget_us, 0, 1000000),        \
		   "Microseconds of a CPU that a request may take in the kernel; beyond it the "   \
		   "function runs in a worker (default: 5; 0: no bound)",                          \
		   .unit = "microseconds"),                                                        \
		XFN_OPTION_JSON(struct options, json),                                             \
		XFN_OPTION("verbose", 'v', NULL, XFN_TO_COUNT(struct options, verbose),            \
			   "Twice: print the compiler's or verifier's own words")

/* What only an object of its own has. */
#define OF_OBJECT .needs = "standalone offload"

static const struct xfn_option build_options[] = {
	XFN_OPTION("output", 'o', "FILE", XFN_TO_TEXT(struct options, out),
		   "The module or object to write (default: NAME.xfn or NAME.o here)",
		   .completes = ".xfn .o"),
	XFN_OPTION("watch", 'w', NULL, XFN_TO_FLAG(struct options, watch),
		   "Build again whenever a source, or a header of its own, is saved, until Ctrl-C",
		   .excludes = "standalone offload"),
	SHARED_OPTIONS,
	XFN_OPTIONS_HEADING("Objects for other loaders:"),
	XFN_OPTION(
		"standalone", 0, NULL,
		XFN_TO_VALUE(struct options, object.flavour, XFN_FLAVOUR_STANDALONE),
		"Make no module but one object with one XDP program of all functions given, "
		"complete in itself: `ip link set dev IFACE xdp obj OUT.o sec xdp` and `xdp-loader "
		"load IFACE OUT.o` attach it. A source may be F.c@PORT or F.c@ADDR:PORT",
		.excludes = "offload", .needed = "an object of its own; add --standalone"),
	XFN_OPTION(
		"offload", 0, NULL,
		XFN_TO_VALUE(struct options, object.flavour, XFN_FLAVOUR_OFFLOAD),
		"The same for a NIC that runs programs: `ip link set dev IFACE xdpoffload obj OUT.o "
		"sec xdp`"),
	XFN_OPTION("address", 0, "ADDR",
		   XFN_TO_ADDRESSES(struct options, object.address, object.addresses),
		   "Answer what is sent to this address, in any VLAN; may be repeated (default: to "
		   "any unicast address, also where this host would forward it)",
		   OF_OBJECT, .unfit = xfn_spec__not_served),
	XFN_OPTION("mac", 0, "MAC", XFN_TO_TEXT(struct options, object.mac),
		   "The interface's Ethernet address: what is sent to another is left to the host "
		   "(default: to any unicast one, as a promiscuous interface hands them out)",
		   OF_OBJECT, .unfit = xfn_object__not_mac),
	XFN_OPTION("port", 0, "PORT", XFN_TO_NUMBER(struct options, object.port, 1, 65535),
		   "The port of the one function (default: its own)", OF_OBJECT),
	XFN_OPTION("mtu", 0, "N",
		   XFN_TO_NUMBER(struct options, object.mtu, XFN_OBJECT_MTU_MIN, XFN_MTU_LINEAR),
		   "MTU of the interface: longer requests are left to the host, no reply is longer "
		   "(default: 1500)",
		   OF_OBJECT),
	XFN_OPTION(
		"rate", 0, "N", XFN_TO_NUMBER(struct options, object.rate, 1, 100000000),
		"Answer at most N requests per second to a source prefix (/24, /48), and N/10 at "
		"once, 16 at least; not on a NIC",
		OF_OBJECT),
	XFN_OPTION("trust-checksum", 0, NULL, XFN_TO_FLAG(struct options, object.trust_checksum),
		   "Do not verify the checksum of requests", OF_OBJECT),
	XFN_OPTION(
		"local-peer", 0, NULL, XFN_TO_FLAG(struct options, object.local_peer),
		"The link's other end is this host's (veth, virtio) and the object runs in native "
		"mode: half a checksum, as a local stack leaves it, counts as right. Without it such "
		"requests are left to the host; in generic mode they should be: a burst sent with "
		"UDP_SEGMENT looks the same",
		OF_OBJECT),
	XFN_OPTION("tai-offset", 0, "SECONDS", XFN_TO_INTEGER(struct options, object.tai, 0, 1000),
		   "CLOCK_TAI less UTC where the object will run, for functions that tell the time "
		   "(default: this host's now)",
		   OF_OBJECT, .unit = "seconds"),
	XFN_OPTION("allow-amplify", 0, "NAME",
		   XFN_TO_TEXTS(struct options, object.allowed, object.alloweds),
		   "Let this function answer with more than 10 times its request; may be repeated",
		   OF_OBJECT, .completes = "shipped"),
	{}
};

static const struct xfn_option explain_options[] = {
	XFN_OPTION("rule", 'r', "ID", XFN_TO_TEXT(struct options, rule),
		   "Print the page of this rule: what it means, and the remedy; alone, all rules",
		   .optional = true, .completes = "rule"),
	XFN_OPTION(
		"offload", 0, NULL, XFN_TO_FLAG(struct options, offload),
		"Say whether a network card could take the function of a source, and what stands "
		"in the way"),
	SHARED_OPTIONS,
	{}
};

/* One judgement as JSON, the same for a source and for a module. */
static json_t *as_json(const struct xfn_module_meta *meta, const struct xfn_attributes *attr,
		       bool failed)
{
	return json_pack("{s:o, s:i, s:s?, s:o, s:o, s:o, s:o, s:i, s:i, s:i, s:i, s:b, s:o, s:o, "
			 "s:o, s:o}",
			 "name", xfn_control__text(attr->name), "port", (int)attr->port, "tier",
			 failed ? NULL : xfn_tier_name(meta->tier), "reason",
			 xfn_control__text(meta->reason), "rule", xfn_control__text(meta->rule),
			 "remedy", xfn_control__text(meta->remedy), "file",
			 xfn_control__text(meta->file), "line", (int)meta->line, "insns",
			 (int)meta->insns, "verified_insns", (int)meta->verified_insns,
			 "stack_bytes", (int)meta->stack_bytes, "verified", (int)meta->verified,
			 "kernel", xfn_control__text(meta->kernel), "compiler",
			 xfn_control__text(meta->compiler), "cost", xfn_explain__cost_json(meta),
			 "cost_note", xfn_control__text(meta->cost_note));
}

/* What only the judgement of a source knows; a build that failed has an error, as all that fails.
 */
static json_t *verdict_json(const struct xfn_verdict *v, const char *line)
{
	json_t *all = as_json(&v->meta, &v->attr, v->refusal.fatal);

	json_object_set_new(all, "column", json_integer(v->refusal.column));
	json_object_set_new(all, "story", xfn_control__text(v->refusal.story));
	if (v->refusal.fatal)
		json_object_set_new(all, "error", xfn_control__error(line));
	return all;
}

static void print_line(const struct xfn_module_meta *meta, const struct xfn_attributes *attr)
{
	char why[1536];

	printf("%s: tier %s", attr->name, xfn_tier_name(meta->tier));
	if (!meta->rule[0] && meta->tier == XFN_TIER_XDP && meta->verified) {
		printf(", %u instructions, %u verified, %u bytes of stack\n", meta->insns,
		       meta->verified_insns, meta->stack_bytes);
		return;
	}
	if (!meta->rule[0])
		snprintf(why, sizeof(why), ": %s", meta->reason);
	else if (meta->line)
		snprintf(why, sizeof(why), ": %s (%s:%u); %s", meta->reason, meta->file, meta->line,
			 meta->remedy);
	else
		snprintf(why, sizeof(why), ": %s (%s); %s", meta->reason, meta->file, meta->remedy);
	xfn_output__text(stdout, why);
	putchar('\n');
}

static uint32_t budget_ns(const struct options *opts)
{
	return (uint32_t)(opts->budget_us * 1000);
}

/* Judge a source; with `out`, write its module. Exit status. */
static int judge(const struct options *opts, const char *source, const char *out, json_t *all)
{
	struct xfn_verdict *v = calloc(1, sizeof(*v));
	char text[1024], line[1536];
	struct xfn_error err = { 0 };
	int status = 0;

	if (!v)
		return xfn_output__fail_one(all, opts->verb, opts->json, XFN_EXIT_FAILED,
					    "out of memory");
	if (xfn_classify__within(source, budget_ns(opts), v, &err) ||
	    (out && !v->refusal.fatal && xfn_verdict__write(v, out, &err))) {
		status = xfn_output__fail_one(all, opts->verb, opts->json, XFN_EXIT_FAILED, "%s",
					      err.line);
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
	struct xfn_error err = { 0 };
	struct xfn_module *mod = xfn_module__open(path, &err);
	struct xfn_module_meta *meta;
	struct xfn_trial trial = {};

	if (!mod)
		return xfn_output__fail_one(all, opts->verb, opts->json, XFN_EXIT_FAILED, "%s",
					    err.line);
	meta = &mod->meta;
	if (mod->bpf && !xfn_loader__try(mod->bpf, mod->bpf_len, meta->file, &trial, &err) &&
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
static int build_watching(struct options *opts, struct xfn_words files)
{
	struct xfn_error err = { 0 };

	for (unsigned i = 0; i < files.count; i++)
		if (!is_source(files.word[i]))
			return build_one(opts, files.word[i], NULL);
	if (!xfn_watch(files.word, (int)files.count, !opts->json, build_again, opts, &err))
		return 0;
	return xfn_output__fail("build", opts->json, XFN_EXIT_FAILED, "%s", err.line);
}

static int build(void *input, struct xfn_words files)
{
	struct options *opts = input;
	json_t *all;
	int status = 0;

	opts->object.budget_ns = budget_ns(opts);
	if (opts->object.flavour)
		return xfn_build__object(&opts->object, files, opts->out, opts->json,
					 opts->verbose > 1);
	if (opts->out && files.count > 1)
		return xfn_output__fail("build", opts->json, XFN_EXIT_USAGE,
					"-o names one module, but there are %u sources; leave it "
					"out",
					files.count);
	if (opts->watch)
		return build_watching(opts, files);
	all = json_array();
	for (unsigned i = 0; i < files.count; i++)
		status = build_one(opts, files.word[i], all) ?: status;
	xfn_output__all(all);
	return status;
}

XFN_VERB(build, struct options, build_options, build,
	 .summary = "make a module of a function's source, and say its tier",
	 XFN_WORDS("FILE.c...", 1, XFN_ANY_NUMBER, ".c", "no source given; give FILE.c"),
	 .doc = "Make a module of each function's source, and say where it will "
		"run. XFN_CLANG=clang-19 in the environment picks another compiler than "
		"clang.",
	 .example = "xfn build -o /tmp/echo.xfn functions/echo.c\n"
		    "  xfn build --standalone -o both.o functions/echo.c functions/time.c@3700",
	 .defaults = &(const struct options){ .verb = "build",
					      .budget_us = XFN_BUDGET_NS / 1000.0,
					      .object = { .tai = -1, .mtu = XFN_MTU_DEFAULT } });

/* --rule ID, --rule=ID, or both forms with several. */
static int explain_rules(const struct options *opts, struct xfn_words ids, json_t *all)
{
	int status = 0;

	if (*opts->rule || !ids.count)
		status = xfn_explain__rule(*opts->rule ? opts->rule : NULL, opts->json, all);
	for (unsigned i = 0; i < ids.count; i++)
		status = xfn_explain__rule(ids.word[i], opts->json, all) ?: status;
	return status;
}

static int explain(void *input, struct xfn_words files)
{
	const struct options *opts = input;
	json_t *all;
	int status = 0;

	if (!files.count && !opts->rule)
		return xfn_output__fail("explain", opts->json, XFN_EXIT_USAGE,
					"no source given; give FILE.c or MODULE.xfn");
	all = json_array();
	if (opts->rule)
		status = explain_rules(opts, files, all);
	for (unsigned i = 0; i < files.count && !opts->rule; i++)
		if (opts->offload ? xfn_explain__offload(files.word[i], opts->json, all) :
		    is_source(files.word[i]) ? judge(opts, files.word[i], NULL, all) :
					       retell(opts, files.word[i], all))
			status = XFN_EXIT_FAILED;
	xfn_output__all(all);
	return status;
}

XFN_VERB(explain, struct options, explain_options, explain,
	 .summary = "why a module has the tier it has",
	 XFN_WORDS("FILE.c|MODULE.xfn...", 0, XFN_ANY_NUMBER, ".c .xfn", NULL),
	 .doc = "Say in which tier a function runs, why, and what a request costs.",
	 .example = "xfn explain -j functions/sha256.c\n  xfn explain --rule unbounded_loop",
	 .defaults = &(const struct options){ .verb = "explain",
					      .budget_us = XFN_BUDGET_NS / 1000.0 });
