// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `xfn run`: command line -> struct xfn_run_options, sources built on the way. The supervisor does
 * the rest. Must never touch BPF, sockets or workers.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "../../skel/error.h"
#include "../../userspace/host/cpus.h"
#include "../../userspace/host/interface.h"
#include "../../userspace/host/limits.h"
#include "options.h"
#include "output.h"
#include "../process/paths.h"
#include "run_inside.h"
#include "../arguments/spec.h"

#define DEADLINE_MS   1000
#define MEMORY_MB_MAX 1048576
/* A second at most. */
#define TO_USECS(m) XFN_TO_NUMBER(struct run, m, 1, 1000000), .unit = "microseconds"

static const struct xfn_choice engines[] = {
#define XFN_ENGINE(name) { #name, 0 },
#include "../../userspace/engine/engines.h"
#undef XFN_ENGINE
	{}
};

static const struct xfn_choice modes[] = {
	{ "auto", XFN_MODE_AUTO }, { "native", XFN_MODE_NATIVE },   { "generic", XFN_MODE_GENERIC },
	{ "none", XFN_MODE_NONE }, { "offload", XFN_MODE_OFFLOAD }, {}
};
static const struct xfn_choice attaches[] = { { "link", 0 }, { "libxdp", 1 }, {} };
static const struct xfn_choice tiers[] = { { "auto", XFN_TIER_AUTO },
					   { "xdp", XFN_TIER_XDP },
					   { "afxdp", XFN_TIER_AFXDP },
					   { "socket", XFN_TIER_SOCKET },
					   {} };
static const struct xfn_choice routes[] = { { "swap", 0 }, { "fib", 1 }, {} };
static const struct xfn_choice zero_copies[] = { { "auto", XFN_ZERO_COPY_AUTO },
						 { "never", XFN_ZERO_COPY_NEVER },
						 { "always", XFN_ZERO_COPY_ALWAYS },
						 {} };
static const struct xfn_option options[] = {
	XFN_OPTION("interface", 'i', "IFACE", XFN_TO_TEXTS(struct run, ifname, ifnames),
		   "Serve on IFACE; may be repeated, for a supervisor process each (default: UDP "
		   "sockets of this host only)",
		   .once = true, .completes = "interface", .needed = XFN_NEEDED_INTERFACE),
	XFN_OPTION(
		"wait", 0, NULL, XFN_TO_FLAG(struct run, opts.wait),
		"Wait for an IFACE that is missing or down (default: an error). One that goes later "
		"is always waited for, and served again when it is back",
		.needs = "interface"),
	XFN_OPTION("mode", 0, NULL, XFN_TO_CHOICE(struct run, opts.mode, modes),
		   "How XDP is attached: auto (default), native, generic or none; offload: on the "
		   "network card what that takes, beside it the host's best"),
	XFN_OPTION(
		"attach", 0, NULL, XFN_TO_CHOICE(struct run, attach, attaches),
		"Attach as the interface's only XDP program (default), or through libxdp, beside "
		"programs that xdp-loader and the like attached"),
	XFN_OPTION("tier", 0, NULL, XFN_TO_CHOICE(struct run, opts.tier, tiers),
		   "Force a tier on every function: auto (default), xdp, afxdp or socket"),
	XFN_OPTION(
		"engine", 0, NULL, XFN_TO_TEXT(struct run, opts.engine),
		"How workers receive in tier socket, and what the fast path leaves (default: the "
		"best that works, as `xfn check` tells); packet: frames of IFACE, for all functions, "
		"needs CAP_NET_RAW; afxdp: as without the option, for tier afxdp has no other",
		.choices = engines),
	XFN_OPTION("object", 0, "FILE.o", XFN_TO_TEXT(struct run, object),
		   "With --mode offload: what `xfn build --offload` made, with the ports and "
		   "addresses it was built for (default: made here, from the sources)",
		   .completes = ".o"),
	XFN_OPTION("address", 0, "ADDR", XFN_TO_ADDRESSES(struct run, address, opts.address_count),
		   "Serve this destination address only; may be repeated (default: the interface's "
		   "own, its uppers', and anycast ones on lo)",
		   .unfit = xfn_spec__not_served),
	XFN_OPTION(
		"bind", 0, "ADDR", XFN_TO_ADDRESSES(struct run, bind, opts.bind_count),
		"Address for UDP sockets of functions that name none; 0.0.0.0 and :: are every one; "
		"may be repeated (default: the interface's, or 127.0.0.1 and ::1)",
		.unfit = xfn_spec__not_bound),
	XFN_OPTION(
		"port-offset", 0, "N", XFN_TO_NUMBER(struct run, opts.port_offset, 1, 65534),
		"Add N to ports below 1024 on UDP sockets (default: 10000, where they may not be "
		"bound)"),
	XFN_OPTION(
		"rate", 0, "N", XFN_TO_NUMBER(struct run, opts.rate, 1, 100000000),
		"Answer at most N requests per second to a source prefix (/24, /48), in each tier, "
		"and N/10 at once, 16 at least"),
	XFN_OPTION("deadline", 0, "MS", XFN_TO_NUMBER(struct run, opts.deadline, 10, 3600000),
		   "End a worker whose function takes longer for one request, as if it had crashed "
		   "(default: 1000; 0: never)",
		   .zero = true, .unit = "milliseconds"),
	XFN_OPTION(
		"worker-memory", 0, "MB",
		XFN_TO_NUMBER(struct run, opts.memory_mb, 1, MEMORY_MB_MAX),
		"Let the functions of a worker allocate at most MB while it serves, beyond what it "
		"began with: more is refused to them (default: 1024; 0: no bound)",
		.zero = true, .unit = "megabytes"),
	XFN_OPTION("allow-amplify", 0, "NAME",
		   XFN_TO_TEXTS(struct run, amplify, opts.allow_amplify_count),
		   "Let this function answer with more than 10 times its request; may be repeated",
		   .completes = "shipped"),
	XFN_OPTION(
		"reply-route", 0, NULL, XFN_TO_CHOICE(struct run, route, routes),
		"Send replies to where the request's frame came from (default), or by the kernel's "
		"routes"),
	XFN_OPTION("trust-checksum", 0, NULL, XFN_TO_FLAG(struct run, opts.trust_checksum),
		   "Do not verify the checksum of requests"),
	XFN_OPTION("spin", 0, NULL, XFN_TO_FLAG(struct run, opts.spin),
		   "Workers never sleep: lower latency, a whole core each"),
	XFN_OPTION(
		"sqpoll", 0, NULL, XFN_TO_FLAG(struct run, opts.sqpoll),
		"Engine uring: a thread of the kernel takes what the worker submits. Costs a CPU of "
		"its own while there are requests, and is slower where there is none to spare"),
	XFN_OPTION(
		"cpus", 0, "LIST",
		XFN_TO_LIST(struct run, cpus, opts.cpu_count, XFN_CPUS_MAX - 1, "CPUs"),
		"Bind workers to these CPUs in turn, as 2,4-7, each IFACE's from the next one on "
		"(default: each of AF_XDP to the one that handles its queue's interrupt)"),
	XFN_OPTION(
		"workers-per-queue", 0, "N[-MAX]",
		XFN_TO_RANGE(struct run, workers, 1, XFN_THREADS),
		"Begin with N workers of AF_XDP on each queue, and let `xfn scale` make them MAX at "
		"most (default: 1, and a CPU for each worker of all queues)",
		.needs = "interface"),
	XFN_OPTION("auto", 0, NULL, XFN_TO_FLAG(struct run, opts.autoscale),
		   "Add workers to a queue and take them away by its load, between the numbers of "
		   "--workers-per-queue; not with --spin",
		   .needs = "interface", /* a worker that never sleeps looks busy always */
		   .excludes = "spin"),
	XFN_OPTION(
		"dedicate", 0, "NAME", XFN_TO_TEXTS(struct run, dedicate, opts.dedicate_count),
		"Give this function a worker of its own on each queue, so that it and the others do "
		"not wait for one another; may be repeated",
		.needs = "interface", .completes = "shipped"),
	XFN_OPTION(
		"json", 'j', NULL, XFN_TO_FLAG(struct run, opts.json),
		"Say in JSON what is served: one line per IFACE, when all have started; \"ready\" is "
		"false where one is waited for"),
	XFN_OPTIONS_HEADING("What NIC and driver do for AF_XDP workers:"),
	XFN_OPTION(
		"zero-copy", 0, NULL, XFN_TO_CHOICE(struct run, opts.links.zero_copy, zero_copies),
		"Let the NIC use workers' frames without a copy: auto (default: with drivers known "
		"to do it well, else copies), never, or always, which fails where the driver "
		"refuses",
		.needs = "interface"),
	XFN_OPTION(
		"busy-poll", 0, "USECS", TO_USECS(opts.links.busy_poll),
		"Workers work their queues off themselves, in place of the kernel's interrupts, and "
		"sleep after USECS in vain",
		.needs = "interface"),
	XFN_OPTION(
		"steer", 0, "QUEUES",
		XFN_TO_LIST(struct run, opts.links.steer, opts.links.steer_count, XFN_QUEUES - 1,
			    "queues"),
		"Have the NIC direct each function's requests to one of these receive queues in "
		"turn, as 2-3, by flow rules (ethtool -N); workers are on those queues only. Run "
		"with an emulated NIC, never with a card",
		.once = true, .needs = "interface"),
	XFN_OPTION(
		"defer-interrupts", 0, "USECS", TO_USECS(opts.links.defer),
		"Hold the interface's interrupts back for USECS while its queues are worked off; "
		"without it --busy-poll rarely comes first. As before when the run ends",
		.needs = "interface"),
	{}
};

#define bad(run, name, value, ...)                                                                 \
	xfn_options__bad("run", (run)->opts.json, name, value, __VA_ARGS__)

static int check_cpus(const struct run *run)
{
	char cpu[8];

	for (unsigned i = 0; i < run->opts.cpu_count; i++) {
		snprintf(cpu, sizeof(cpu), "%u", run->cpus[i]);
		if (!xfn_cpus__allowed(run->cpus[i]))
			return bad(run, "--cpus", cpu,
				   "CPU %s is none that this process may run on; `nproc` counts "
				   "them, `taskset -cp $$` lists them",
				   cpu);
	}
	return 0;
}

static bool is_engine(const struct xfn_run_options *opts, const char *name)
{
	return opts->engine && !strcmp(opts->engine, name);
}

/* Do engine, tier and mode go together? An engine that serves one tier only settles that. */
static int check_engine(struct run *run)
{
	struct xfn_run_options *opts = &run->opts;

	if (opts->sqpoll && opts->engine && !is_engine(opts, "uring"))
		return bad(run, "--engine", opts->engine, "--sqpoll needs engine uring");
	if (opts->sqpoll)
		opts->engine = "uring";
	if (is_engine(opts, "afxdp") &&
	    (opts->tier == XFN_TIER_SOCKET || opts->mode == XFN_MODE_NONE))
		return bad(run, "--engine", opts->engine,
			   "has no place in tier socket; leave it out");
	if (!is_engine(opts, "packet"))
		return 0;
	if (opts->tier != XFN_TIER_AUTO && opts->tier != XFN_TIER_SOCKET)
		return bad(run, "--tier", xfn_tier_name(opts->tier),
			   "engine packet serves tier socket only");
	opts->tier = XFN_TIER_SOCKET;
	return 0;
}

/* By the name that others stand for; one that is missing may be waited for by any. */
static int take_interfaces(struct run *run)
{
	static char real[XFN_FLEET_MAX][IF_NAMESIZE];

	for (unsigned i = 0; i < run->ifnames; i++) {
		const char *given = run->ifname[i];

		if (xfn_interface__find(given, real[i]))
			run->ifname[i] = real[i];
		for (unsigned k = 0; k < i; k++)
			if (!strcmp(run->ifname[k], run->ifname[i]))
				return bad(run, "--interface", given,
					   "is an interface that was given already; name each "
					   "once");
	}
	run->opts.ifname = run->ifnames ? run->ifname[0] : NULL;
	return 0;
}

/* What only an interface has. */
static int check_interface(const struct run *run)
{
	const struct xfn_run_options *opts = &run->opts;
	const struct {
		bool needed;
		const char *name, *value;
	} of[] = {
		{ opts->mode != XFN_MODE_AUTO && opts->mode != XFN_MODE_NONE, "--mode",
		  xfn_mode_name(opts->mode) },
		{ opts->tier == XFN_TIER_XDP || opts->tier == XFN_TIER_AFXDP, "--tier",
		  xfn_tier_name(opts->tier) },
		{ opts->libxdp, "--attach", "libxdp" },
		{ is_engine(opts, "packet") || is_engine(opts, "afxdp"), "--engine", opts->engine },
		{ opts->route_fib, "--reply-route", "fib" },
	};

	if (!run->ifnames && opts->address_count)
		return bad(run, "--address", opts->address[0],
			   "needs an interface; name it with -i, or take --bind");

	for (unsigned i = 0; !run->ifnames && i < sizeof(of) / sizeof(of[0]); i++)
		if (of[i].needed)
			return bad(run, of[i].name, of[i].value,
				   "needs an interface; name it with -i");
	return 0;
}

/* Exit status. */
static int take_options(struct run *run)
{
	struct xfn_run_options *opts = &run->opts;
	int status;

	opts->bind = opts->bind_count ? run->bind : NULL;
	opts->address = opts->address_count ? run->address : NULL;
	opts->allow_amplify = run->amplify;
	opts->dedicate = run->dedicate;
	opts->cpus = run->cpus;
	opts->workers_min = run->workers[0];
	opts->workers_max = run->workers[1];
	opts->libxdp = run->attach;
	opts->route_fib = run->route;
	status = take_interfaces(run)	   ?:
			 check_cpus(run)   ?:
			 check_engine(run) ?:
					     check_interface(run);
	if (!status && run->object && opts->mode != XFN_MODE_OFFLOAD)
		return bad(run, "--object", run->object, "is for --mode offload; add that");
	return status;
}

volatile sig_atomic_t xfn_run_interrupted;

static void interrupt(int sig)
{
	xfn_run_interrupted = sig;
}

/*
 * From here on a signal only notes itself, so that the folder is removed: while a compiler runs it
 * ends that one, which shares our terminal; while functions are served the supervisor takes it, and
 * it may be pending still when that returns. What the caller ignores (nohup, a shell's `&`) stays
 * ignored.
 */
static void catch_signals(sigset_t *ends)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction catch = { .sa_handler = interrupt }, old;

	sigemptyset(ends);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaddset(ends, signals[i]);
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &catch, NULL);
	}
}

static int serve(void *input, struct xfn_words words)
{
	struct run *run = input;
	struct xfn_error err = { 0 };
	sigset_t ends;
	int status;

	run->spec = words.word;
	run->specs = words.count;
	status = take_options(run);
	if (!status && xfn_paths__worker(run->worker, sizeof(run->worker), &err))
		status = xfn_output__fail("run", run->opts.json, XFN_EXIT_FAILED, "%s", err.line);
	if (!status)
		status = xfn_run__modules(run);
	catch_signals(&ends);
	if (!status)
		status = xfn_run__sources(run);
	if (!status)
		status = xfn_run__open(run);
	if (!status)
		status = xfn_run__offload_device(run);
	/* what comes from here on waits for the supervisor */
	sigprocmask(SIG_BLOCK, &ends, NULL);
	if (!status && xfn_run_interrupted)
		status = XFN_EXIT_FAILED;
	if (!status) {
		run->opts.worker = run->worker;
		run->opts.modules = run->modules;
		status = run->ifnames > 1 ? xfn_fleet__run(&run->opts, run->ifname, run->ifnames) :
					    xfn_supervisor__run(&run->opts);
	}
	xfn_run__remove(run);
	return status;
}

XFN_VERB(
	run, struct run, options, serve, .summary = "serve functions until interrupted",
	XFN_WORDS("[MODULE[@ADDR:PORT | @PORT]...]", 0, XFN_ANY_NUMBER, "module .c", NULL),
	.doc = "Serve functions until interrupted: in the kernel where they may run there, else in "
	       "workers. A MODULE is what `xfn build` made, a source F.c, or the name of a shipped "
	       "function; none means all shipped ones.",
	.notes =
		"Of several interfaces each has functions, counters and control socket of its own; "
		"--address and --bind hold for each.",
	.example = "sudo xfn run -i eth0 -i eth1 echo@7 hello.c@[fd00::1]:4000",
	.defaults = &(const struct run){ .opts = { .mode = XFN_MODE_AUTO,
						   .tier = XFN_TIER_AUTO,
						   .deadline = DEADLINE_MS,
						   .memory_mb = XFN_MEMORY_MB } });
