// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `make bench`: every tier and engine and their peers side by side. A round raises a lab for each
 * candidate, has each checked reply by reply, and then measures all of them in turn, a few
 * hundredths of a second each and again, so that what the machine does meanwhile meets all alike.
 * Must never judge: report.c does.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "../../skel/array_size.h"
#include "../../skel/error.h"
#include "../arguments/number.h"
#include "machine.h"
#include "report.h"
#include "servers.h"

#define SERVER_CPU 0
#define OTHER_CPU  1
#define CHECKED	   4096 /* replies looked at, byte by byte, before a candidate is measured */
#define FLOWS	   64
#define CANDIDATES 32
#define CELLS	   64
#define PIECES_MAX 9

struct bench {
	bool quick;
	unsigned rounds, round; /* and the one of now */
	unsigned pieces;	/* of each measurement */
	double seconds;		/* of each piece */
	const char *only[CANDIDATES];
	unsigned only_count;
	const char *folder;
	const char *floors; /* report only */
	struct bench_place places[CANDIDATES];
	bool absent[CANDIDATES]; /* said once */
	struct bench_rows rows;
	unsigned faults; /* wrong replies, candidates that did not answer */
	struct bench_histogram *rtt;
};

/* One place in one row's circumstances. */
struct cell {
	struct bench_place *place;
	const char *name; /* in the rows; the candidate's where NULL */
	uint32_t flows;
	unsigned threads;
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

static bool wanted(const struct bench *b, const struct bench_candidate *c)
{
	for (unsigned i = 0; i < b->only_count; i++)
		if (!strcmp(b->only[i], c->name))
			return true;
	return !b->only_count;
}

static void plan_for(struct bench_plan *plan, const struct bench *b, const struct bench_set *set)
{
	*plan = (struct bench_plan){ .set = set,
				     .flows = FLOWS,
				     .seconds = b->seconds,
				     .timeout_ms = 50,
				     .progress = alive };
}

/* Load on a place, from its client; a spinning server gets to run for it. False: said, counted. */
static bool load(struct bench *b, struct bench_place *place, const struct bench_plan *plan,
		 unsigned threads, bool reverse, struct bench_figures *got)
{
	struct xfn_error err;
	int ret;

	place->wire.port = reverse ? 1232 : 7;
	if (place->candidate->spins)
		server__freeze(&place->server, false);
	ret = bench_place__enter(place);
	xfn_error__set(&err, "its lab is gone");
	ret = ret ?: bench_live__run(place->live, &place->wire, plan, threads, got, &err);
	if (place->candidate->spins)
		server__freeze(&place->server, true);
	if (!ret)
		return true;
	fprintf(stderr, "\nbench: %s: %s\n", place->candidate->name, err.line);
	b->faults++;
	return false;
}

/* Replies of every size, compared whole. What is wrong is said, counted and not measured. */
static void check(struct bench *b, struct bench_place *place, bool reverse)
{
	static struct bench_set set;
	struct bench_figures got = {};
	struct bench_plan plan;

	bench_set__fill(&set, sizes, 8, BENCH_POOL, reverse, false);
	plan_for(&plan, b, &set);
	plan.requests = CHECKED;
	plan.outstanding = 16;
	plan.check = true;
	if (load(b, place, &plan, 1, reverse, &got) && !got.wrong &&
	    got.replies >= CHECKED * 9 / 10)
		return;
	if (!server_interrupted) {
		fprintf(stderr, "\nbench: %s: of %d replies %llu were right, %llu wrong\n",
			place->candidate->name, CHECKED, (unsigned long long)got.replies,
			(unsigned long long)got.wrong);
		b->faults++;
	}
	place->stands = false;
}

static void name_row(struct bench_row *r, const char *section, const struct cell *cell,
		     bool reverse, unsigned payload, unsigned round)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->section, sizeof(r->section), "%s", section);
	snprintf(r->candidate, sizeof(r->candidate), "%s",
		 cell->name ?: cell->place->candidate->name);
	snprintf(r->function, sizeof(r->function), "%s", reverse ? "reverse" : "echo");
	r->payload = payload;
	r->round = round;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Replies a second of every cell, taken in turn; a cell's rate is the median of its pieces. */
static void rates(struct bench *b, const struct cell *cells, unsigned count, const char *section,
		  bool reverse, uint16_t payload)
{
	static struct bench_set set;
	static double rate[CELLS][PIECES_MAX];
	double replies[CELLS] = {}, sent[CELLS] = {}, cpu[CELLS] = {};
	struct bench_plan plan;

	bench_set__fill(&set, &payload, 1, 1, reverse, true);
	for (unsigned piece = 0; piece < b->pieces; piece++) {
		for (unsigned i = 0; i < count && !server_interrupted; i++) {
			struct bench_place *place = cells[i].place;
			struct bench_figures got = {};
			uint64_t before = 0;

			plan_for(&plan, b, &set);
			plan.flows = cells[i].flows;
			if (place->server.pid > 0)
				before = server__cpu_ns(&place->server);
			if (!load(b, place, &plan, cells[i].threads, reverse, &got))
				return;
			/* what is dropped never comes back: what was sent is the bound */
			if (place->candidate->kind == BENCH_NOTHING)
				got.replies = got.sent;
			if (place->server.pid > 0)
				cpu[i] += (double)(server__cpu_ns(&place->server) - before);
			rate[i][piece] = (double)got.replies / got.seconds;
			replies[i] += (double)got.replies;
			sent[i] += (double)got.sent;
		}
	}
	for (unsigned i = 0; i < count && !server_interrupted; i++) {
		struct bench_row r;

		name_row(&r, section, &cells[i], reverse, payload, b->round);
		if (replies[i] <= 0) {
			fprintf(stderr, "\nbench: %s, %u bytes: no reply\n", r.candidate, payload);
			b->faults++;
			continue;
		}
		qsort(rate[i], b->pieces, sizeof(rate[i][0]), by_value);
		r.rate = rate[i][b->pieces / 2];
		r.answered = replies[i] / sent[i];
		r.cpu_ns = cpu[i] / replies[i];
		bench_rows__add(&b->rows, &r);
	}
}

/* Round trips with one request under way. */
static void latency(struct bench *b, const struct cell *cell, uint16_t payload)
{
	static const double percents[] = { 50, 90, 99, 99.9, 100 };
	static struct bench_set set;
	struct bench_figures got = { .rtt = b->rtt };
	struct bench_plan plan;
	struct bench_row r;

	bench_set__fill(&set, &payload, 1, 1, false, true);
	memset(b->rtt, 0, sizeof(*b->rtt));
	plan_for(&plan, b, &set);
	plan.outstanding = 1;
	plan.seconds = b->seconds * 3;
	if (!load(b, cell->place, &plan, 1, false, &got) || !b->rtt->total || server_interrupted)
		return;
	name_row(&r, "latency", cell, false, payload, b->round);
	for (int i = 0; i < BENCH_PERCENTILES; i++)
		r.us[i] = (double)bench_histogram__at(b->rtt, percents[i]) / 1000;
	r.answered = (double)got.replies / (double)got.sent;
	bench_rows__add(&b->rows, &r);
}

/* What stands and may take part: serves `reverse` where that is asked, and may share a CPU. */
static unsigned pick(struct bench *b, struct cell *cells, bool reverse, bool one_core)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CANDIDATES; i++) {
		struct bench_place *place = &b->places[i];
		const struct bench_candidate *c = place->candidate;

		if (!place->stands || c->functions || c->queues || (one_core && c->spins) ||
		    (reverse && c->kind != BENCH_XFN))
			continue;
		cells[n++] = (struct cell){ .place = place, .flows = FLOWS, .threads = 1 };
	}
	return n;
}

static struct bench_place *standing(struct bench *b, const char *name)
{
	for (unsigned i = 0; i < CANDIDATES; i++)
		if (b->places[i].stands && !strcmp(b->places[i].candidate->name, name))
			return &b->places[i];
	return NULL;
}

/* Rates that must not fall with many functions and flows, and that rise with a second queue. */
static void scale(struct bench *b)
{
	static const struct {
		const char *candidate, *name;
		uint32_t flows;
		unsigned threads;
	} pairs[][2] = {
		{ { "xdp-1-function", NULL, FLOWS, 1 }, { "xdp-1000-functions", NULL, FLOWS, 1 } },
		{ { "xdp-trust", "xdp-1-flow", 1, 1 },
		  { "xdp-trust", "xdp-1000000-flows", 1000000, 1 } },
		{ { "xdp-queues", "xdp-1-queue", FLOWS, 1 },
		  { "xdp-queues", "xdp-2-queues", FLOWS, 2 } },
		{ { "afxdp-queues", "afxdp-1-queue", FLOWS, 1 },
		  { "afxdp-queues", "afxdp-2-queues", FLOWS, 2 } },
		{ { "afxdp-queues", "afxdp-1-queue-1-worker", FLOWS, 1 },
		  { "afxdp-workers", "afxdp-1-queue-2-workers", FLOWS, 1 } },
		{ { "afxdp-queues", "afxdp-2-queues-1-worker", FLOWS, 2 },
		  { "afxdp-workers", "afxdp-2-queues-2-workers", FLOWS, 2 } },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct cell cells[2];
		unsigned n = 0;

		for (; n < 2; n++) {
			cells[n] = (struct cell){ .place = standing(b, pairs[i][n].candidate),
						  .name = pairs[i][n].name,
						  .flows = pairs[i][n].flows,
						  .threads = pairs[i][n].threads };
			if (!cells[n].place)
				break;
		}
		if (n == 2 && !server_interrupted)
			rates(b, cells, 2, "scale", false, 64);
	}
}

static uint64_t seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec;
}

static void say(const struct bench *b, uint64_t begin, const char *what)
{
	fprintf(stderr, "\r\033[Kround %u of %u, %llu s: %s", b->round, b->rounds,
		(unsigned long long)(seconds_now() - begin), what);
}

static void set_up(struct bench *b, uint64_t begin)
{
	unsigned count;
	const struct bench_candidate *all = bench_servers__all(&count);
	struct xfn_error why;

	for (unsigned i = 0; i < count && !server_interrupted; i++) {
		struct bench_place *place = &b->places[i];

		if (!wanted(b, &all[i]) || b->absent[i])
			continue;
		say(b, begin, all[i].name);
		if (bench_place__up(place, &all[i], i, &why)) {
			if (!server_interrupted)
				fprintf(stderr, "\nbench: %s left out: %s\n", all[i].name,
					why.line);
			b->absent[i] = true;
			/* a peer that is not here is none of our faults */
			if (all[i].kind == BENCH_XFN)
				b->faults++;
			continue;
		}
		for (int reverse = 0; reverse < 2 && place->stands; reverse++)
			if (all[i].kind != BENCH_NOTHING &&
			    (!reverse || (all[i].kind == BENCH_XFN && !all[i].functions)))
				check(b, place, reverse);
	}
}

static void one_round(struct bench *b, uint64_t begin)
{
	const uint16_t *list = b->quick ? few_sizes : sizes;
	unsigned lengths = b->quick ? 3 : 8, n;
	struct cell cells[CELLS];

	bench_machine__move(OTHER_CPU, false);
	set_up(b, begin);
	for (int reverse = 0; reverse < 2; reverse++) {
		say(b, begin, reverse ? "reverse" : "echo");
		bench_machine__move(OTHER_CPU, false);
		n = pick(b, cells, reverse, false);
		for (unsigned i = 0; i < 3 && !server_interrupted; i++)
			rates(b, cells, n, "two-core", reverse, few_sizes[i]);
		for (unsigned i = 0; i < 2 * n && !reverse && !server_interrupted; i++)
			latency(b, &cells[i % n], i < n ? 64 : 800);
		bench_machine__move(SERVER_CPU, true);
		n = pick(b, cells, reverse, true);
		for (unsigned i = 0; i < lengths && !server_interrupted; i++)
			rates(b, cells, n, "one-core", reverse, list[i]);
	}
	say(b, begin, "scale");
	scale(b);
	bench_machine__move(OTHER_CPU, false);
	for (unsigned i = 0; i < CANDIDATES; i++)
		if (b->places[i].candidate)
			bench_place__down(&b->places[i]);
}

static int run(struct bench *b)
{
	uint64_t begin = seconds_now();

	for (b->round = 1; b->round <= b->rounds && !server_interrupted; b->round++)
		one_round(b, begin);
	fprintf(stderr, "\r\033[K");
	return server_interrupted ? 130 : b->faults ? 1 : 0;
}

static const struct argp_option options[] = {
	{ "rounds", 'r', "N", 0, "Rounds, each with labs of its own (default: 5)", 0 },
	{ "quick", 'q', NULL, 0, "Three payload lengths, 3 rounds", 0 },
	{ "only", 'o', "NAME", 0, "This candidate only; may be repeated", 0 },
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
		if (!xfn_number__whole(arg, 1, 1000, &b->rounds))
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
	bench_report__tables(&b->rows, stdout);
	fell = bench_report__ledger(&b->rows, b->floors, stdout);
	if (!bench_report__plots(&b->rows, b->folder))
		printf("\nPlots: %s/*.svg; every row: %s/results.csv\n", b->folder, b->folder);
	bench_rows__free(&b->rows);
	return fell ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		options, parse,
		NULL,	 "Measures in labs of its own, as root. `make bench` does, and reports.",
		NULL,	 NULL,
		NULL
	};
	struct sigaction act = { .sa_handler = on_signal };
	static struct bench b = { .folder = "build/figures" };
	char path[600];
	int status, quiet;

	if (argc == 4 && !strcmp(argv[1], "--bare-afxdp"))
		return bench_bare__serve(argv[2], atoi(argv[3]));
	argp_parse(&argp, argc, argv, 0, NULL, &b);
	if (b.floors)
		return report(&b);
	if (geteuid()) {
		fprintf(stderr, "bench: namespaces and XDP want root\n");
		return 1;
	}
	b.rounds = b.rounds ?: b.quick ? 3 : 5;
	b.pieces = b.quick ? 3 : 5;
	b.seconds = 0.03;
	b.rtt = calloc(1, sizeof(*b.rtt));
	if (!b.rtt || (mkdir(b.folder, 0755) && errno != EEXIST)) {
		fprintf(stderr, "bench: %s: %s\n", b.folder, strerror(errno));
		return 1;
	}
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	snprintf(path, sizeof(path), "%s/results.csv", b.folder);
	quiet = bench_machine__quiet();
	status = run(&b);
	if (b.rows.count && bench_rows__write(&b.rows, path))
		status = 1;
	bench_rows__free(&b.rows);
	free(b.rtt);
	if (quiet >= 0)
		close(quiet);
	return status;
}
