/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Parsers of foreign bytes (libelf, libbpf) in a process of their own, which may crash without harm
 * and can do nothing but compute. Must never know what is parsed.
 */
#ifndef XFN_CONFINED_H
#define XFN_CONFINED_H

/*
 * Run work(ctx) in a child process: as nobody where the caller is root, without any descriptor but
 * the standard ones, all system calls but those for memory refused, its CPU time bounded. Results
 * go through memory that is mapped shared. 0: it returned; -EBADMSG: it crashed or took too long;
 * or another -errno: there is no such process.
 */
int xfn_confined(void (*work)(void *ctx), void *ctx);

#endif
