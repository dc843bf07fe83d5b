/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Capabilities that a process keeps: never more than it needs, and never more than it has. A
 * capability that it lacks is no reason to keep others. capabilities(7).
 */
#ifndef XFN_PRIVILEGES_H
#define XFN_PRIVILEGES_H

/*
 * Give up all capabilities but the `count` in `caps`, for this process and for programs that it
 * executes. Those of `caps` that it does not have stay away. 0, or -EPERM: it still has all.
 */
int xfn_privileges__keep(const unsigned *caps, unsigned count);

#endif
