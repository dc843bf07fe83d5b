// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The bench's rows as SVG plots, drawn by gnuplot. Each says what it shows without a text beside
 * it. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "../../skel/array_size.h"
#include "report.h"

#define NAMES	 40
#define PAYLOADS 16
#define NEW_LINE "\\n" /* gnuplot's */

/* Gerling, 2018: thousand packets a second by frame size, 10 GbE, generic mode, one thread and one
 * queue. */
static const unsigned prior_sizes[] = { 200, 400, 600, 800, 1000, 1200, 1400 };
static const struct {
	const char *name;
	unsigned kpps[7];
} prior[] = {
	{ "2018: AF_XDP 1T1Q", { 1359, 1148, 932, 775, 667, 591, 530 } },
	{ "2018: recvmmsg 1T1Q", { 463, 371, 321, 274, 241, 219, 199 } },
	{ "2018: recvfrom", { 220, 184, 184, 169, 167, 152, 140 } },
};
static const double prior_p50_us[] = { 22, 34, 30 }; /* at 800 bytes, in the same order */

/* A colour for each way, lighter for its variants, broken lines for what is not ours. */
static const char *style_of(const char *name)
{
	static const struct {
		const char *name, *style;
	} styles[] = {
		{ "none", "dt 3 lw 2 lc '#aaaaaa' pt 2" },
		{ "bounce", "dt 2 lw 2 lc '#08306b' pt 4" },
		{ "xdp", "lw 3 lc '#2171b5' pt 7" },
		{ "xdp-trust", "lw 3 lc '#6baed6' pt 7" },
		{ "xdp-bench", "dt 4 lw 2 lc '#08306b' pt 6" },
		{ "bounce-generic", "dt 2 lw 2 lc '#54278f' pt 4" },
		{ "xdp-generic", "lw 3 lc '#9e9ac8' pt 7" },
		{ "bare-afxdp", "dt 2 lw 2 lc '#00441b' pt 4" },
		{ "afxdp", "lw 3 lc '#238b45' pt 9" },
		{ "afxdp-trust", "lw 3 lc '#74c476' pt 9" },
		{ "afxdp-spin", "lw 3 lc '#a1d99b' pt 11" },
		{ "testpmd-afxdp", "dt 4 lw 2 lc '#00441b' pt 6" },
		{ "packet", "lw 3 lc '#d94801' pt 5" },
		{ "testpmd-packet", "dt 4 lw 2 lc '#7f2704' pt 6" },
		{ "uring", "lw 3 lc '#cb181d' pt 13" },
		{ "mmsg", "lw 3 lc '#e7298a' pt 13" },
		{ "simple", "lw 3 lc '#8c6d31' pt 13" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(styles); i++)
		if (!strcmp(styles[i].name, name))
			return styles[i].style;
	return "lw 2 lc '#000000' pt 1";
}

/* The highest line first, so that the key stands as the lines do. */
static void order(const struct bench_rows *rows, struct bench_query q, const char *names[],
		  unsigned count)
{
	double at[NAMES];

	for (unsigned i = 0; i < count; i++) {
		q.candidate = names[i];
		at[i] = bench_report__spread(rows, &q).median;
	}
	for (unsigned i = 1; i < count; i++)
		for (unsigned k = i; k && at[k - 1] < at[k]; k--) {
			const char *name = names[k];
			double v = at[k];

			names[k] = names[k - 1];
			at[k] = at[k - 1];
			names[k - 1] = name;
			at[k - 1] = v;
		}
}

static FILE *begin(const char *folder, const char *file, const char *title)
{
	FILE *g = popen("gnuplot", "we");

	if (!g)
		return NULL;
	fprintf(g,
		"set terminal svg size 1100,700 font 'sans,14' background '#ffffff'\n"
		"set output '%s/%s'\nset title \"%s\" noenhanced\nset grid ytics lc '#dddddd'\nset border 3\n"
		"set tics nomirror\nset key outside right center samplen 2 spacing 1.1 noenhanced\n",
		folder, file, title);
	return g;
}

static int end(FILE *g, const char *folder, const char *file)
{
	int ret = g ? pclose(g) : -1;

	if (ret)
		fprintf(stderr, "bench: %s/%s: gnuplot failed; install gnuplot-nox\n", folder,
			file);
	return ret ? -EIO : 0;
}

/* A block of data: x and the median of the rounds, with least and most. False: nothing there. */
static bool block(FILE *g, unsigned i, const struct bench_rows *rows, struct bench_query q,
		  bool bits)
{
	unsigned payloads[PAYLOADS], lengths;
	bool any = false;

	lengths = bench_report__payloads(rows, q.section, q.function, payloads, PAYLOADS);
	for (unsigned k = 0; k < lengths; k++) {
		double unit = bits ? payloads[k] * 8 / 1e9 : 1e-6;
		struct bench_spread s;

		q.payload = payloads[k];
		s = bench_report__spread(rows, &q);
		if (!s.count)
			continue;
		if (!any)
			fprintf(g, "$d%u << EOD\n", i);
		any = true;
		fprintf(g, "%u %g %g %g\n", payloads[k], s.median * unit, s.least * unit,
			s.most * unit);
	}
	if (any)
		fputs("EOD\n", g);
	return any;
}

/* A plot of candidates over the payload's length. */
struct plot {
	const char *file, *title, *section, *function;
	bool bits; /* payload answered, not replies */
	bool old;  /* with the prior work's lines */
};

static int by_size(const struct bench_rows *rows, const char *folder, const struct plot *plot)
{
	struct bench_query q = { .section = plot->section,
				 .function = plot->function,
				 .value = BENCH_RATE };
	const char *names[NAMES];
	unsigned payloads[PAYLOADS], count, drawn = 0;
	bool old = plot->old;
	FILE *g;

	count = bench_report__names(rows, q.section, q.function, names, NAMES);
	if (!count)
		return 0;
	g = begin(folder, plot->file, plot->title);
	if (!g)
		return end(g, folder, plot->file);
	q.payload =
		payloads[bench_report__payloads(rows, q.section, q.function, payloads, PAYLOADS) /
			 2];
	order(rows, q, names, count);
	for (unsigned i = 0; i < count; i++) {
		q.candidate = names[i];
		if (!block(g, i, rows, q, plot->bits))
			names[i] = NULL;
	}
	for (unsigned p = 0; old && p < ARRAY_SIZE(prior); p++) {
		fprintf(g, "$p%u << EOD\n", p);
		for (unsigned k = 0; k < 7; k++)
			fprintf(g, "%u %g\n", prior_sizes[k], prior[p].kpps[k] / 1e3);
		fputs("EOD\n", g);
	}
	fprintf(g, "set xlabel '%s'\nset ylabel '%s'\nset logscale y\nset xrange [0:1450]\nplot ",
		old ? "UDP payload (2018: frame) in bytes" : "UDP payload in bytes",
		plot->bits ? "payload answered, Gbit/s" : "million replies per second");
	for (unsigned i = 0; i < count; i++)
		if (names[i])
			fprintf(g, "%s$d%u using 1:2:3:4 with yerrorlines ps 0.6 %s title \"%s\"",
				drawn++ ? ", " : "", i, style_of(names[i]), names[i]);
	for (unsigned p = 0; old && p < ARRAY_SIZE(prior); p++)
		fprintf(g, "%s$p%u with linespoints dt 2 lw 2 lc '#888888' pt %u title \"%s\"",
			drawn++ ? ", " : "", p, 1 + p, prior[p].name);
	fputs("\n", g);
	return end(g, folder, plot->file);
}

static int latencies(const struct bench_rows *rows, const char *folder)
{
	static const char *const marks[] = { "p50", "p90", "p99", "p99.9" };
	const char *names[NAMES];
	FILE *g = begin(
		folder, "latency.svg",
		"Round trip of 800 bytes, one request under way, generator on a CPU of its own" NEW_LINE
		"(2018: a 10 GbE wire between two hosts)");
	unsigned count = bench_report__names(rows, "latency", "echo", names, NAMES), drawn = 0;

	order(rows, (struct bench_query){ "latency", NULL, "echo", NULL, 800, BENCH_US }, names,
	      count);
	if (!g)
		return end(g, folder, "latency.svg");
	for (unsigned i = 0; i < count; i++) {
		fprintf(g, "$d%u << EOD\n", i);
		for (unsigned p = 0; p < 4; p++) {
			const struct bench_query q = { "latency", names[i], "echo",
						       NULL,	  800,	    BENCH_US + p };

			fprintf(g, "%u %s %g\n", p, marks[p],
				bench_report__spread(rows, &q).median);
		}
		fputs("EOD\n", g);
	}
	for (unsigned p = 0; p < 3; p++)
		fprintf(g, "$p%u << EOD\n0 p50 %g\nEOD\n", p, prior_p50_us[p]);
	fputs("set xlabel 'percentile'\nset ylabel 'microseconds'\nset logscale y\nset xrange "
	      "[-0.3:3.3]\nplot ",
	      g);
	for (unsigned i = 0; i < count; i++)
		fprintf(g, "%s$d%u using 1:3:xtic(2) with linespoints ps 0.6 %s title \"%s\"",
			drawn++ ? ", " : "", i, style_of(names[i]), names[i]);
	for (unsigned p = 0; p < 3; p++)
		fprintf(g, ", $p%u using 1:3 with points lc '#888888' pt %u ps 1.2 title \"%s\"", p,
			1 + p, prior[p].name);
	fputs("\n", g);
	return end(g, folder, "latency.svg");
}

static int scaling(const struct bench_rows *rows, const char *folder)
{
	static const struct {
		const char *label, *more, *one;
	} pairs[] = {
		{ "1000 functions\\nagainst 1", "xdp-1000-functions", "xdp-1-function" },
		{ "a million flows\\nagainst 1", "xdp-1000000-flows", "xdp-1-flow" },
		{ "2 queues against 1,\\ntier xdp", "xdp-2-queues", "xdp-1-queue" },
		{ "2 queues against 1,\\ntier afxdp", "afxdp-2-queues", "afxdp-1-queue" },
		{ "2 workers against 1,\\n1 queue", "afxdp-1-queue-2-workers",
		  "afxdp-1-queue-1-worker" },
		{ "2 workers against 1,\\n2 queues", "afxdp-2-queues-2-workers",
		  "afxdp-2-queues-1-worker" },
	};
	FILE *g = begin(folder, "scaling.svg",
			"What more of it does to the rate" NEW_LINE
			"(64 bytes; median of the rounds' ratios, least and most)");

	if (!g)
		return end(g, folder, "scaling.svg");
	fputs("$d << EOD\n", g);
	for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++) {
		const struct bench_query q = { "scale", pairs[i].more, "echo", pairs[i].one,
					       64,	BENCH_RATE };
		struct bench_spread s = bench_report__spread(rows, &q);

		if (s.count)
			fprintf(g, "%u %g %g %g \"%s\"\n", i, s.median, s.least, s.most,
				pairs[i].label);
	}
	fputs("EOD\nset ylabel 'rate with more / rate with one'\nset yrange [0:2.2]\n"
	      "set bmargin 5\nset boxwidth 0.5\nset style fill solid 0.6\nset key off\nset xrange [-0.6:5.6]\n"
	      "plot $d using 1:2:xtic(5) with boxes lc '#4477aa', $d using 1:2:3:4 with yerrorbars lc "
	      "'#222222' pt 0 lw 2, $d using 1:($2 + 0.12):(sprintf('%.2f', $2)) with labels\n",
	      g);
	return end(g, folder, "scaling.svg");
}

int bench_report__plots(const struct bench_rows *rows, const char *folder)
{
	static const struct plot plots[] = {
		{ "packets-one-core.svg",
		  "echo: replies per second, server and generator on one CPU (total cost)",
		  "one-core", "echo", false, false },
		{ "packets-two-core.svg", "echo: replies per second, generator on a CPU of its own",
		  "two-core", "echo", false, false },
		{ "throughput.svg", "echo: payload answered, server and generator on one CPU",
		  "one-core", "echo", true, false },
		{ "prior-work.svg",
		  "reverse: replies per second, server and generator on one CPU, beside the work of 2018" NEW_LINE
		  "(10 GbE, other hardware: compare shapes, not heights)",
		  "one-core", "reverse", false, true },
	};
	int ret = 0;

	for (unsigned i = 0; !ret && i < ARRAY_SIZE(plots); i++)
		ret = by_size(rows, folder, &plots[i]);
	if (ret)
		return -EIO;
	ret = latencies(rows, folder);
	ret |= scaling(rows, folder);
	return ret ? -EIO : 0;
}
