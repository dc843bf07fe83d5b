/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The lab: two network namespaces joined by a veth pair on which XDP works in native mode. Must
 * never know of functions or of the supervisor.
 */
#ifndef XFN_LAB_H
#define XFN_LAB_H

/* The verb `xfn lab ...`; argv[0] is "lab". Returns the exit status: 0, 1 (failed), 2 (usage), or
 * that of the command run. */
int verb_lab(int argc, char **argv);

#endif
