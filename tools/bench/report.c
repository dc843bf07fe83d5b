// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rows of the bench as a file, as tables, and against the floors. Measures nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "report.h"

#define ROUNDS 1000
#define HEAD                                                                                       \
	"section,candidate,function,payload,round,rate,answered,cpu_ns,p50_us,p90_us,p99_us,"      \
	"p999_us,max_us\n"

void bench_rows__add(struct bench_rows *rows, const struct bench_row *row)
{
	if (rows->count == rows->room) {
		rows->room = rows->room ? 2 * rows->room : 256;
		rows->rows = reallocarray(rows->rows, rows->room, sizeof(*rows->rows));
		if (!rows->rows) {
			fputs("bench: out of memory\n", stderr);
			exit(1);
		}
	}
	rows->rows[rows->count++] = *row;
}

void bench_rows__free(struct bench_rows *rows)
{
	free(rows->rows);
	*rows = (struct bench_rows){};
}

int bench_rows__write(const struct bench_rows *rows, const char *path)
{
	/* never through a link that somebody else has put there */
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	bool bad;

	if (f)
		fputs(HEAD, f);
	for (unsigned i = 0; f && i < rows->count; i++) {
		const struct bench_row *r = &rows->rows[i];

		fprintf(f, "%s,%s,%s,%u,%u,%.0f,%.4f,%.1f,%.3f,%.3f,%.3f,%.3f,%.3f\n", r->section,
			r->candidate, r->function, r->payload, r->round, r->rate, r->answered,
			r->cpu_ns, r->us[0], r->us[1], r->us[2], r->us[3], r->us[4]);
	}
	bad = !f || ferror(f);
	if (f && fclose(f))
		bad = true;
	if (bad)
		fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
	return bad ? -EIO : 0;
}

int bench_rows__read(struct bench_rows *rows, const char *path)
{
	FILE *f = fopen(path, "re");
	char line[512];

	if (!f) {
		fprintf(stderr, "bench: %s: %s; `make bench` writes it\n", path, strerror(errno));
		return -ENOENT;
	}
	while (fgets(line, sizeof(line), f)) {
		struct bench_row r = {};

		if (sscanf(line, "%15[^,],%23[^,],%15[^,],%u,%u,%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf",
			   r.section, r.candidate, r.function, &r.payload, &r.round, &r.rate,
			   &r.answered, &r.cpu_ns, &r.us[0], &r.us[1], &r.us[2], &r.us[3],
			   &r.us[4]) == 13)
			bench_rows__add(rows, &r);
	}
	fclose(f);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct bench_spread indirection_of(double *values, unsigned count)
{
	struct bench_spread s = { .count = count };

	if (!count)
		return s;
	qsort(values, count, sizeof(*values), by_value);
	s.least = values[0];
	s.most = values[count - 1];
	s.median = count & 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
	return s;
}

static double value_of(const struct bench_row *r, unsigned which)
{
	return which == BENCH_RATE   ? r->rate :
	       which == BENCH_CPU_NS ? r->cpu_ns :
				       r->us[which - BENCH_US];
}

static const struct bench_row *find(const struct bench_rows *rows, const char *section,
				    const char *candidate, const char *function, unsigned payload,
				    unsigned round)
{
	for (unsigned i = 0; i < rows->count; i++) {
		const struct bench_row *r = &rows->rows[i];

		if (r->payload == payload && r->round == round && !strcmp(r->section, section) &&
		    !strcmp(r->candidate, candidate) && !strcmp(r->function, function))
			return r;
	}
	return NULL;
}

struct bench_spread bench_report__spread(const struct bench_rows *rows, const struct bench_query *q)
{
	double values[ROUNDS];
	unsigned n = 0;

	for (unsigned round = 1; round <= ROUNDS; round++) {
		const struct bench_row *r =
			find(rows, q->section, q->candidate, q->function, q->payload, round);
		const struct bench_row *ref = q->reference ? find(rows, q->section, q->reference,
								  q->function, q->payload, round) :
							     NULL;

		if (!r || (q->reference && (!ref || value_of(ref, q->value) <= 0)))
			continue;
		values[n++] = value_of(r, q->value) / (ref ? value_of(ref, q->value) : 1);
	}
	return indirection_of(values, n);
}

/* The next row of a section and function from *i on, which moves behind it. NULL: no more. */
static const struct bench_row *next_row(const struct bench_rows *rows, const char *section,
					const char *function, unsigned *i)
{
	while (*i < rows->count) {
		const struct bench_row *r = &rows->rows[(*i)++];

		if (!strcmp(r->section, section) && !strcmp(r->function, function))
			return r;
	}
	return NULL;
}

unsigned bench_report__names(const struct bench_rows *rows, const char *section,
			     const char *function, const char *names[], unsigned max)
{
	const struct bench_row *r;
	unsigned i = 0, n = 0, k;

	while ((r = next_row(rows, section, function, &i))) {
		for (k = 0; k < n && strcmp(names[k], r->candidate); k++)
			;
		if (k == n && n < max)
			names[n++] = r->candidate;
	}
	return n;
}

unsigned bench_report__payloads(const struct bench_rows *rows, const char *section,
				const char *function, unsigned payloads[], unsigned max)
{
	unsigned i = 0, n = 0, k;

	for (const struct bench_row *r; (r = next_row(rows, section, function, &i));) {
		for (k = 0; k < n && payloads[k] != r->payload; k++)
			;
		if (k == n && n < max)
			payloads[n++] = r->payload;
	}
	return n;
}

static void rate_table(const struct bench_rows *rows, const char *section, const char *function,
		       FILE *out)
{
	const char *names[64];
	unsigned payloads[16], count = bench_report__names(rows, section, function, names, 64);
	unsigned lengths = bench_report__payloads(rows, section, function, payloads, 16);

	if (!count)
		return;
	fprintf(out,
		"\n%s, %s: million replies a second by payload (half the spread of the rounds in "
		"percent)\n%-18s",
		section, function, "");
	for (unsigned k = 0; k < lengths; k++)
		fprintf(out, " %14u", payloads[k]);
	fprintf(out, " %14s\n", "CPU ns/reply");
	for (unsigned i = 0; i < count; i++) {
		struct bench_query q = { .section = section,
					 .candidate = names[i],
					 .function = function,
					 .value = BENCH_RATE };

		fprintf(out, "%-18s", names[i]);
		for (unsigned k = 0; k < lengths; k++) {
			struct bench_spread s;

			q.payload = payloads[k];
			s = bench_report__spread(rows, &q);

			if (s.count)
				fprintf(out, " %7.3f (%3.0f%%)", s.median / 1e6,
					50 * (s.most - s.least) / s.median);
			else
				fprintf(out, " %14s", "-");
		}
		q.payload = payloads[0];
		q.value = BENCH_CPU_NS;
		fprintf(out, " %14.0f\n", bench_report__spread(rows, &q).median);
	}
}

static void latency_table(const struct bench_rows *rows, FILE *out)
{
	const char *names[64];
	unsigned payloads[16], count = bench_report__names(rows, "latency", "echo", names, 64);
	unsigned lengths = bench_report__payloads(rows, "latency", "echo", payloads, 16);

	for (unsigned k = 0; k < lengths; k++) {
		fprintf(out,
			"\nround trip in us, %u bytes, one request under way, generator on a CPU of "
			"its own\n%-18s %8s %8s %8s %8s %8s\n",
			payloads[k], "", "p50", "p90", "p99", "p99.9", "max");
		for (unsigned i = 0; i < count; i++) {
			fprintf(out, "%-18s", names[i]);
			for (unsigned p = 0; p < BENCH_PERCENTILES; p++) {
				const struct bench_query q = {
					"latency", names[i], "echo", NULL, payloads[k], BENCH_US + p
				};

				fprintf(out, " %8.2f", bench_report__spread(rows, &q).median);
			}
			fputc('\n', out);
		}
	}
}

void bench_report__tables(const struct bench_rows *rows, FILE *out)
{
	static const char *const sections[] = { "one-core", "two-core", "scale" };

	for (unsigned i = 0; i < 3; i++) {
		rate_table(rows, sections[i], "echo", out);
		rate_table(rows, sections[i], "reverse", out);
	}
	latency_table(rows, out);
}

int bench_report__ledger(const struct bench_rows *rows, const char *floors, FILE *out)
{
	FILE *f = fopen(floors, "re");
	char line[512];
	int fell = 0;

	if (!f) {
		fprintf(stderr, "bench: %s: %s\n", floors, strerror(errno));
		return 1;
	}
	fprintf(out, "\n%-50s %8s %6s %16s %6s %6s\n", "the ledger of speed", "payload", "ratio",
		"spread", "floor", "goal");
	while (fgets(line, sizeof(line), f)) {
		char figure[80], section[16], function[16], candidate[24], reference[24], of[8];
		double floor, goal;
		unsigned payload;
		struct bench_spread s;
		bool less;

		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (sscanf(line, "%79[^,],%15[^,],%15[^,],%u,%23[^,],%23[^,],%7[^,],%lf,%lf",
			   figure, section, function, &payload, candidate, reference, of, &floor,
			   &goal) != 9) {
			fprintf(stderr, "bench: %s: cannot read: %s", floors, line);
			fell++;
			continue;
		}
		less = !strcmp(of, "p50"); /* the smaller, the better */
		s = bench_report__spread(
			rows,
			&(struct bench_query){ section, candidate, function, reference, payload,
					       less ? BENCH_US + BENCH_P50 : BENCH_RATE });
		if (!s.count) {
			fprintf(out, "%-50s %8u %6s %16s %6.2f %6.2f  not measured\n", figure,
				payload, "-", "", floor, goal);
			continue;
		}
		fprintf(out, "%-50s %8u %6.2f %7.2f - %6.2f %6.2f %6.2f  %s\n", figure, payload,
			s.median, s.least, s.most, floor, goal,
			(less ? s.median <= goal : s.median >= goal)   ? "goal" :
			(less ? s.median <= floor : s.median >= floor) ? "holds" :
			(less ? s.median <= floor * 1.1 : s.median >= floor / 1.1) ?
									 "below the floor, "
									 "within tolerance" :
									 "FELL");
		if (less ? s.median > floor * 1.1 : s.median < floor / 1.1)
			fell++;
	}
	fclose(f);
	if (fell)
		fprintf(out, "%d figures fell below their floor.\n", fell);
	return fell;
}
