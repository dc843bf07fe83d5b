// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `xfn run`: command line -> struct xfn_run_options, sources built on the way. The supervisor does
 * the rest. Must never touch BPF, sockets or workers.
 */
#include "verbs.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "../userspace/cpus.h"
#include "../userspace/interface.h"
#include "../userspace/sandbox.h"
#include "output.h"
#include "paths.h"
#include "run_inside.h"
#include "spec.h"

#define DEADLINE_MS   1000
#define MEMORY_MB_MAX 1048576

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
	KEY_MEMORY,
	KEY_CPUS,
	KEY_WORKERS,
	KEY_AUTO,
	KEY_DEDICATE,
	KEY_WAIT,
	KEY_OBJECT
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
	  "How workers receive in tier socket, and what the fast path leaves: uring, mmsg or simple "
	  "(default: the best that works); packet: frames of IFACE, for all functions, wants "
	  "CAP_NET_RAW; afxdp: as without the option, for tier afxdp has no other",
	  0 },
	{ "address", KEY_ADDRESS, "ADDR", 0,
	  "Serve this destination address only; may be repeated (default: the interface's own, its "
	  "uppers', and anycast ones on lo)",
	  0 },
	{ "bind", KEY_BIND, "ADDR", 0,
	  "Address for UDP sockets of functions that name none; 0.0.0.0 and :: are every one; may be "
	  "repeated (default: the interface's, or 127.0.0.1 and ::1)",
	  0 },
	{ "port-offset", KEY_OFFSET, "N", 0,
	  "Add N to ports below 1024 on UDP sockets (default: 10000, where they may not be bound)",
	  0 },
	{ "rate", KEY_RATE, "N", 0,
	  "Answer at most N requests per second to a source prefix (/24, /48), in each tier, and N/10 "
	  "at once, 16 at least",
	  0 },
	{ "deadline", KEY_DEADLINE, "MS", 0,
	  "End a worker whose function takes longer for one request, as if it had crashed (default: "
	  "1000; 0: never)",
	  0 },
	{ "worker-memory", KEY_MEMORY, "MB", 0,
	  "Let the functions of a worker allocate at most MB while it serves, beyond what it began with: "
	  "more is refused to them (default: 1024; 0: no bound)",
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
	  "Add workers to a queue and take them away by its load, between the numbers of "
	  "--workers-per-queue",
	  0 },
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
		if (run->ifnames == XFN_FLEET_MAX)
			argp_error(state, "-i '%s': at most %d interfaces", arg, XFN_FLEET_MAX);
		run->ifname[run->ifnames++] = arg;
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
	case KEY_MEMORY:
		run->memory = arg;
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

static int take_cpus(struct run *run)
{
	static uint16_t cpus[XFN_CPUS_MAX];
	char why[160];
	int n = run->cpus ? xfn_cpus__parse(run->cpus, cpus, why, sizeof(why)) : 0;

	if (n < 0)
		return xfn_run__bad(run, "--cpus", run->cpus, why);
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
	if (!opts->ifname && (run->workers || opts->autoscale || opts->dedicate_count))
		return xfn_run__bad(
			run,
			run->workers	     ? "--workers-per-queue" :
			opts->dedicate_count ? "--dedicate" :
					       "--auto",
			run->workers	     ? run->workers :
			opts->dedicate_count ? run->dedicate[0] :
					       NULL,
			"counts workers of AF_XDP, which want an interface; name it with -i");
	if (opts->autoscale && opts->spin)
		return xfn_run__bad(
			run, "--auto", "--spin",
			"a worker that never sleeps looks busy always; leave one of them out");
	if (!run->workers)
		return 0;
	n = sscanf(run->workers, "%u-%u%c", &min, &max, &end);
	if (n == 1)
		max = strchr(run->workers, '-') ? 0 : min;
	if ((n != 1 && n != 2) || !min || max < min || max > XFN_THREADS)
		return xfn_run__bad(run, "--workers-per-queue", run->workers,
				    "take a number from 1 to 8, or two of them as in 1-4");
	opts->workers_min = min;
	opts->workers_max = max;
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
				return xfn_run__bad(run, "-i", given,
						    "is an interface that was given already; name "
						    "each once");
	}
	run->opts.ifname = run->ifname[0];
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
	bool known, packet, afxdp;

	opts->mode = XFN_MODE_AUTO;
	known = !run->mode;
	for (unsigned i = 0; !known && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(run->mode, xfn_mode_name(modes[i]))) {
			opts->mode = modes[i];
			known = true;
		}
	if (!known)
		return xfn_run__bad(run, "--mode", run->mode,
				    "take auto, native, generic, none or offload");
	opts->tier = run->tier ? xfn_tier_parse(run->tier) : XFN_TIER_AUTO;
	if (opts->tier < 0)
		return xfn_run__bad(run, "--tier", run->tier, "take auto, xdp, afxdp or socket");
	known = !opts->engine;
	for (unsigned i = 0; !known && i < sizeof(engines) / sizeof(engines[0]); i++)
		known = !strcmp(opts->engine, engines[i]);
	if (!known)
		return xfn_run__bad(run, "--engine", opts->engine,
				    "take afxdp, uring, mmsg, simple or packet");
	for (unsigned i = 0; i < opts->bind_count; i++) {
		xfn_spec__address(&run->bind[i], addrs[i], sizeof(addrs[i]));
		if (xfn_spec__not_bound(run->bind[i]))
			return xfn_run__bad(run, "--bind", run->bind[i],
					    xfn_spec__not_bound(run->bind[i]));
	}
	for (unsigned i = 0; i < opts->address_count; i++) {
		xfn_spec__address(&run->address[i], served[i], sizeof(served[i]));
		if (xfn_spec__not_served(run->address[i]))
			return xfn_run__bad(run, "--address", run->address[i],
					    xfn_spec__not_served(run->address[i]));
	}
	opts->bind = opts->bind_count ? run->bind : NULL;
	opts->address = opts->address_count ? run->address : NULL;
	opts->allow_amplify = run->amplify;
	if (run->rate) {
		opts->rate = xfn_spec__number(run->rate, 100000000);
		if (!opts->rate)
			return xfn_run__bad(run, "--rate", run->rate, "take 1 to 100000000");
	}
	opts->deadline = run->deadline ? xfn_spec__number(run->deadline, 3600000) : DEADLINE_MS;
	if ((!opts->deadline && strcmp(run->deadline, "0")) ||
	    (opts->deadline && opts->deadline < 10))
		return xfn_run__bad(run, "--deadline", run->deadline, "take 10 to 3600000, or 0");
	opts->memory_mb =
		run->memory ? xfn_spec__number(run->memory, MEMORY_MB_MAX) : XFN_MEMORY_MB;
	if (!opts->memory_mb && strcmp(run->memory, "0"))
		return xfn_run__bad(run, "--worker-memory", run->memory, "take 1 to 1048576, or 0");
	if (run->offset) {
		opts->port_offset = xfn_spec__number(run->offset, 65534);
		if (!opts->port_offset)
			return xfn_run__bad(run, "--port-offset", run->offset, "take 1 to 65534");
	}
	if (opts->sqpoll && opts->engine && strcmp(opts->engine, "uring"))
		return xfn_run__bad(run, "--engine", opts->engine, "--sqpoll wants engine uring");
	if (opts->sqpoll)
		opts->engine = "uring";
	packet = opts->engine && !strcmp(opts->engine, "packet");
	afxdp = opts->engine && !strcmp(opts->engine, "afxdp");
	if (afxdp && (opts->tier == XFN_TIER_SOCKET || opts->mode == XFN_MODE_NONE))
		return xfn_run__bad(run, "--engine", opts->engine,
				    "has no place in tier socket; leave it out");
	if (packet && opts->tier != XFN_TIER_AUTO && opts->tier != XFN_TIER_SOCKET)
		return xfn_run__bad(run, "--tier", run->tier,
				    "engine packet serves tier socket only");
	if (packet)
		opts->tier = XFN_TIER_SOCKET;
	if (run->object && opts->mode != XFN_MODE_OFFLOAD)
		return xfn_run__bad(run, "--object", run->object,
				    "is for --mode offload; add that");
	if (opts->ifname)
		return 0;
	if (opts->mode != XFN_MODE_AUTO && opts->mode != XFN_MODE_NONE)
		return xfn_run__bad(run, "--mode", run->mode,
				    "wants an interface; name it with -i");
	if (opts->tier == XFN_TIER_XDP || opts->tier == XFN_TIER_AFXDP)
		return xfn_run__bad(run, "--tier", run->tier,
				    "wants an interface; name it with -i");
	if (opts->libxdp)
		return xfn_run__bad(run, "--attach", "libxdp",
				    "wants an interface; name it with -i");
	if (packet || afxdp)
		return xfn_run__bad(run, "--engine", opts->engine,
				    "wants an interface; name it with -i");
	if (opts->wait)
		return xfn_run__bad(run, "--wait", NULL, "wants an interface; name it with -i");
	if (opts->address_count)
		return xfn_run__bad(run, "--address", opts->address[0],
				    "wants an interface; name it with -i, or take --bind");
	if (opts->route_fib)
		return xfn_run__bad(run, "--reply-route", "fib",
				    "wants an interface; name it with -i");
	return 0;
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
	sigset_t ends;
	int status;

	xfn_output__options(&argp, argc, argv, &run);
	status = take_interfaces(&run);
	if (!status)
		status = take_values(&run);
	if (!status)
		status = take_cpus(&run);
	if (!status)
		status = take_workers(&run);
	if (!status)
		status = take_links(&run);
	if (!status && xfn_paths__worker(run.worker, sizeof(run.worker), err, sizeof(err)))
		status = xfn_output__fail("run", run.opts.json, XFN_EXIT_FAILED, "%s", err);
	if (!status)
		status = xfn_run__modules(&run);
	catch_signals(&ends);
	if (!status)
		status = xfn_run__sources(&run);
	if (!status)
		status = xfn_run__open(&run);
	if (!status)
		status = xfn_run__card(&run);
	/* what comes from here on waits for the supervisor */
	sigprocmask(SIG_BLOCK, &ends, NULL);
	if (!status && xfn_run_interrupted)
		status = XFN_EXIT_FAILED;
	if (!status) {
		run.opts.worker = run.worker;
		run.opts.modules = run.modules;
		status = run.ifnames > 1 ? xfn_fleet__run(&run.opts, run.ifname, run.ifnames) :
					   xfn_supervisor__run(&run.opts);
	}
	xfn_run__remove(&run);
	return status;
}
