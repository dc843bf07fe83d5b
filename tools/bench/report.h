/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The bench's rows: kept, written, read, set side by side, drawn, held against floors. */
#ifndef XFN_BENCH_REPORT_H
#define XFN_BENCH_REPORT_H

#include <stdio.h>

enum bench_percentile {
	BENCH_P50,
	BENCH_P90,
	BENCH_P99,
	BENCH_P999,
	BENCH_PMAX,
	BENCH_PERCENTILES
};

/* One measurement of one candidate in one round. */
struct bench_row {
	char section[16]; /* one-core, two-core, latency, scale */
	char candidate[24];
	char function[16];
	unsigned payload; /* bytes */
	unsigned round;
	double rate;		      /* replies a second; 0: a latency row */
	double answered;	      /* share of the requests sent, 0 to 1 */
	double cpu_ns;		      /* of the server's processes per reply */
	double us[BENCH_PERCENTILES]; /* round trips; 0: a rate row */
};

struct bench_rows {
	struct bench_row *rows;
	unsigned count, room;
};

/* Add a copy. Ends the program where memory ends. */
void bench_rows__add(struct bench_rows *rows, const struct bench_row *row);
void bench_rows__free(struct bench_rows *rows);
/* 0 or -errno, said on standard error. */
int bench_rows__write(const struct bench_rows *rows, const char *path);
int bench_rows__read(struct bench_rows *rows, const char *path);

/* A figure over the rounds. */
struct bench_spread {
	unsigned count; /* of rounds that have it */
	double median, least, most;
};
enum bench_value {
	BENCH_RATE,
	BENCH_CPU_NS,
	BENCH_US /* plus enum bench_percentile */
};

/* Which figure of the rows. */
struct bench_query {
	const char *section, *candidate, *function;
	const char *reference; /* NULL: none */
	unsigned payload, value;
};

/*
 * The value of the candidate over the rounds; where there is a reference, its ratios to that one's
 * in the same round.
 */
struct bench_spread bench_report__spread(const struct bench_rows *rows,
					 const struct bench_query *q);

/* Candidates, and payloads, of a section in the order in which they came. Returns how many. */
unsigned bench_report__names(const struct bench_rows *rows, const char *section,
			     const char *function, const char *names[], unsigned max);
unsigned bench_report__payloads(const struct bench_rows *rows, const char *section,
				const char *function, unsigned payloads[], unsigned max);

/* Tables: medians, spread, ratios to the bound. */
void bench_report__tables(const struct bench_rows *rows, FILE *out);
/* SVG plots into `folder`, by gnuplot. 0, or -errno where there is no gnuplot, said. */
int bench_report__plots(const struct bench_rows *rows, const char *folder);
/*
 * Every figure of the file of floors against the rows: a table, and what fell below is named.
 * Returns how many did; those without rows are said and do not count.
 */
int bench_report__ledger(const struct bench_rows *rows, const char *floors, FILE *out);

#endif
