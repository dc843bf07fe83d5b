// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the supervisor tells whoever started it: one line per event on standard error. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include "log.h"

void xfn_log__line(int level, const char *format, ...)
{
	bool journal = getenv("JOURNAL_STREAM");
	char line[1024];
	va_list args;

	if (level == LOG_DEBUG && !journal && !getenv("XFN_DEBUG"))
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (journal)
		fprintf(stderr, "<%d>%s\n", level, line);
	else
		fprintf(stderr, "xfn: %s\n", line);
}
