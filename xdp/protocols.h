/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Numbers of protocols and lengths of their headers. Kernel programs have no header of the libc, so
 * the names of <linux/if_ether.h>, <netinet/in.h> and <netinet/ip.h> that they use are defined
 * here. Must never include anything.
 */
#ifndef XFN_PROTOCOLS_H
#define XFN_PROTOCOLS_H

#ifdef __bpf__
#define ETH_ALEN     6 /* bytes of a MAC address */
#define ETH_P_IP     0x0800
#define ETH_P_8021Q  0x8100
#define ETH_P_IPV6   0x86DD
#define ETH_P_8021AD 0x88A8

#define IPPROTO_HOPOPTS	 0
#define IPPROTO_UDP	 17
#define IPPROTO_ROUTING	 43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_AH	 51
#define IPPROTO_DSTOPTS	 60
#define IPPROTO_MH	 135

#define IP_DF	   0x4000 /* do not fragment */
#define IP_MF	   0x2000 /* more fragments follow */
#define IP_OFFMASK 0x1fff /* offset of a fragment */
#endif

#define XFN_ETH_LEN  14
#define XFN_TAG_LEN  4
#define XFN_IPV4_LEN 20 /* without options */
#define XFN_IPV6_LEN 40
#define XFN_UDP_LEN  8

#define XFN_IPV4_FIRST 0x45   /* first byte of an IPv4 header: version 4, five words, no options */
#define XFN_IPV6_FIRST 0x60   /* first byte of an IPv6 header: version 6, traffic class below 16 */
#define XFN_TAG_ID     0x0fff /* the VLAN id in a tag (IEEE 802.1Q) */

#endif
