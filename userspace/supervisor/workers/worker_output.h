/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a worker writes to its standard output and error: lines for the log. They come through a
 * pipe of that worker, are read without waiting, cleaned, cut and bounded in number. Must never
 * believe anything that stands there.
 */
#ifndef XFN_WORKER_OUTPUT_H
#define XFN_WORKER_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#define XFN_OUTPUT_LINE	 240   /* bytes of a line that are shown */
#define XFN_OUTPUT_LINES 20    /* lines shown in a second; the others are counted */
#define XFN_OUTPUT_BYTES 65536 /* read at a time */

struct xfn_worker_output {
	int fd; /* the supervisor's end, -1: none */
	char line[XFN_OUTPUT_LINE];
	unsigned len;
	bool cut;	    /* the line in work is longer */
	unsigned shown;	    /* lines of this second */
	unsigned left_out;  /* and those that were not */
	uint64_t second_ns; /* which began then, 0: none has */
};

/*
 * Make the pipe. *worker is the worker's end, close-on-exec, for the caller to close; a write to it
 * never waits. 0 or -errno.
 */
int xfn_worker_output__open(struct xfn_worker_output *output, int *worker);
/* Read what is there, at most XFN_OUTPUT_BYTES; `who` begins each line of the log. */
void xfn_worker_output__read(struct xfn_worker_output *output, const char *who);
/* Notify of lines left out when their second is over. Returns ms until then, -1: there are none. */
int xfn_worker_output__watch(struct xfn_worker_output *output, const char *who);
/* Read what is left, and close. Safe where none is open. */
void xfn_worker_output__close(struct xfn_worker_output *output, const char *who);

#endif
