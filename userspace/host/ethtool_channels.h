/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When somebody changes an interface's number of queues (ethtool -L): some drivers do it without a
 * link event. Documentation/networking/ethtool-netlink.rst.
 */
#ifndef XFN_CHANNELS_H
#define XFN_CHANNELS_H

/*
 * An fd that polls readable when ethtool has changed something on some interface of this network
 * namespace. The caller closes. -errno where the kernel does not tell.
 */
int xfn_channels__watch(void);
void xfn_channels__taken(int fd); /* it was readable: until the next time */

#endif
