/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * `xfn run` on several interfaces: one supervisor process each, which share nothing, below one that
 * starts, watches and ends them. That one touches neither BPF nor sockets, and keeps no more
 * capabilities than a supervisor needs that it starts again.
 */
#ifndef XFN_FLEET_H
#define XFN_FLEET_H

#include "supervisor.h"

#define XFN_FLEET_MAX 64 /* interfaces of one run */

/*
 * Serve with the same options on each of `count` interfaces, 2 to XFN_FLEET_MAX, until SIGINT,
 * SIGTERM or SIGHUP. What is served is said when all have started; where one cannot, its error is,
 * and none goes on. Of --cpus each interface begins with the next one. Returns the exit status.
 */
int xfn_fleet__run(const struct xfn_run_options *opts, const char *const *ifnames, unsigned count);

#endif
