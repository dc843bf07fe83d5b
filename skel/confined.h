/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Run a parser of foreign bytes (libelf, libbpf) in a process of its own, which may crash without
 * harm and can do nothing but compute. Must never know what is parsed.
 */
#ifndef XFN_CONFINED_H
#define XFN_CONFINED_H

/*
 * Run work(ctx) in a child process. The child is nobody where the caller is root; it has the
 * standard descriptors only, system calls for memory only, and a bound of CPU time. Results go
 * through memory that is mapped shared. 0: work returned; -EBADMSG: it crashed or took too long;
 * another -errno: no such process could be made.
 */
int xfn_confined(void (*work)(void *ctx), void *ctx);

#endif
