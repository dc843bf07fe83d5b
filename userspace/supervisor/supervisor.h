/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The supervisor: `xfn run`. Owns BPF objects, links, sockets, UMEM and the control socket; execs
 * the workers. Runs no function code and touches no packet.
 */
#ifndef XFN_SUPERVISOR_H
#define XFN_SUPERVISOR_H

#include "options.h"

/*
 * The first byte of what goes to .report, all text; then the pipe is closed. With XFN_REPORT_READY
 * what is served, as it would stand on standard output; with XFN_REPORT_FAILED one error line.
 */
#define XFN_REPORT_READY  'r'
#define XFN_REPORT_FAILED 'f'

/* Say that nothing is served: the error line to standard error, with json to standard output. */
void xfn_supervisor__failed(bool json, const char *line);

/* Serve until SIGINT or SIGTERM. Returns the exit status: 0, 1 (failed) or 2 (usage). */
int xfn_supervisor__run(const struct xfn_run_options *opts);

#endif
