// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the supervisor tells whoever started it: one line per event on standard error. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "log.h"

static char prefix[32];

void xfn_log__name(const char *name)
{
	snprintf(prefix, sizeof(prefix), "%s: ", name);
}

void xfn_log__line(int level, const char *format, ...)
{
	bool journal = getenv("JOURNAL_STREAM");
	char line[1024];
	const char *who = prefix;
	va_list args;

	if (level == LOG_DEBUG && !journal && !getenv("XFN_DEBUG"))
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (!strncmp(line, prefix, strlen(prefix)))
		who = "";
	if (journal)
		fprintf(stderr, "<%d>%s%s\n", level, who, line);
	else
		fprintf(stderr, "xfn: %s%s\n", who, line);
}
