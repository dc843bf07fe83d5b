// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the supervisor tells whoever started it: one line per event on standard error. */
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "log.h"

static char prefix[32];

void xfn_log__name(const char *name)
{
	snprintf(prefix, sizeof(prefix), "%s: ", name);
}

/* Where whoever reads our messages does not: a line is lost, and counted. */
static bool takes_a_line(void)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&out, 1, 0) != 0;
}

static void write_line(int level, const char *who, const char *line)
{
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s%s\n", level, who, line);
	else
		fprintf(stderr, "xfn: %s%s\n", who, line);
}

void xfn_log__line(int level, const char *format, ...)
{
	static unsigned lost;
	char line[1024], count[64];
	const char *who = prefix;
	va_list args;

	if (level == LOG_DEBUG && !getenv("JOURNAL_STREAM") && !getenv("XFN_DEBUG"))
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (!strncmp(line, prefix, strlen(prefix)))
		who = "";
	if (!takes_a_line()) {
		lost++;
		return;
	}
	if (lost) {
		snprintf(count, sizeof(count), "%u lines of this log were not read, and are lost",
			 lost);
		lost = 0;
		write_line(LOG_WARNING, prefix, count);
	}
	write_line(level, who, line);
}
