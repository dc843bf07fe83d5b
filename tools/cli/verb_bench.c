// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `xfn bench`: load on any UDP server, rates and round trips; replies are compared where it is
 * known what is right.
 */
#include "../../skel/error.h"
#include "../../skel/regular_file.h"
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
#include "../../userspace/control/control.h"
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../load/bench_load.h"
#include "../load/reference.h"
#include "options.h"
#include "output.h"
#include "../process/paths.h"
#include "../arguments/target.h"

enum generator {
	GENERATOR_NONE,
	GENERATOR_SOCKETS,
	GENERATOR_LIVE,
	GENERATOR_AFXDP
};

struct options {
	const char *target, *request, *expect, *module, *ifname, *mac;
	uint16_t size[BENCH_POOL];
	unsigned sizes;
	enum generator generator;
	double seconds;
	unsigned rate, requests, window, flows, timeout_ms;
	bool json, csv, flood;
};

static const struct xfn_choice generators[] = { { "sockets", GENERATOR_SOCKETS },
						{ "live", GENERATOR_LIVE },
						{ "afxdp", GENERATOR_AFXDP },
						{} };
static const struct xfn_option options[] = {
	XFN_OPTION("size", 's', "N,N...",
		   XFN_TO_LIST(struct options, size, sizes, BENCH_PAYLOAD, "lengths"),
		   "Payload lengths, taken in turn, filled at random (default: 64)",
		   .excludes = "request"),
	XFN_OPTION("request", 0, "FILE", XFN_TO_TEXT(struct options, request),
		   "Send what FILE holds instead", .completes = "file"),
	XFN_OPTION("expect", 0, "FILE", XFN_TO_TEXT(struct options, expect),
		   "The one right reply is what FILE holds", .excludes = "module",
		   .completes = "file"),
	XFN_OPTION("module", 0, "NAME|F.xfn", XFN_TO_TEXT(struct options, module),
		   "The right replies are what this module's native code answers",
		   .completes = "module"),
	XFN_OPTION("outstanding", 'w', "N", XFN_TO_NUMBER(struct options, window, 1, 30000),
		   "Closed loop: N requests under way, each on a flow of its own (default: 32)",
		   .excludes = "rate flood"),
	XFN_OPTION(
		"rate", 'r', "N", XFN_TO_NUMBER(struct options, rate, 1, 100000000),
		"Open loop: N requests a second, whatever comes back; a round trip counts from the "
		"time at which its request was due",
		.excludes = "flood"),
	XFN_OPTION("flood", 0, NULL, XFN_TO_FLAG(struct options, flood),
		   "Open loop: as fast as it goes; no round trips"),
	XFN_OPTION("requests", 'n', "N", XFN_TO_NUMBER(struct options, requests, 1, 4000000000),
		   "End after N requests"),
	XFN_OPTION("duration", 'd', "SECONDS", XFN_TO_REAL(struct options, seconds, 0.01, 86400),
		   "How long (default: 5)", .unit = "seconds"),
	XFN_OPTION(
		"flows", 0, "N",
		XFN_TO_NUMBER(struct options, flows, 1, BENCH_PORTS *BENCH_ADDRESSES),
		"Source ports, with -i then source addresses (default: 64, or as many as are under "
		"way)"),
	XFN_OPTION("timeout", 0, "MS", XFN_TO_NUMBER(struct options, timeout_ms, 1, 4000),
		   "A reply that late is lost (default: 1000)", .unit = "milliseconds"),
	XFN_OPTION_INTERFACE(struct options, ifname,
			     "Frames by IFACE itself, below its stack (root)"),
	XFN_OPTION(
		"generator", 0, NULL, XFN_TO_CHOICE(struct options, generator, generators),
		"sockets; with -i: live, frames that the kernel makes (BPF_PROG_TEST_RUN, millions "
		"a second; default), or afxdp, where that cannot be had"),
	XFN_OPTION("mac", 0, "MAC", XFN_TO_TEXT(struct options, mac),
		   "With -i: where frames go (default: the kernel's ARP entry)",
		   .needs = "interface"),
	XFN_OPTION("csv", 0, NULL, XFN_TO_FLAG(struct options, csv),
		   "Print one line of CSV below its heading"),
	XFN_OPTION_JSON(struct options, json),
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

/* A whole file as a payload. */
static int slurp(const char *path, struct bench_payload *out, struct xfn_error *err)
{
	uint8_t bytes[BENCH_PAYLOAD + 1];
	FILE *f = xfn_regular_file__stream(path, "give a file that can be read", err);
	size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;
	int bad;

	if (!f)
		return -errno;
	bad = ferror(f) ? errno : n > BENCH_PAYLOAD ? EFBIG : 0;
	fclose(f);
	if (bad)
		xfn_error__set(err, "%s: %s%s", path, strerror(bad),
			       bad == EFBIG ? "; a payload has at most 1472 bytes" : "");
	else
		bench_payload__set(out, bytes, n);
	return -bad;
}

static int take_module(const struct options *opts, struct bench_set *set, struct xfn_error *err)
{
	char path[PATH_MAX + 72], dir[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s", opts->module);
	if (stat(path, &st) && !strchr(opts->module, '/')) {
		xfn_paths__modules(dir, sizeof(dir));
		snprintf(path, sizeof(path), "%s/%.60s.xfn", dir, opts->module);
	}
	return bench_reference__fill(set, path, err);
}

/* Requests, and what is right as an answer to each. */
static int make_set(const struct options *opts, struct bench_set *set, struct xfn_error *err)
{
	static const uint16_t usual[] = { 64 };
	int ret = 0;

	bench_set__fill(set, opts->sizes ? opts->size : usual, opts->sizes ?: 1, BENCH_POOL, false,
			false);
	if (opts->request) {
		ret = slurp(opts->request, &set->request[0], err);
		set->count = 1;
	}
	set->any_reply = !opts->expect && !opts->module;
	if (!ret && opts->expect) {
		ret = slurp(opts->expect, &set->reply[0], err);
		for (unsigned i = 1; i < set->count; i++)
			set->reply[i] = set->reply[0];
	}
	if (!ret && opts->module)
		ret = take_module(opts, set, err);
	return ret;
}

/* The interface's address of the target's family. */
static int find_source(const struct options *opts, const struct sockaddr_storage *to,
		       struct bench_wire *wire, struct xfn_error *err)
{
	struct ifaddrs *list;
	bool found = false;

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
	if (found)
		return 0;
	return xfn_fail(err, -EADDRNOTAVAIL,
			"%s: no address of the target's family; `ip addr` shows them",
			opts->ifname);
}

/* The MAC address to which frames go: --mac, else what the kernel knows of an IPv4 target. */
static int find_target_mac(const struct options *opts, const struct sockaddr_in *in, int sock,
			   struct bench_wire *wire)
{
	struct ether_addr mac;
	struct arpreq arp = {};

	if (opts->mac) {
		if (!ether_aton_r(opts->mac, &mac))
			return -EINVAL;
		memcpy(wire->target_mac, &mac, 6);
		return 0;
	}
	if (wire->v6)
		return -EAFNOSUPPORT;
	memcpy(&arp.arp_pa, in, sizeof(*in));
	snprintf(arp.arp_dev, sizeof(arp.arp_dev), "%.15s", opts->ifname);
	if (ioctl(sock, SIOCGARP, &arp))
		return -errno;
	memcpy(wire->target_mac, arp.arp_ha.sa_data, 6);
	return arp.arp_flags & ATF_COM ? 0 : -EHOSTUNREACH;
}

/* The source address and the MAC addresses of both ends, for frames that leave by the interface. */
static int make_wire(const struct options *opts, const struct sockaddr_storage *to,
		     struct bench_wire *wire, struct xfn_error *err)
{
	const struct sockaddr_in *in = (const void *)to;
	const struct sockaddr_in6 *in6 = (const void *)to;
	struct ifreq req = {};
	int sock, ret;

	wire->v6 = to->ss_family == AF_INET6;
	wire->port = ntohs(wire->v6 ? in6->sin6_port : in->sin_port);
	memcpy(wire->target, wire->v6 ? (const void *)&in6->sin6_addr : &in->sin_addr,
	       wire->v6 ? 16 : 4);
	ret = find_source(opts, to, wire, err);
	if (ret)
		return ret;
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%.15s", opts->ifname);
	ret = ioctl(sock, SIOCGIFHWADDR, &req) ? -errno : 0;
	memcpy(wire->source_mac, req.ifr_hwaddr.sa_data, 6);
	ret = ret ?: find_target_mac(opts, in, sock, wire);
	close(sock);
	if (ret)
		xfn_error__set(
			err,
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
		return xfn_output__json(
			json_pack("{s:o, s:f, s:I, s:I, s:I, s:I, s:I, s:b, s:f, s:o}", "target",
				  xfn_control__text(opts->target), "seconds", got->seconds, "sent",
				  (json_int_t)got->sent, "right", (json_int_t)got->replies, "wrong",
				  (json_int_t)got->wrong, "lost", (json_int_t)got->lost, "late",
				  (json_int_t)got->late, "compared", compared, "replies_per_second",
				  rate, "round_trip_us", trips));
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
		     const struct bench_plan *plan, struct bench_figures *got,
		     struct xfn_error *err)
{
	struct bench_wire wire = {};
	struct bench_live *live;
	int ret = make_wire(opts, to, &wire, err);

	if (ret)
		return ret;
	if (opts->generator == GENERATOR_AFXDP)
		return bench_afxdp__run(opts->ifname, &wire, plan, got, err);
	ret = bench_live__open(opts->ifname, &live, err);
	if (ret)
		return ret;
	ret = bench_live__run(live, &wire, plan, 1, got, err);
	bench_live__close(live);
	return ret;
}

/* Frames are made for an interface, sockets need none. Exit status. */
static int choose_generator(struct options *opts)
{
	if (!opts->generator)
		opts->generator = opts->ifname ? GENERATOR_LIVE : GENERATOR_SOCKETS;
	if (opts->ifname && opts->generator == GENERATOR_SOCKETS)
		return xfn_options__bad("bench", opts->json, "--generator", "sockets",
					"with -i take live or afxdp");
	if (!opts->ifname && opts->generator != GENERATOR_SOCKETS)
		return xfn_options__bad("bench", opts->json, "--generator",
					opts->generator == GENERATOR_LIVE ? "live" : "afxdp",
					"needs an interface; name it with -i");
	return 0;
}

static struct bench_plan make_plan(struct options *opts, struct bench_set *set)
{
	unsigned window = opts->window ?: opts->rate || opts->flood ? 0 : 32;

	return (struct bench_plan){ .set = set,
				    .flows = opts->flows	 ?:
						     window > 64 ? window :
								   64,
				    .seconds = opts->seconds,
				    .requests = opts->requests,
				    .rate = opts->rate,
				    .outstanding = window,
				    .check = !set->any_reply,
				    .timeout_ms = opts->timeout_ms,
				    .progress = progress,
				    .arg = opts };
}

static int bench(void *input, struct xfn_words words)
{
	struct options *opts = input;
	static struct bench_set set;
	static struct bench_histogram rtt;
	struct bench_figures got = { .rtt = &rtt };
	struct sigaction act = { .sa_handler = on_signal };
	struct sockaddr_storage to = {};
	struct addrinfo *list;
	struct bench_plan plan;
	struct xfn_error err = { 0 };
	int status = choose_generator(opts);

	if (status)
		return status;
	opts->target = words.word[0];
	if (make_set(opts, &set, &err))
		return failed(opts, err.line);
	status = xfn_target__resolve(opts->target, AF_UNSPEC, &list, &err);
	if (status)
		return xfn_output__fail("bench", opts->json,
					status == -EINVAL ? XFN_EXIT_USAGE : XFN_EXIT_FAILED, "%s",
					err.line);
	memcpy(&to, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	plan = make_plan(opts, &set);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	if (opts->ifname ? by_frames(opts, &to, &plan, &got, &err) :
			   bench_sockets__run(&to, &plan, &got, &err))
		return failed(opts, err.line);
	status = print(opts, &got, plan.check);
	return status ?: got.wrong || !got.replies ? XFN_EXIT_FAILED : 0;
}

XFN_VERB(
	bench, struct options, options, bench,
	.summary = "put load on a UDP server, and compare its replies",
	XFN_WORDS("HOST:PORT", 1, 1, NULL, "name a server: HOST:PORT"),
	.doc = "Put load on a UDP server, and tell rate and round trips. Measures any server. With "
	       "--module or --expect every reply is compared.",
	.notes = "Exit status 1 where a reply was wrong, or none came.",
	.example = "xfn bench --module reverse --size 64,1400 10.78.0.1:1232",
	.defaults = &(const struct options){ .seconds = 5, .timeout_ms = 1000 });
