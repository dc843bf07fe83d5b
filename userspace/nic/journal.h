/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a run changes on an interface and the kernel does not take back when the run ends: a line
 * per change, written before the change is made, in IFACE.journal or IFACE:NAMESPACE.journal beside
 * the control socket. Undone newest first when the run ends; where it was killed, by the next one.
 * Must never know what the changes are.
 */
#ifndef XFN_JOURNAL_H
#define XFN_JOURNAL_H

#include "../../skel/error.h"

#define XFN_JOURNAL_TEXT 128 /* bytes of a change's text with its 0; it has no newline */

/*
 * A kind of change. `undo` takes back one change of `text` on an interface; one that is not there
 * any more, or was made anew by somebody else, counts as undone. 0, or -errno: it is kept.
 */
struct xfn_journal_kind {
	const char *name; /* one word */
	int (*undo)(const char *ifname, const char *text);
};

struct xfn_journal;

/*
 * For the run that serves `ifname`, and holds its control socket. Undoes what an earlier run left,
 * and says so. `kinds` ends with a name of NULL and outlives the journal. 0 or -errno with one line
 * in err.
 */
int xfn_journal__open(const char *ifname, const struct xfn_journal_kind *kinds,
		      struct xfn_journal **out, struct xfn_error *err);
/* To be called before the change. One that stands there already stays once. 0 or -errno. */
int xfn_journal__note(struct xfn_journal *journal, const char *kind, const char *text);
/* A change that was not made after all, or was taken back. */
void xfn_journal__forget(struct xfn_journal *journal, const char *kind, const char *text);
/* Undo all, newest first; what cannot be undone is said and stays for the next run. */
void xfn_journal__close(struct xfn_journal *journal);
/*
 * How many changes stand in the journal of `ifname`, in this network namespace; it opens nothing
 * that stays. Where no xfn serves the interface they were left by one that was killed. -errno.
 */
int xfn_journal__count(const char *ifname);

#endif
