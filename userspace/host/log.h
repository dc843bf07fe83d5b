/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the supervisor tells whoever started it: one line per event on standard error. */
#ifndef XFN_LOG_H
#define XFN_LOG_H

/*
 * Levels are syslog's (LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG). Under journald
 * (JOURNAL_STREAM) the line begins with "<N>" as sd-daemon(3) has it. LOG_DEBUG is for the journal,
 * and for whoever sets XFN_DEBUG.
 */
/* From now on each line says whose it is, "NAME: ", where it does not begin so by itself. */
void xfn_log__name(const char *name);

/* Never waits: a line that whoever reads does not take is lost, and counted in the next one. */
void xfn_log__line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
