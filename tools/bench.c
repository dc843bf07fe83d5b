// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `make bench`: every tier and engine and their peers side by side, in the lab. A round sets each
 * candidate up afresh, has it checked reply by reply, then measured; rounds take turns, so that
 * what the machine does meanwhile meets all alike. Must never judge: bench_report.c does.
 */
#include <arpa/inet.h>
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "bench_report.h"
#include "bench_servers.h"

#define SERVER_CPU 0
#define OTHER_CPU  1
#define CHECKED	   4096 /* replies looked at, byte by byte, before a candidate is measured */
#define FLOWS	   64
#define CANDIDATES 32

struct bench {
	bool quick;
	unsigned rounds;
	double seconds;
	const char *only[CANDIDATES];
	unsigned only_count;
	const char *folder;
	const char *floors; /* report only */
	struct bench_stage stage;
	struct bench_wire wire;
	struct bench_live *live;
	struct bench_rows rows;
	bool absent[CANDIDATES]; /* said once */
	unsigned faults;	 /* wrong replies, candidates that did not answer */
	struct bench_histogram *rtt;
};

static const uint16_t sizes[] = { 64, 200, 400, 600, 800, 1000, 1200, 1400 };
static const uint16_t few_sizes[] = { 64, 200, 1400 };

static void on_signal(int sig)
{
	(void)sig;
	server_interrupted = 1;
}

static bool alive(const struct bench_figures *now, void *arg)
{
	(void)now;
	(void)arg;
	return !server_interrupted;
}

static void move_to(int cpu, bool idle)
{
	struct sched_param param = {};
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	sched_setscheduler(0, idle ? SCHED_IDLE : SCHED_OTHER, &param);
}

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Kept open: no CPU goes to sleep deeper than its shallowest state. */
static int quiet_the_machine(void)
{
	const int32_t latency = 0;
	char stats[4] = "";
	FILE *f;
	int fd;

	setsid();
	write_to("/proc/self/autogroup", "-10");
	f = fopen("/proc/sys/kernel/bpf_stats_enabled", "re");
	if (f && fscanf(f, "%3s", stats) == 1 && strcmp(stats, "0"))
		fprintf(stderr, "bench: kernel.bpf_stats_enabled is on and halves rates; `sysctl "
				"kernel.bpf_stats_enabled=0`\n");
	if (f)
		fclose(f);
	fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, &latency, sizeof(latency)) != sizeof(latency))
		fprintf(stderr, "bench: /dev/cpu_dma_latency: %s; round trips include waking up\n",
			strerror(errno));
	return fd;
}

static bool wanted(const struct bench *b, const struct bench_candidate *c)
{
	for (unsigned i = 0; i < b->only_count; i++)
		if (!strcmp(b->only[i], c->name))
			return true;
	return !b->only_count;
}

static void plan_for(struct bench_plan *plan, struct bench *b, const struct bench_set *set)
{
	*plan = (struct bench_plan){ .set = set,
				     .flows = FLOWS,
				     .seconds = b->seconds,
				     .timeout_ms = 50,
				     .progress = alive };
}

/* Replies of every size, compared whole. False: not what it should be, said and counted. */
static bool checked(struct bench *b, const struct bench_candidate *c, bool reverse)
{
	static struct bench_set set;
	struct bench_figures got = {};
	struct bench_plan plan;
	char err[200];

	bench_set__fill(&set, sizes, 8, BENCH_POOL, reverse, false);
	plan_for(&plan, b, &set);
	plan.requests = CHECKED;
	plan.outstanding = 16;
	plan.check = true;
	if (bench_live__run(b->live, &b->wire, &plan, 1, &got, err, sizeof(err))) {
		fprintf(stderr, "bench: %s\n", err);
		return false;
	}
	if (!got.wrong && got.replies >= CHECKED * 9 / 10)
		return true;
	fprintf(stderr, "bench: %s: of %d replies %llu were right, %llu wrong\n", c->name, CHECKED,
		(unsigned long long)got.replies, (unsigned long long)got.wrong);
	b->faults++;
	return false;
}

static struct bench_row *row(struct bench_row *r, const char *section, const char *candidate,
			     const char *function, unsigned payload, unsigned round)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->section, sizeof(r->section), "%s", section);
	snprintf(r->candidate, sizeof(r->candidate), "%s", candidate);
	snprintf(r->function, sizeof(r->function), "%s", function);
	r->payload = payload;
	r->round = round;
	return r;
}

/* Replies a second of one payload length. */
static void measure_rate(struct bench *b, struct bench_running *running, struct bench_row *r,
			 bool reverse, uint32_t flows, unsigned threads)
{
	static struct bench_set set;
	const uint16_t len = (uint16_t)r->payload;
	struct bench_figures got = {};
	struct bench_plan plan;
	uint64_t cpu = 0;
	char err[200];

	bench_set__fill(&set, &len, 1, 1, reverse, true);
	plan_for(&plan, b, &set);
	plan.flows = flows;
	plan.seconds = b->seconds / 4;
	if (bench_live__run(b->live, &b->wire, &plan, threads, &got, err, sizeof(err)))
		return;
	plan.seconds = b->seconds;
	if (running->server.pid > 0)
		cpu = server__cpu_ns(&running->server);
	if (bench_live__run(b->live, &b->wire, &plan, threads, &got, err, sizeof(err))) {
		fprintf(stderr, "bench: %s\n", err);
		return;
	}
	/* dropped requests never come back: what was sent is what the bound can do */
	if (running->candidate->kind == BENCH_NOTHING)
		got.replies = got.sent;
	if (!got.replies || server_interrupted)
		return;
	r->rate = (double)got.replies / got.seconds;
	r->answered = (double)got.replies / (double)got.sent;
	if (cpu)
		r->cpu_ns = (double)(server__cpu_ns(&running->server) - cpu) / (double)got.replies;
	bench_rows__add(&b->rows, r);
}

/* Round trips with one request under way. */
static void measure_latency(struct bench *b, struct bench_row *r)
{
	static const double percents[] = { 50, 90, 99, 99.9, 100 };
	static struct bench_set set;
	const uint16_t len = (uint16_t)r->payload;
	struct bench_figures got = { .rtt = b->rtt };
	struct bench_plan plan;
	char err[200];

	bench_set__fill(&set, &len, 1, 1, false, true);
	plan_for(&plan, b, &set);
	plan.outstanding = 1;
	plan.requests = 200;
	if (bench_live__run(b->live, &b->wire, &plan, 1, &got, err, sizeof(err)))
		return;
	memset(b->rtt, 0, sizeof(*b->rtt));
	plan.requests = 0;
	plan.seconds = b->seconds * 2;
	got.rtt = b->rtt;
	if (bench_live__run(b->live, &b->wire, &plan, 1, &got, err, sizeof(err)) ||
	    !b->rtt->total || server_interrupted)
		return;
	for (int i = 0; i < BENCH_PERCENTILES; i++)
		r->us[i] = (double)bench_histogram__at(b->rtt, percents[i]) / 1000;
	r->answered = (double)got.replies / (double)got.sent;
	bench_rows__add(&b->rows, r);
}

/* All measurements of one candidate that stands. */
static void measure(struct bench *b, struct bench_running *running, unsigned round)
{
	const struct bench_candidate *c = running->candidate;
	const uint16_t *list = b->quick ? few_sizes : sizes;
	unsigned count = b->quick ? 3 : 8;
	struct bench_row r;

	b->wire.hairpin = c->kind == BENCH_XDPTX;
	for (int reverse = 0; reverse < (c->kind == BENCH_XFN ? 2 : 1); reverse++) {
		const char *function = reverse ? "reverse" : "echo";

		b->wire.port = reverse ? 1232 : 7;
		move_to(OTHER_CPU, false);
		if (c->kind != BENCH_NOTHING && !checked(b, c, reverse))
			continue;
		for (unsigned i = 0; i < 3 && !server_interrupted; i++)
			measure_rate(b, running,
				     row(&r, "two-core", c->name, function, few_sizes[i], round),
				     reverse, FLOWS, 1);
		if (!reverse && c->kind != BENCH_NOTHING)
			for (int i = 0; i < 2 && !server_interrupted; i++)
				measure_latency(b, row(&r, "latency", c->name, function,
						       i ? 800 : 64, round));
		/* the other way round: a spinning server would leave the generator no time */
		if (c->spins)
			continue;
		move_to(SERVER_CPU, true);
		for (unsigned i = 0; i < count && !server_interrupted; i++)
			measure_rate(b, running,
				     row(&r, "one-core", c->name, function, list[i], round),
				     reverse, FLOWS, 1);
	}
	move_to(OTHER_CPU, false);
}

static void one_candidate(struct bench *b, unsigned index, const struct bench_candidate *c,
			  unsigned round)
{
	struct bench_running running;
	char why[300];

	move_to(OTHER_CPU, false);
	if (bench_servers__start(&b->stage, c, &running, why, sizeof(why))) {
		if (!b->absent[index] && !server_interrupted)
			fprintf(stderr, "bench: %s left out: %s\n", c->name, why);
		b->absent[index] = true;
		return;
	}
	measure(b, &running, round);
	bench_servers__stop(&running);
}

/* Rates that must not fall: with many functions, many flows, and with a second queue they rise. */
static void scale(struct bench *b, unsigned round)
{
	static char names[1000][64];
	static char *many[1001];
	char *one[] = { b->stage.modules[0], NULL };
	struct bench_candidate c = *bench_servers__find("xdp-trust");
	struct bench_running running;
	struct bench_row r;
	char why[300];

	b->wire.hairpin = false;
	b->wire.port = 7;
	for (int all = 0; all < 2 && !server_interrupted; all++) {
		struct bench_stage stage = b->stage;

		for (unsigned i = 0; i < 1000; i++) {
			snprintf(names[i], sizeof(names[i]), "%.40s@%u", one[0], 7 + i);
			many[i] = names[i];
		}
		stage.modules = all ? many : one;
		move_to(OTHER_CPU, false);
		if (bench_servers__start(&stage, &c, &running, why, sizeof(why))) {
			fprintf(stderr, "bench: %s functions: %s\n", all ? "1000" : "1", why);
			b->faults++;
			return;
		}
		running.stage = &b->stage;
		move_to(SERVER_CPU, true);
		measure_rate(b, &running,
			     row(&r, "scale", all ? "xdp-1000-functions" : "xdp-1-function", "echo",
				 64, round),
			     false, FLOWS, 1);
		for (int flows = 0; !all && flows < 2; flows++)
			measure_rate(b, &running,
				     row(&r, "scale", flows ? "xdp-1000000-flows" : "xdp-1-flow",
					 "echo", 64, round),
				     false, flows ? 1000000 : 1, 1);
		move_to(OTHER_CPU, false);
		bench_servers__stop(&running);
	}
}

/* The same candidate on a lab of one queue and of two, by as many CPUs. */
static void queues(struct bench *b, unsigned round)
{
	static const char *const names[] = { "xdp-trust", "afxdp" };

	for (unsigned i = 0; i < 2 && !server_interrupted; i++) {
		struct bench_stage stage = b->stage;
		struct bench_running running;
		char why[300], name[24];

		stage.cpu = b->stage.queues > 1 ? -1 : SERVER_CPU;
		move_to(OTHER_CPU, false);
		if (bench_servers__start(&stage, bench_servers__find(names[i]), &running, why,
					 sizeof(why))) {
			fprintf(stderr, "bench: %s: %s\n", names[i], why);
			b->faults++;
			return;
		}
		/* each queue's worker on the CPU that its frames come from */
		server__spread(&running.server, 2);
		for (unsigned n = 1; n <= 2; n++) {
			struct bench_row r;

			snprintf(name, sizeof(name), "%s-%u-queue%s", i ? "afxdp" : "xdp", n,
				 n > 1 ? "s" : "");
			move_to(SERVER_CPU, true);
			measure_rate(b, &running, row(&r, "scale", name, "echo", 64, round), false,
				     FLOWS, n);
		}
		move_to(OTHER_CPU, false);
		bench_servers__stop(&running);
	}
}

static int mac_of(const char *netns, const char *ifname, uint8_t mac[6], unsigned *index)
{
	struct ifreq req = {};
	int ret = netns ? server__enter(netns) : 0;
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", ifname);
	if (!ret && ioctl(sock, SIOCGIFHWADDR, &req))
		ret = -errno;
	memcpy(mac, req.ifr_hwaddr.sa_data, 6);
	*index = if_nametoindex(ifname);
	close(sock);
	return ret;
}

static int raise_stage(struct bench *b, const char *lab)
{
	static char server_ns[48], client_ns[48], server_if[IF_NAMESIZE], client_if[IF_NAMESIZE];
	char *gro[] = { "ethtool", "-K", server_if, "gro", "on", NULL };
	const char *suffix = strcmp(lab, "xfn") ? lab : "";
	struct server ethtool;
	unsigned index;
	char err[300];

	snprintf(server_ns, sizeof(server_ns), "%s-server", lab);
	snprintf(client_ns, sizeof(client_ns), "%s-client", lab);
	snprintf(server_if, sizeof(server_if), "xfns0%.10s", suffix);
	snprintf(client_if, sizeof(client_if), "xfnc0%.10s", suffix);
	b->stage.server_ns = server_ns;
	b->stage.server_if = server_if;
	b->stage.cpu = SERVER_CPU;
	/* live frames reach an interface without XDP only where it has GRO */
	if (server__start(&ethtool, server_ns, -1, false, gro))
		return -1;
	server__said(&ethtool, "", 5000);
	server__stop(&ethtool);
	if (mac_of(server_ns, server_if, b->wire.target_mac, &b->stage.server_index) ||
	    mac_of(client_ns, client_if, b->wire.source_mac, &index)) {
		fprintf(stderr, "bench: the lab %s is not there\n", lab);
		return -1;
	}
	inet_pton(AF_INET, "10.78.0.2", b->wire.source);
	inet_pton(AF_INET, "10.78.0.1", b->wire.target);
	if (bench_live__open(client_if, &b->live, err, sizeof(err))) {
		fprintf(stderr, "bench: %s\n", err);
		return -1;
	}
	b->stage.live = b->live;
	return 0;
}

static uint64_t seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec;
}

static int run(struct bench *b)
{
	unsigned count;
	const struct bench_candidate *all = bench_servers__all(&count);
	uint64_t begin = seconds_now();

	for (unsigned round = 1; round <= b->rounds && !server_interrupted; round++) {
		if (b->stage.queues > 1) {
			queues(b, round);
			continue;
		}
		for (unsigned i = 0; i < count && !server_interrupted; i++) {
			if (!wanted(b, &all[i]) || b->absent[i])
				continue;
			fprintf(stderr, "\r\033[Kround %u of %u, %llu s: %s", round, b->rounds,
				(unsigned long long)(seconds_now() - begin), all[i].name);
			one_candidate(b, i, &all[i], round);
		}
		if (!b->only_count && !server_interrupted)
			scale(b, round);
	}
	fprintf(stderr, "\r\033[K");
	return server_interrupted ? 130 : b->faults ? 1 : 0;
}

static const struct argp_option options[] = {
	{ "rounds", 'r', "N", 0, "Rounds (default: 5)", 0 },
	{ "quick", 'q', NULL, 0, "Three payload lengths, shorter measurements, 3 rounds", 0 },
	{ "only", 'o', "NAME", 0, "This candidate only; may be repeated", 0 },
	{ "queues", 'Q', "N", 0, "The lab has N queues: measure how rates rise with them", 0 },
	{ "report", 'R', "FLOORS", 0,
	  "Measure nothing: tables and plots of what was, held against the file of floors; exit "
	  "status 1 where a figure fell",
	  0 },
	{ "folder", 'f', "DIR", 0, "Where results.csv and plots go (default: build/figures)", 0 },
	{}
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct bench *b = state->input;

	switch (key) {
	case 'r':
		b->rounds = (unsigned)atoi(arg);
		if (!b->rounds || b->rounds > 1000)
			argp_error(state, "--rounds '%s': take 1 to 1000", arg);
		return 0;
	case 'q':
		b->quick = true;
		return 0;
	case 'o':
		if (!bench_servers__find(arg) || b->only_count == CANDIDATES)
			argp_error(state, "--only '%s': no such candidate", arg);
		b->only[b->only_count++] = arg;
		return 0;
	case 'Q':
		b->stage.queues = (unsigned)atoi(arg);
		return 0;
	case 'R':
		b->floors = arg;
		return 0;
	case 'f':
		b->folder = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* Tables, plots and ledger of what was measured last. */
static int report(struct bench *b)
{
	char path[600];
	int fell;

	snprintf(path, sizeof(path), "%s/results.csv", b->folder);
	if (bench_rows__read(&b->rows, path))
		return 1;
	snprintf(path, sizeof(path), "%s/queues.csv", b->folder);
	if (!access(path, R_OK))
		bench_rows__read(&b->rows, path);
	bench_report__tables(&b->rows, stdout);
	fell = bench_report__ledger(&b->rows, b->floors, stdout);
	if (!bench_report__plots(&b->rows, b->folder))
		printf("\nPlots: %s/*.svg; every row: %s/results.csv\n", b->folder, b->folder);
	bench_rows__free(&b->rows);
	return fell ? 1 : 0;
}

int main(int argc, char **argv)
{
	static char echo[512], reverse[512], path[600];
	static char *modules[] = { echo, reverse, NULL };
	static const struct argp argp = {
		options,
		parse,
		NULL,
		"Measures in the lab, as root: xfn lab run -n xfnbench -- build/bench\n"
		"`make bench` does, and reports.",
		NULL,
		NULL,
		NULL
	};
	struct sigaction act = { .sa_handler = on_signal };
	static struct bench b = { .folder = "build/figures", .stage = { .queues = 1 } };
	int status, quiet;

	if (argc == 4 && !strcmp(argv[1], "--bare-afxdp"))
		return bench_bare__serve(argv[2], atoi(argv[3]), false);
	argp_parse(&argp, argc, argv, 0, NULL, &b);
	if (b.floors)
		return report(&b);
	b.rounds = b.rounds ?: b.quick ? 3 : 5;
	b.seconds = b.quick ? 0.1 : 0.15;
	b.rtt = calloc(1, sizeof(*b.rtt));
	if (!getenv("XFN_LAB") || !b.rtt || !server__beside("functions/echo.xfn", echo, 500)) {
		fprintf(stderr, "bench: wants the lab and root: `make bench`\n");
		return 2;
	}
	server__beside("functions/reverse.xfn", reverse, sizeof(reverse));
	b.stage.modules = modules;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	if (mkdir(b.folder, 0755) && errno != EEXIST) {
		fprintf(stderr, "bench: %s: %s\n", b.folder, strerror(errno));
		return 1;
	}
	snprintf(path, sizeof(path), "%s/%s", b.folder,
		 b.stage.queues > 1 ? "queues.csv" : "results.csv");
	quiet = quiet_the_machine();
	status = raise_stage(&b, getenv("XFN_LAB")) ? 1 : run(&b);
	bench_live__close(b.live);
	if (b.rows.count && bench_rows__write(&b.rows, path))
		status = 1;
	bench_rows__free(&b.rows);
	free(b.rtt);
	if (quiet >= 0)
		close(quiet);
	return status;
}
