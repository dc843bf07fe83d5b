/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Doing something again whenever sources are saved (inotify(7)). Editors write in place, or put
 * another file in the old one's place: folders are watched, not files. Must never know what is
 * done.
 */
#ifndef XFN_WATCH_H
#define XFN_WATCH_H

#include <stdbool.h>
#include "../../skel/error.h"

/*
 * Call `again` for each of the files, then for each one that is saved, or that includes (as
 * "header.h", from its own folder or below, and these theirs) a file that is saved, until SIGINT or
 * SIGTERM; with `separator` after a line with the time. Returns 0, or -errno with one line in err.
 */
int xfn_watch(char *const *files, int count, bool separator,
	      void (*again)(void *ctx, const char *file), void *ctx, struct xfn_error *err);

#endif
