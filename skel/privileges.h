/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Capabilities that a process keeps: never more than it needs, and never more than it has. One that
 * it lacks is no reason to keep the others. capabilities(7).
 */
#ifndef XFN_PRIVILEGES_H
#define XFN_PRIVILEGES_H

/*
 * Give up all capabilities but those of the `count` ones in `caps` that are held, for this process
 * and what it executes. 0, or -EPERM: it still has all.
 */
int xfn_privileges__keep(const unsigned *caps, unsigned count);

#endif
