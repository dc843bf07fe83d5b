// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `xfn run`: command line -> struct xfn_run_options, sources built on the way. The supervisor does
 * the rest. Must never touch BPF, sockets or workers.
 */
#include "verbs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../userspace/cpus.h"
#include "../userspace/fleet.h"
#include "classify.h"
#include "offload.h"
#include "output.h"
#include "paths.h"
#include "run_links.h"
#include "spec.h"

#define BIND_MAX    64
#define DEADLINE_MS 1000

enum key {
	KEY_MODE = 256,
	KEY_ATTACH,
	KEY_TIER,
	KEY_ENGINE,
	KEY_ADDRESS,
	KEY_AMPLIFY,
	KEY_BIND,
	KEY_RATE,
	KEY_ROUTE,
	KEY_OFFSET,
	KEY_TRUST,
	KEY_SPIN,
	KEY_SQPOLL,
	KEY_DEADLINE,
	KEY_CPUS,
	KEY_WORKERS,
	KEY_AUTO,
	KEY_DEDICATE,
	KEY_WAIT,
	KEY_OBJECT
};

struct run {
	struct xfn_run_options opts;
	const char *mode, *tier, *offset, *rate, *deadline, *cpus, *workers;
	const char *ifname[XFN_FLEET_MAX];
	unsigned ifnames;
	const char *object; /* for the card, built by hand */
	const char *amplify[BIND_MAX];
	const char *bind[BIND_MAX];
	const char *address[BIND_MAX];
	const char *dedicate[BIND_MAX];
	struct xfn_run_links links;
	char **spec; /* MODULE[@ADDR:PORT], as given */
	unsigned specs;
	struct xfn_run_module *modules;
	char folder[PATH_MAX - 64]; /* of what was built here, "" if nothing was */
	char card[PATH_MAX];	    /* object for the card, where it is made here */
	char worker[PATH_MAX];
};

static const struct argp_option options[] = {
	{ "interface", 'i', "IFACE", 0,
	  "Serve on IFACE; may be repeated, for a supervisor process each (default: UDP sockets of this "
	  "host only)",
	  0 },
	{ "wait", KEY_WAIT, NULL, 0,
	  "Wait for an IFACE that is missing or down (default: an error). One that goes later is always "
	  "waited for, and served again when it is back",
	  0 },
	{ "mode", KEY_MODE, "MODE", 0,
	  "How XDP is attached: auto (default), native, generic or none; offload: on the network card "
	  "what that takes, beside it the host's best",
	  0 },
	{ "object", KEY_OBJECT, "FILE.o", 0,
	  "With --mode offload: what `xfn build --offload` made, with the ports and addresses it was "
	  "built for (default: made here, from the sources)",
	  0 },
	{ "attach", KEY_ATTACH, "link|libxdp", 0,
	  "Attach as the interface's only XDP program (default), or through libxdp, beside programs that "
	  "xdp-loader and the like attached",
	  0 },
	{ "tier", KEY_TIER, "TIER", 0,
	  "Force a tier on every function: auto (default), xdp, afxdp or socket", 0 },
	{ "engine", KEY_ENGINE, "ENGINE", 0,
	  "How workers receive: afxdp, uring, mmsg, simple, or packet, which takes frames of IFACE in "
	  "tier socket and wants CAP_NET_RAW (default: the best that works)",
	  0 },
	{ "address", KEY_ADDRESS, "ADDR", 0,
	  "Serve this destination address only; may be repeated (default: the interface's own, its "
	  "uppers', and anycast ones on lo)",
	  0 },
	{ "bind", KEY_BIND, "ADDR", 0,
	  "Address for UDP sockets; may be repeated (default: the interface's, or 127.0.0.1 and ::1)",
	  0 },
	{ "port-offset", KEY_OFFSET, "N", 0,
	  "Add N to ports below 1024 on UDP sockets (default: 10000, where they may not be bound)",
	  0 },
	{ "rate", KEY_RATE, "N", 0,
	  "Answer at most N requests per second to a source prefix (/24, /48), in each tier", 0 },
	{ "deadline", KEY_DEADLINE, "MS", 0,
	  "End a worker whose function takes longer for one request, as if it had crashed (default: "
	  "1000; 0: never)",
	  0 },
	{ "allow-amplify", KEY_AMPLIFY, "NAME", 0,
	  "Let this function answer with more than 10 times its request; may be repeated", 0 },
	{ "reply-route", KEY_ROUTE, "swap|fib", 0,
	  "Send replies to where the request's frame came from (default), or by the kernel's routes",
	  0 },
	{ "trust-checksum", KEY_TRUST, NULL, 0, "Do not verify the checksum of requests", 0 },
	{ "spin", KEY_SPIN, NULL, 0, "Workers never sleep: lower latency, a whole core each", 0 },
	{ "sqpoll", KEY_SQPOLL, NULL, 0,
	  "Engine uring: a thread of the kernel takes what the worker submits. Costs a CPU of its own "
	  "while there are requests, and is slower where there is none to spare",
	  0 },
	{ "cpus", KEY_CPUS, "LIST", 0,
	  "Bind workers to these CPUs in turn, as 2,4-7, each IFACE's from the next one on (default: each "
	  "of AF_XDP to the one that handles its queue's interrupt)",
	  0 },
	{ "workers-per-queue", KEY_WORKERS, "N[-MAX]", 0,
	  "Begin with N workers of AF_XDP on each queue, and let `xfn scale` make them MAX at most "
	  "(default: 1, and a CPU for each worker of all queues)",
	  0 },
	{ "auto", KEY_AUTO, NULL, 0,
	  "Add workers to a queue and take them away by its load, between these two", 0 },
	{ "dedicate", KEY_DEDICATE, "NAME", 0,
	  "Give this function a worker of its own on each queue, so that it and the others do not "
	  "wait for one another; may be repeated",
	  0 },
	{ "json", 'j', NULL, 0,
	  "Say in JSON what is served: one line per IFACE, when all have started; \"ready\" is false where "
	  "one is waited for",
	  0 },
	{}
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run *run = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &run->links;
		return 0;
	case 'i':
		for (unsigned i = 0; i < run->ifnames; i++)
			if (!strcmp(run->ifname[i], arg))
				argp_error(state, "-i '%s': given twice", arg);
		if (run->ifnames == XFN_FLEET_MAX)
			argp_error(state, "-i '%s': at most %d interfaces", arg, XFN_FLEET_MAX);
		run->ifname[run->ifnames++] = arg;
		run->opts.ifname = run->ifname[0];
		return 0;
	case KEY_WAIT:
		run->opts.wait = true;
		return 0;
	case 'j':
		run->opts.json = true;
		return 0;
	case KEY_MODE:
		run->mode = arg;
		return 0;
	case KEY_OBJECT:
		run->object = arg;
		return 0;
	case KEY_TIER:
		run->tier = arg;
		return 0;
	case KEY_ENGINE:
		run->opts.engine = arg;
		return 0;
	case KEY_ADDRESS:
		if (run->opts.address_count == BIND_MAX)
			argp_error(state, "--address '%s': at most %d addresses", arg, BIND_MAX);
		run->address[run->opts.address_count++] = arg;
		return 0;
	case KEY_ROUTE:
		if (strcmp(arg, "swap") && strcmp(arg, "fib"))
			argp_error(state, "--reply-route '%s': take swap or fib", arg);
		run->opts.route_fib = !strcmp(arg, "fib");
		return 0;
	case KEY_ATTACH:
		if (strcmp(arg, "link") && strcmp(arg, "libxdp"))
			argp_error(state, "--attach '%s': take link or libxdp", arg);
		run->opts.libxdp = !strcmp(arg, "libxdp");
		return 0;
	case KEY_RATE:
		run->rate = arg;
		return 0;
	case KEY_DEADLINE:
		run->deadline = arg;
		return 0;
	case KEY_AMPLIFY:
		if (run->opts.allow_amplify_count == BIND_MAX)
			argp_error(state, "--allow-amplify '%s': at most %d names", arg, BIND_MAX);
		run->amplify[run->opts.allow_amplify_count++] = arg;
		return 0;
	case KEY_BIND:
		if (run->opts.bind_count == BIND_MAX)
			argp_error(state, "--bind '%s': at most %d addresses", arg, BIND_MAX);
		run->bind[run->opts.bind_count++] = arg;
		return 0;
	case KEY_OFFSET:
		run->offset = arg;
		return 0;
	case KEY_TRUST:
		run->opts.trust_checksum = true;
		return 0;
	case KEY_SPIN:
		run->opts.spin = true;
		return 0;
	case KEY_SQPOLL:
		run->opts.sqpoll = true;
		return 0;
	case KEY_CPUS:
		run->cpus = arg;
		return 0;
	case KEY_WORKERS:
		run->workers = arg;
		return 0;
	case KEY_AUTO:
		run->opts.autoscale = true;
		return 0;
	case KEY_DEDICATE:
		if (run->opts.dedicate_count == BIND_MAX)
			argp_error(state, "--dedicate '%s': at most %d names", arg, BIND_MAX);
		run->dedicate[run->opts.dedicate_count++] = arg;
		return 0;
	case ARGP_KEY_ARGS:
		run->spec = state->argv + state->next;
		run->specs = (unsigned)(state->argc - state->next);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int bad(const struct run *run, const char *what, const char *value, const char *next)
{
	return xfn_output__fail("run", run->opts.json, XFN_EXIT_USAGE, "%s '%.100s': %s", what,
				value, next);
}

static int take_cpus(struct run *run)
{
	static uint16_t cpus[XFN_CPUS_MAX];
	char why[160];
	int n = run->cpus ? xfn_cpus__parse(run->cpus, cpus, why, sizeof(why)) : 0;

	if (n < 0)
		return bad(run, "--cpus", run->cpus, why);
	run->opts.cpus = cpus;
	run->opts.cpu_count = (unsigned)n;
	return 0;
}

/* "N" or "N-MAX", 1 to XFN_THREADS each. */
static int take_workers(struct run *run)
{
	struct xfn_run_options *opts = &run->opts;
	unsigned min = 0, max = 0;
	char end;
	int n;

	opts->dedicate = run->dedicate;
	if (opts->autoscale && opts->spin)
		return bad(run, "--auto", "--spin",
			   "a worker that never sleeps looks busy always; leave one of them out");
	if (!run->workers)
		return 0;
	n = sscanf(run->workers, "%u-%u%c", &min, &max, &end);
	if (n == 1)
		max = strchr(run->workers, '-') ? 0 : min;
	if ((n != 1 && n != 2) || !min || max < min || max > XFN_THREADS)
		return bad(run, "--workers-per-queue", run->workers,
			   "take a number from 1 to 8, or two of them as in 1-4");
	opts->workers_min = min;
	opts->workers_max = max;
	return 0;
}

static int take_links(struct run *run)
{
	char err[200];

	if (xfn_run_links__take(&run->links, run->opts.ifname != NULL, err, sizeof(err)))
		return xfn_output__fail("run", run->opts.json, XFN_EXIT_USAGE, "%s", err);
	run->opts.links = run->links.opts;
	return 0;
}

static int take_values(struct run *run)
{
	static const enum xfn_mode modes[] = { XFN_MODE_AUTO, XFN_MODE_NATIVE, XFN_MODE_GENERIC,
					       XFN_MODE_NONE, XFN_MODE_OFFLOAD };
	static const char *const engines[] = { "afxdp", "uring", "mmsg", "simple", "packet" };
	static char addrs[BIND_MAX][INET6_ADDRSTRLEN];
	static char served[BIND_MAX][INET6_ADDRSTRLEN];
	struct xfn_run_options *opts = &run->opts;
	bool known, packet;

	opts->mode = XFN_MODE_AUTO;
	known = !run->mode;
	for (unsigned i = 0; !known && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(run->mode, xfn_mode_name(modes[i]))) {
			opts->mode = modes[i];
			known = true;
		}
	if (!known)
		return bad(run, "--mode", run->mode, "take auto, native, generic, none or offload");
	opts->tier = run->tier ? xfn_tier_parse(run->tier) : XFN_TIER_AUTO;
	if (opts->tier < 0)
		return bad(run, "--tier", run->tier, "take auto, xdp, afxdp or socket");
	known = !opts->engine;
	for (unsigned i = 0; !known && i < sizeof(engines) / sizeof(engines[0]); i++)
		known = !strcmp(opts->engine, engines[i]);
	if (!known)
		return bad(run, "--engine", opts->engine,
			   "take afxdp, uring, mmsg, simple or packet");
	for (unsigned i = 0; i < opts->bind_count; i++)
		if (!xfn_spec__address(&run->bind[i], addrs[i], sizeof(addrs[i])))
			return bad(run, "--bind", run->bind[i],
				   "no IPv4 or IPv6 address; give one");
	for (unsigned i = 0; i < opts->address_count; i++)
		if (!xfn_spec__address(&run->address[i], served[i], sizeof(served[i])))
			return bad(run, "--address", run->address[i],
				   "no IPv4 or IPv6 address; give one");
	opts->bind = opts->bind_count ? run->bind : NULL;
	opts->address = opts->address_count ? run->address : NULL;
	opts->allow_amplify = run->amplify;
	if (run->rate) {
		opts->rate = xfn_spec__number(run->rate, 100000000);
		if (!opts->rate)
			return bad(run, "--rate", run->rate, "take 1 to 100000000");
	}
	opts->deadline = run->deadline ? xfn_spec__number(run->deadline, 3600000) : DEADLINE_MS;
	if ((!opts->deadline && strcmp(run->deadline, "0")) ||
	    (opts->deadline && opts->deadline < 10))
		return bad(run, "--deadline", run->deadline, "take 10 to 3600000, or 0");
	if (run->offset) {
		opts->port_offset = xfn_spec__number(run->offset, 65534);
		if (!opts->port_offset)
			return bad(run, "--port-offset", run->offset, "take 1 to 65534");
	}
	if (opts->sqpoll && opts->engine && strcmp(opts->engine, "uring"))
		return bad(run, "--engine", opts->engine, "--sqpoll wants engine uring");
	if (opts->sqpoll)
		opts->engine = "uring";
	packet = opts->engine && !strcmp(opts->engine, "packet");
	if (packet && opts->tier != XFN_TIER_AUTO && opts->tier != XFN_TIER_SOCKET)
		return bad(run, "--tier", run->tier, "engine packet serves tier socket only");
	if (packet)
		opts->tier = XFN_TIER_SOCKET;
	if (run->object && opts->mode != XFN_MODE_OFFLOAD)
		return bad(run, "--object", run->object, "is for --mode offload; add that");
	if (opts->ifname)
		return 0;
	if (opts->mode != XFN_MODE_AUTO && opts->mode != XFN_MODE_NONE)
		return bad(run, "--mode", run->mode, "wants an interface; name it with -i");
	if (opts->tier == XFN_TIER_XDP || opts->tier == XFN_TIER_AFXDP)
		return bad(run, "--tier", run->tier, "wants an interface; name it with -i");
	if (opts->libxdp)
		return bad(run, "--attach", "libxdp", "wants an interface; name it with -i");
	if (packet || (opts->engine && !strcmp(opts->engine, "afxdp")))
		return bad(run, "--engine", opts->engine, "wants an interface; name it with -i");
	if (opts->wait)
		return xfn_output__fail("run", opts->json, XFN_EXIT_USAGE,
					"--wait: wants an interface; name it with -i");
	return 0;
}

/* As xfn_spec__parse; says what is wrong. Exit status. */
static int take_spec(struct run *run, char *spec, struct xfn_run_module *mod)
{
	struct xfn_spec got;
	const char *wrong;
	char whole[128];

	snprintf(whole, sizeof(whole), "%s", spec);
	wrong = xfn_spec__parse(spec, &got);
	if (wrong)
		return bad(run, "module", whole, wrong);
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
	const char *tmp = getenv("TMPDIR");
	int status;

	if (*run->folder)
		return 0;
	snprintf(run->folder, sizeof(run->folder), "%s/xfn-run-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (mkdtemp(run->folder))
		return 0;
	status = xfn_output__fail("run", run->opts.json, XFN_EXIT_FAILED,
				  "%s: %s; set TMPDIR to a folder that can be written", run->folder,
				  strerror(errno));
	*run->folder = '\0';
	return status;
}

/* Build a source into the private folder. Exit status; on success mod->path is the module. */
static int build(struct run *run, struct xfn_run_module *mod)
{
	struct xfn_build_options how = { .source = mod->path };
	const char *name = strrchr(mod->path, '/');
	char err[XFN_ERR_MAX] = "", *out;
	int status = make_folder(run);

	if (status)
		return status;
	name = name ? name + 1 : mod->path;
	if (asprintf(&out, "%s/%zu-%.*s.xfn", run->folder, (size_t)(mod - run->modules),
		     (int)strlen(name) - 2, name) < 0)
		return XFN_EXIT_FAILED;
	how.out = out;
	mod->path = out;
	if (xfn_build_module(&how, err, sizeof(err)))
		return xfn_output__fail("run", run->opts.json, XFN_EXIT_FAILED, "%s", err);
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

/* The modules named. A bare name that is no file here means the shipped module. */
static int take_modules(struct run *run)
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
			return xfn_output__fail("run", run->opts.json, XFN_EXIT_FAILED,
						"%s: no such module; name F.xfn or a source F.c",
						mod->path);
		mod->path = copy(path);
	}
	return status;
}

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	interrupted = sig;
}

/*
 * From here on a signal only notes itself, so that the folder is removed: while a compiler runs it
 * ends that one, which shares our terminal; while functions are served the supervisor takes it, and
 * it may be pending still when that returns. What the caller ignores (nohup, a shell's `&`) stays
 * ignored.
 */
static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction catch = { .sa_handler = interrupt }, old;

	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &catch, NULL);
}

/* Build the sources among the modules. */
static int build_sources(struct run *run)
{
	int status = 0;

	for (unsigned i = 0; !status && !interrupted && i < run->opts.module_count; i++)
		if (ends_with(run->modules[i].path, ".c"))
			status = build(run, &run->modules[i]);
	return interrupted ? XFN_EXIT_FAILED : status;
}

/* What the card is to take. Exit status. */
static int choose_for_card(struct run *run)
{
	int status = run->opts.mode == XFN_MODE_OFFLOAD ? make_folder(run) : 0;

	if (status || run->opts.mode != XFN_MODE_OFFLOAD)
		return status;
	snprintf(run->card, sizeof(run->card), "%s/card.o", run->folder);
	status = xfn_offload__choose(&run->opts, run->modules, run->object, run->card);
	return interrupted ? XFN_EXIT_FAILED : status;
}

static void remove_built(const struct run *run)
{
	size_t len = strlen(run->folder);

	for (unsigned i = 0; len && i < run->opts.module_count; i++)
		if (!strncmp(run->modules[i].path, run->folder, len))
			unlink(run->modules[i].path);
	if (run->card[0])
		unlink(run->card);
	if (len)
		rmdir(run->folder);
}

int verb_run(int argc, char **argv)
{
	static const struct argp_child children[] = { { &xfn_run_links_argp, 0, NULL, 0 }, {} };
	static const struct argp argp = {
		options,
		parse,
		"[MODULE[@ADDR:PORT | @PORT]...]",
		"Serve functions until interrupted: in the kernel where they may run there, else in "
		"workers. A MODULE is what `xfn build` made, a source F.c, or the name of a shipped "
		"function; none means all shipped ones.\v"
		"Of several interfaces each has functions, counters and control socket of its own; --address "
		"and --bind hold for each.\n\n"
		"Example: sudo xfn run -i eth0 -i eth1 echo@7 hello.c@[fd00::1]:4000",
		children,
		NULL,
		NULL
	};
	static struct run run;
	char err[XFN_ERR_MAX] = "";
	int status;

	xfn_output__options(&argp, argc, argv, &run);
	status = take_values(&run);
	if (!status)
		status = take_cpus(&run);
	if (!status)
		status = take_workers(&run);
	if (!status)
		status = take_links(&run);
	if (!status)
		status = take_modules(&run);
	if (!status && xfn_paths__worker(run.worker, sizeof(run.worker), err, sizeof(err)))
		status = xfn_output__fail("run", run.opts.json, XFN_EXIT_FAILED, "%s", err);
	catch_signals();
	if (!status)
		status = build_sources(&run);
	if (!status)
		status = choose_for_card(&run);
	if (!status) {
		run.opts.worker = run.worker;
		run.opts.modules = run.modules;
		status = run.ifnames > 1 ? xfn_fleet__run(&run.opts, run.ifname, run.ifnames) :
					   xfn_supervisor__run(&run.opts);
	}
	remove_built(&run);
	return status;
}
