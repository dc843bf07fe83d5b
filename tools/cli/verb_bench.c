// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `xfn bench`: load on any UDP server, rates and round trips; replies are compared where it is
 * known what is right.
 */
#include "../../skel/regular_file.h"
#include "verbs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/ether.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../load/bench_load.h"
#include "../load/reference.h"
#include "output.h"
#include "../process/paths.h"
#include "../arguments/target.h"

enum {
	KEY_SIZE = 's',
	KEY_RATE = 'r',
	KEY_WINDOW = 'w',
	KEY_COUNT = 'n',
	KEY_SECONDS = 'd',
	KEY_INTERFACE = 'i',
	KEY_JSON = 'j',
	KEY_FLOWS = 0x100,
	KEY_REQUEST,
	KEY_EXPECT,
	KEY_MODULE,
	KEY_TIMEOUT,
	KEY_MAC,
	KEY_CSV,
	KEY_FLOOD,
	KEY_GENERATOR,
};

struct options {
	const char *target, *size, *request, *expect, *module, *ifname, *mac, *generator;
	double rate, seconds;
	unsigned window, flows, timeout_ms;
	uint64_t requests;
	bool json, csv, flood;
};

static const struct argp_option argp_options[] = {
	{ "size", KEY_SIZE, "N,N...", 0,
	  "Payload lengths, taken in turn, filled at random (default: 64)", 0 },
	{ "request", KEY_REQUEST, "FILE", 0, "Send what FILE holds instead", 0 },
	{ "expect", KEY_EXPECT, "FILE", 0, "The one right reply is what FILE holds", 0 },
	{ "module", KEY_MODULE, "NAME|F.xfn", 0,
	  "The right replies are what this module's native code answers", 0 },
	{ "outstanding", KEY_WINDOW, "N", 0,
	  "Closed loop: N requests under way, each on a flow of its own (default: 32)", 0 },
	{ "rate", KEY_RATE, "N", 0,
	  "Open loop: N requests a second, whatever comes back; a round trip counts from the time at "
	  "which its request was due",
	  0 },
	{ "flood", KEY_FLOOD, NULL, 0, "Open loop: as fast as it goes; no round trips", 0 },
	{ "requests", KEY_COUNT, "N", 0, "End after N requests", 0 },
	{ "duration", KEY_SECONDS, "SECONDS", 0, "How long (default: 5)", 0 },
	{ "flows", KEY_FLOWS, "N", 0,
	  "Source ports, with -i then source addresses (default: 64, or as many as are under way)",
	  0 },
	{ "timeout", KEY_TIMEOUT, "MS", 0, "A reply that late is lost (default: 1000)", 0 },
	{ "interface", KEY_INTERFACE, "IFACE", 0, "Frames by IFACE itself, below its stack (root)",
	  0 },
	{ "generator", KEY_GENERATOR, "NAME", 0,
	  "sockets; with -i: live, frames that the kernel makes (BPF_PROG_TEST_RUN, millions a second; "
	  "default), or afxdp, where that cannot be had",
	  0 },
	{ "mac", KEY_MAC, "MAC", 0, "With -i: where frames go (default: the kernel's ARP entry)",
	  0 },
	{ "csv", KEY_CSV, NULL, 0, "Print one line of CSV below its heading", 0 },
	{ "json", KEY_JSON, NULL, 0, "Print JSON", 0 },
	{}
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static int failed(const struct options *opts, const char *err)
{
	return xfn_output__fail("bench", opts->json, XFN_EXIT_FAILED, "%s", err);
}

static double number(const char *text, double least, double most, struct argp_state *state,
		     const char *option)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= least && v <= most))
		argp_error(state, "%s '%.60s': take %g to %g", option, text, least, most);
	return v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_SIZE:
		o->size = arg;
		return 0;
	case KEY_REQUEST:
		o->request = arg;
		return 0;
	case KEY_EXPECT:
		o->expect = arg;
		return 0;
	case KEY_MODULE:
		o->module = arg;
		return 0;
	case KEY_INTERFACE:
		o->ifname = arg;
		return 0;
	case KEY_MAC:
		o->mac = arg;
		return 0;
	case KEY_GENERATOR:
		o->generator = arg;
		return 0;
	case KEY_WINDOW:
		o->window = (unsigned)number(arg, 1, 30000, state, "--outstanding");
		return 0;
	case KEY_RATE:
		o->rate = number(arg, 1, 1e8, state, "--rate");
		return 0;
	case KEY_FLOOD:
		o->flood = true;
		return 0;
	case KEY_COUNT:
		o->requests = (uint64_t)number(arg, 1, 4e9, state, "--requests");
		return 0;
	case KEY_SECONDS:
		o->seconds = number(arg, 0.01, 86400, state, "--duration");
		return 0;
	case KEY_FLOWS:
		o->flows =
			(unsigned)number(arg, 1, BENCH_PORTS * BENCH_ADDRESSES, state, "--flows");
		return 0;
	case KEY_TIMEOUT:
		o->timeout_ms = (unsigned)number(arg, 1, 4000, state, "--timeout");
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_CSV:
		o->csv = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->target)
			argp_error(state, "more than one target: '%.60s'", arg);
		o->target = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->target)
			argp_error(state, "name a server: HOST:PORT");
		if (!!o->rate + !!o->window + o->flood > 1)
			argp_error(state, "give one of --outstanding, --rate and --flood");
		if (o->size && o->request)
			argp_error(state, "give one of --size and --request");
		if (o->expect && o->module)
			argp_error(state, "give one of --expect and --module");
		if (!o->generator)
			o->generator = o->ifname ? "live" : "sockets";
		if (!strcmp(o->generator, "sockets") == !!o->ifname ||
		    (strcmp(o->generator, "sockets") && strcmp(o->generator, "live") &&
		     strcmp(o->generator, "afxdp")))
			argp_error(state, "--generator '%.60s': %s", o->generator,
				   o->ifname ? "with -i take live or afxdp" :
					       "take sockets; live and afxdp want -i IFACE");
		if (o->mac && !o->ifname)
			argp_error(state, "--mac goes with -i");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* A whole file as a payload. */
static int slurp(const char *path, struct bench_payload *out, char *err, size_t errlen)
{
	uint8_t bytes[BENCH_PAYLOAD + 1];
	FILE *f = xfn_regular_file__stream(path, "give a file that can be read", err, errlen);
	size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;
	int bad;

	if (!f)
		return -errno;
	bad = ferror(f) ? errno : n > BENCH_PAYLOAD ? EFBIG : 0;
	fclose(f);
	if (bad)
		snprintf(err, errlen, "%s: %s%s", path, strerror(bad),
			 bad == EFBIG ? "; a payload has at most 1472 bytes" : "");
	else
		bench_payload__set(out, bytes, n);
	return -bad;
}

/* The lengths of "64,200,1400", as many as there are, at most `max`. -1: not such a text. */
static int lengths_of(const char *text, uint16_t *out, int max)
{
	int n = 0;

	while (n < max) {
		char *end;
		unsigned long v = strtoul(text, &end, 10);

		if (end == text || v > BENCH_PAYLOAD || (*end && *end != ','))
			return -1;
		out[n++] = (uint16_t)v;
		if (!*end)
			return n;
		text = end + 1;
	}
	return -1;
}

static int take_module(const struct options *opts, struct bench_set *set, char *err, size_t errlen)
{
	char path[PATH_MAX + 72], dir[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s", opts->module);
	if (stat(path, &st) && !strchr(opts->module, '/')) {
		xfn_paths__modules(dir, sizeof(dir));
		snprintf(path, sizeof(path), "%s/%.60s.xfn", dir, opts->module);
	}
	return bench_reference__fill(set, path, err, errlen);
}

/* Requests, and what is right as an answer to each. */
static int make_set(const struct options *opts, struct bench_set *set, char *err, size_t errlen)
{
	uint16_t lengths[BENCH_POOL] = { 64 };
	int n = opts->size ? lengths_of(opts->size, lengths, BENCH_POOL) : 1, ret = 0;

	if (n < 1) {
		snprintf(err, errlen,
			 "--size '%.60s': give 1 to %d lengths of 0 to %d, as 64,200,1400",
			 opts->size, BENCH_POOL, BENCH_PAYLOAD);
		return -EINVAL;
	}
	bench_set__fill(set, lengths, (unsigned)n, BENCH_POOL, false, false);
	if (opts->request) {
		ret = slurp(opts->request, &set->request[0], err, errlen);
		set->count = 1;
	}
	set->any_reply = !opts->expect && !opts->module;
	if (!ret && opts->expect) {
		ret = slurp(opts->expect, &set->reply[0], err, errlen);
		for (unsigned i = 1; i < set->count; i++)
			set->reply[i] = set->reply[0];
	}
	if (!ret && opts->module)
		ret = take_module(opts, set, err, errlen);
	return ret;
}

/* The source address and the MAC addresses of both ends, for frames that leave by the interface. */
static int make_wire(const struct options *opts, const struct sockaddr_storage *to,
		     struct bench_wire *wire, char *err, size_t errlen)
{
	const struct sockaddr_in *in = (const void *)to;
	const struct sockaddr_in6 *in6 = (const void *)to;
	struct ether_addr mac;
	struct ifaddrs *list;
	struct arpreq arp = {};
	struct ifreq req = {};
	bool found = false;
	int sock, ret;

	wire->v6 = to->ss_family == AF_INET6;
	wire->port = ntohs(wire->v6 ? in6->sin6_port : in->sin_port);
	memcpy(wire->target, wire->v6 ? (const void *)&in6->sin6_addr : &in->sin_addr,
	       wire->v6 ? 16 : 4);
	if (getifaddrs(&list))
		return -errno;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != to->ss_family ||
		    strcmp(i->ifa_name, opts->ifname))
			continue;
		if (wire->v6)
			memcpy(wire->source, &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, 16);
		else
			memcpy(wire->source, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, 4);
		/* a link-local address only where there is no other */
		found = true;
		if (!wire->v6 || wire->source[0] != 0xfe)
			break;
	}
	freeifaddrs(list);
	if (!found) {
		snprintf(err, errlen, "%s: no address of the target's family; `ip addr` shows them",
			 opts->ifname);
		return -EADDRNOTAVAIL;
	}
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%.15s", opts->ifname);
	ret = ioctl(sock, SIOCGIFHWADDR, &req) ? -errno : 0;
	memcpy(wire->source_mac, req.ifr_hwaddr.sa_data, 6);
	if (!ret && opts->mac) {
		if (ether_aton_r(opts->mac, &mac))
			memcpy(wire->target_mac, &mac, 6);
		else
			ret = -EINVAL;
	} else if (!ret) {
		memcpy(&arp.arp_pa, in, sizeof(*in));
		snprintf(arp.arp_dev, sizeof(arp.arp_dev), "%.15s", opts->ifname);
		ret = wire->v6 ? -EAFNOSUPPORT : ioctl(sock, SIOCGARP, &arp) ? -errno : 0;
		if (!ret && !(arp.arp_flags & ATF_COM))
			ret = -EHOSTUNREACH;
		memcpy(wire->target_mac, arp.arp_ha.sa_data, 6);
	}
	close(sock);
	if (ret)
		snprintf(
			err, errlen,
			"%s: where frames go is not known (%s); give the server's or the gateway's MAC "
			"address by --mac",
			opts->ifname, strerror(-ret));
	return ret;
}

static bool progress(const struct bench_figures *now, void *arg)
{
	const struct options *opts = arg;

	if (!opts->json && !opts->csv && isatty(2))
		fprintf(stderr, "\r\033[K%.1f s: %llu sent, %llu right, %llu wrong", now->seconds,
			(unsigned long long)now->sent, (unsigned long long)now->replies,
			(unsigned long long)now->wrong);
	return !interrupted;
}

static int print(const struct options *opts, const struct bench_figures *got, bool compared)
{
	static const char *const names[] = { "p50", "p90", "p99", "p99.9", "max" };
	static const double percents[] = { 50, 90, 99, 99.9, 100 };
	double us[5], rate = got->seconds > 0 ? (double)got->replies / got->seconds : 0;
	json_t *trips;

	for (int i = 0; i < 5; i++)
		us[i] = (double)bench_histogram__at(got->rtt, percents[i]) / 1000;
	if (opts->json) {
		trips = json_object();
		for (int i = 0; got->rtt->total && i < 5; i++)
			json_object_set_new(trips, names[i], json_real(us[i]));
		return xfn_output__json(json_pack(
			"{s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:b, s:f, s:o}", "target",
			opts->target, "seconds", got->seconds, "sent", (json_int_t)got->sent,
			"right", (json_int_t)got->replies, "wrong", (json_int_t)got->wrong, "lost",
			(json_int_t)got->lost, "late", (json_int_t)got->late, "compared", compared,
			"replies_per_second", rate, "round_trip_us", trips));
	}
	if (opts->csv) {
		printf("target,seconds,sent,right,wrong,lost,late,replies_per_second,p50_us,p90_us,p99_"
		       "us,p999_us,max_us\n%s,%.3f,%llu,%llu,%llu,%llu,%llu,%.0f,%.3f,%.3f,%.3f,%.3f,"
		       "%.3f\n",
		       opts->target, got->seconds, (unsigned long long)got->sent,
		       (unsigned long long)got->replies, (unsigned long long)got->wrong,
		       (unsigned long long)got->lost, (unsigned long long)got->late, rate, us[0],
		       us[1], us[2], us[3], us[4]);
		return 0;
	}
	if (isatty(2))
		fputs("\r\033[K", stderr);
	printf("%s: %.0f replies a second for %.2f s\n%llu sent, %llu %s, %llu wrong, %llu lost, %llu "
	       "late\n",
	       opts->target, rate, got->seconds, (unsigned long long)got->sent,
	       (unsigned long long)got->replies, compared ? "right" : "answered (not compared)",
	       (unsigned long long)got->wrong, (unsigned long long)got->lost,
	       (unsigned long long)got->late);
	if (got->rtt->total)
		printf("round trip in us: p50 %.1f, p90 %.1f, p99 %.1f, p99.9 %.1f, max %.1f\n",
		       us[0], us[1], us[2], us[3], us[4]);
	return 0;
}

static int by_frames(const struct options *opts, const struct sockaddr_storage *to,
		     const struct bench_plan *plan, struct bench_figures *got, char *err,
		     size_t errlen)
{
	struct bench_wire wire = {};
	struct bench_live *live;
	int ret = make_wire(opts, to, &wire, err, errlen);

	if (ret)
		return ret;
	if (!strcmp(opts->generator, "afxdp"))
		return bench_afxdp__run(opts->ifname, &wire, plan, got, err, errlen);
	ret = bench_live__open(opts->ifname, &live, err, errlen);
	if (ret)
		return ret;
	ret = bench_live__run(live, &wire, plan, 1, got, err, errlen);
	bench_live__close(live);
	return ret;
}

int verb_bench(int argc, char **argv)
{
	static const struct argp argp = {
		argp_options,
		parse,
		"HOST:PORT",
		"Put load on a UDP server, and tell rate and round trips. Measures any server. With "
		"--module or --expect every reply is compared.\vExit status 1 where a reply was wrong, or none came.\n"
		"Example: xfn bench --module reverse --size 64,1400 10.78.0.1:1232",
		NULL,
		NULL,
		NULL
	};
	static struct options opts = { .timeout_ms = 1000 };
	static struct bench_set set;
	static struct bench_histogram rtt;
	struct bench_figures got = { .rtt = &rtt };
	struct sigaction act = { .sa_handler = on_signal };
	struct sockaddr_storage to = {};
	struct addrinfo *list;
	struct bench_plan plan;
	char err[512] = "";
	int status;

	xfn_output__options(&argp, argc, argv, &opts);
	if (make_set(&opts, &set, err, sizeof(err)))
		return failed(&opts, err);
	status = xfn_target__resolve("bench", opts.json, opts.target, AF_UNSPEC, &list);
	if (status)
		return status;
	memcpy(&to, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	if (!opts.rate && !opts.flood && !opts.window)
		opts.window = 32;
	plan = (struct bench_plan){ .set = &set,
				    .flows = opts.flows		      ?:
						     opts.window > 64 ? opts.window :
									64,
				    .seconds = opts.seconds ?: 5,
				    .requests = opts.requests,
				    .rate = opts.rate,
				    .outstanding = opts.window,
				    .check = !set.any_reply,
				    .timeout_ms = opts.timeout_ms,
				    .progress = progress,
				    .arg = &opts };
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	if (opts.ifname ? by_frames(&opts, &to, &plan, &got, err, sizeof(err)) :
			  bench_sockets__run(&to, &plan, &got, err, sizeof(err)))
		return failed(&opts, err);
	status = print(&opts, &got, plan.check);
	return status ?: got.wrong || !got.replies ? XFN_EXIT_FAILED : 0;
}
