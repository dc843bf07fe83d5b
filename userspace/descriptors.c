// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* How many files a process may have open. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include "descriptors.h"

void xfn_descriptors__allow(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

void xfn_descriptors__advise(char *line, size_t len, unsigned needed)
{
	const char *said = strstr(line, strerror(EMFILE));
	struct rlimit files = {};
	char wanted[48] = "";
	size_t end;

	if (!said || strstr(line, "ulimit -n"))
		return;
	getrlimit(RLIMIT_NOFILE, &files);
	if (needed > files.rlim_cur)
		snprintf(wanted, sizeof(wanted), ", this run wants some %u", needed);
	end = (size_t)(said - line) + strlen(strerror(EMFILE));
	if (end < len)
		snprintf(line + end, len - end,
			 "; raise the limit (`ulimit -n`, LimitNOFILE= of a unit), which is %llu%s",
			 (unsigned long long)files.rlim_cur, wanted);
}
