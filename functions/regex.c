// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The payload's first line is a PCRE2 pattern; the reply is those lines of the rest that match,
 * each with its newline. A pattern that does not compile, or takes too long to match, is refused.
 */
#include "xfn.h"
#ifdef XFN_NATIVE
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#endif

XFN_LINK("libpcre2-8");

#ifdef XFN_NATIVE
#define PATTERN_MAX 2048    /* characters: some tenths of a millisecond to compile */
#define TIME_NS	    5000000 /* for all lines of a request */
#define STEPS	    16	    /* of a pattern, from one look at the clock to the next */

static pcre2_compile_context *bounds;
static pcre2_match_context *limits;
static pcre2_match_data *match;
static uint64_t late_ns;
static unsigned steps;

/*
 * Before each step of a pattern. PCRE2's own limits are for each place where a match may begin: a
 * hostile request has many, and must not hold the worker.
 */
static int in_time(pcre2_callout_block *block, void *data)
{
	(void)block;
	(void)data;
	return ++steps % STEPS || xfn_mono_ns() < late_ns ? 0 : PCRE2_ERROR_MATCHLIMIT;
}

XFN_INIT(regex)
{
	bounds = pcre2_compile_context_create(NULL);
	limits = pcre2_match_context_create(NULL);
	match = pcre2_match_data_create(1, NULL);
	if (!bounds || !limits || !match)
		return -ENOMEM;
	pcre2_set_max_pattern_length(bounds, PATTERN_MAX);
	pcre2_set_callout(limits, in_time, NULL);
	pcre2_set_match_limit(limits, 10000);
	pcre2_set_depth_limit(limits, 1000);
	pcre2_set_heap_limit(limits, 1024); /* KiB */
	return 0;
}
#endif

XFN_FUNCTION(regex, .port = 2257, .summary = "lines of the payload that match its first line")
{
	uint32_t len = xfn_len(req);
	char *text = xfn_edit(req, 0, len);
	char *newline, *line, *end, *out;
	size_t offset;
	pcre2_code *code;
	int error;

	if (!text)
		return XFN_DROP;
	end = text + len;
	newline = memchr(text, '\n', len);
	line = newline ? newline + 1 : end;
	code = pcre2_compile((PCRE2_SPTR)text, (newline ? newline : end) - text, PCRE2_AUTO_CALLOUT,
			     &error, &offset, bounds);
	if (!code)
		return XFN_DROP;
	late_ns = xfn_mono_ns() + TIME_NS;
	/* Matching lines move to the front, over the pattern: the pattern is compiled by now. */
	for (out = text; line < end; line = newline) {
		newline = memchr(line, '\n', end - line);
		newline = newline ? newline + 1 : end;
		offset = newline - line - (newline[-1] == '\n');
		error = pcre2_match(code, (PCRE2_SPTR)line, offset, 0, 0, match, limits);
		if (error < 0 && error != PCRE2_ERROR_NOMATCH)
			break;
		if (error >= 0) {
			memmove(out, line, newline - line);
			out += newline - line;
		}
	}
	pcre2_code_free(code);
	if (line < end || xfn_resize(req, out - text))
		return XFN_DROP;
	return XFN_REPLY;
}
