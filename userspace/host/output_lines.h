/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a process of an author's code writes to its standard output and error: lines for the log.
 * They come through a pipe of that process, are read without waiting, cleaned, cut and bounded in
 * number. Must never believe anything that stands there.
 */
#ifndef XFN_OUTPUT_LINES_H
#define XFN_OUTPUT_LINES_H

#include <stdbool.h>
#include <stdint.h>

#define XFN_OUTPUT_LINE	 240   /* bytes of a line that are shown */
#define XFN_OUTPUT_RATE	 20    /* lines shown in a second; the others are counted */
#define XFN_OUTPUT_BYTES 65536 /* read at a time */
/* Read in a second: what is beyond waits in the pipe, and what that has no room for is lost. */
#define XFN_OUTPUT_SECOND (4 * XFN_OUTPUT_BYTES)

struct xfn_output_lines {
	int fd; /* the reader's end, -1: none */
	char line[XFN_OUTPUT_LINE];
	unsigned len;
	bool cut;	    /* the line in work is longer */
	unsigned shown;	    /* lines of this second */
	unsigned left_out;  /* and those that were not */
	unsigned bytes;	    /* read in it */
	uint64_t second_ns; /* which began then, 0: none has */
};

/* What is to be polled: -1 while so much was read that no more is in this second. */
static inline int xfn_output_lines__fd(const struct xfn_output_lines *output)
{
	return output->bytes < XFN_OUTPUT_SECOND ? output->fd : -1;
}

/*
 * Make the pipe. *writer is the process's end, close-on-exec, for the caller to close; a write to it
 * never waits. 0 or -errno.
 */
int xfn_output_lines__open(struct xfn_output_lines *output, int *writer);
/* Read what is there, at most XFN_OUTPUT_BYTES, nothing where none is to be polled; `who` begins each
 * line of the log. */
void xfn_output_lines__read(struct xfn_output_lines *output, const char *who);
/* Notify of lines left out when their second is over, and read on then. Returns ms until then, -1:
 * nothing waits for it. */
int xfn_output_lines__watch(struct xfn_output_lines *output, const char *who);
/* Read what is left, and close. Safe where none is open. */
void xfn_output_lines__close(struct xfn_output_lines *output, const char *who);

#endif
