/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flow rules of a NIC: which of its receive queues takes a function's requests, in place of the
 * hash over all of them (receive side scaling). ETHTOOL_SRXCLSRLINS of linux/ethtool.h, what
 * `ethtool -N` does. Must never know of functions or workers.
 */
#ifndef XFN_STEER_H
#define XFN_STEER_H

#include <linux/ethtool.h>
#include <stdbool.h>
#include <stdint.h>
#include "../../skel/error.h"
#include "../../functions/xfn.h"
#include "journal.h"

/* UDP to this address (IPv4 mapped) and port (host order) goes to that queue. */
struct xfn_steer_rule {
	struct xfn_address to;
	uint32_t queue;
};

struct xfn_steer;

/*
 * For interface `ifname`, with flow rules turned on there if they are not (noted in the journal,
 * like each rule). 0, or -errno with one line in err: -EOPNOTSUPP, its driver has none.
 */
int xfn_steer__open(const char *ifname, const char *driver, struct xfn_journal *journal,
		    struct xfn_steer **out, struct xfn_error *err);
/* What xfn_steer__follow could not do; *err tells of the last one. */
struct xfn_steer_left {
	unsigned missing; /* rules that do not stand */
	unsigned stale;	  /* rules of ours that still stand, and should not */
	bool again;	  /* for want of memory: another try may do better */
};

/* From now on these rules: others of ours go, missing ones come. */
struct xfn_steer_left xfn_steer__follow(struct xfn_steer *steer, const struct xfn_steer_rule *rules,
					unsigned count, struct xfn_error *err);
unsigned xfn_steer__count(const struct xfn_steer *steer); /* rules that stand */
void xfn_steer__close(struct xfn_steer *steer);		  /* rules stay: undone by the journal */

/* The kernel's form of a rule, without location. Addresses and ports in it are in network order. */
void xfn_steer__spec(const struct xfn_steer_rule *rule, struct ethtool_rx_flow_spec *spec);
/* Do both direct the same requests to the same queue, wherever they stand? */
bool xfn_steer__same(const struct ethtool_rx_flow_spec *a, const struct ethtool_rx_flow_spec *b);
/* "ADDRESS PORT QUEUE" and back; false: it is none. `text` has room for XFN_JOURNAL_TEXT. */
void xfn_steer__text(const struct xfn_steer_rule *rule, char *text);
bool xfn_steer__parse(const char *text, struct xfn_steer_rule *rule);
/*
 * Where in a table of `size` rules a new one goes, of which `used` are taken: the last free place,
 * as with `ethtool -N`, since the first ones are matched first and are for whoever placed them. -1:
 * the table is full.
 */
int64_t xfn_steer__place(uint32_t size, const uint32_t *used, unsigned count);

/* Number of flow rules on an interface, -EOPNOTSUPP: its driver has none; -errno. */
int xfn_steer__rules(const char *ifname);

/* Journal kinds "rule": a rule's text, and "ntuple": "on". */
int xfn_steer__undo(const char *ifname, const char *text);
int xfn_steer__undo_ntuple(const char *ifname, const char *text);

#endif
