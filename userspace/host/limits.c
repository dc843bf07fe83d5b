// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* How many files a process may have open, and how long one may be. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include "../../skel/array_size.h"
#include "limits.h"

void xfn_limits__raise(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

void xfn_limits__advise(char *line, size_t len, unsigned needed)
{
	static const struct {
		int error, limit;
		const char *how;
	} limits[] = {
		{ EMFILE, RLIMIT_NOFILE, "open files (`ulimit -n`, LimitNOFILE= of a unit)" },
		{ EFBIG, RLIMIT_FSIZE, "a file's bytes (`ulimit -f`, LimitFSIZE= of a unit)" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
		const char *text = strerror(limits[i].error), *said = strstr(line, text);
		struct rlimit now = {};
		char wanted[48] = "";
		size_t end;

		if (!said || strstr(line, limits[i].how))
			continue;
		getrlimit(limits[i].limit, &now);
		if (limits[i].limit == RLIMIT_NOFILE && needed > now.rlim_cur)
			snprintf(wanted, sizeof(wanted), ", this run wants some %u", needed);
		end = (size_t)(said - line) + strlen(text);
		if (end < len)
			snprintf(line + end, len - end, "; raise the limit of %s, which is %llu%s",
				 limits[i].how, (unsigned long long)now.rlim_cur, wanted);
	}
}
