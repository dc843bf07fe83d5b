// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What workers counted that are no more: it goes on counting. */
#include <stdlib.h>
#include <string.h>
#include "retired.h"
#include "workers_inside.h"

void xfn_retired__add(struct xfn_slot_counters *sum, const struct xfn_slot_counters *more)
{
	sum->requests += more->requests;
	sum->replies += more->replies;
	sum->dropped += more->dropped;
	sum->consumed += more->consumed;
	sum->passed += more->passed;
	sum->handed += more->handed;
	sum->bytes_in += more->bytes_in;
	sum->bytes_out += more->bytes_out;
}

uint64_t xfn_retired__reason(const struct xfn_page *page, unsigned reason)
{
	return page->reasons[reason] + (reason == XFN_REASON_SEND     ? page->engine.send_failed :
					reason == XFN_REASON_TOO_LONG ? page->engine.truncated :
									0);
}

void xfn_retired__new_engine(struct xfn_page *page)
{
	page->reasons[XFN_REASON_SEND] = xfn_retired__reason(page, XFN_REASON_SEND);
	page->reasons[XFN_REASON_TOO_LONG] = xfn_retired__reason(page, XFN_REASON_TOO_LONG);
	page->engine = (struct xfn_engine_stats){};
}

void xfn_retired__keep(struct xfn_workers *workers, const struct xfn_page *page)
{
	if (!workers->retired)
		workers->retired = calloc(1, sizeof(*workers->retired));
	if (!workers->retired)
		return;
	for (unsigned i = 0; i < XFN_REASON_SLOTS; i++)
		workers->retired->reasons[i] += xfn_retired__reason(page, i);
	for (unsigned slot = 0; slot < xfn_functions__count(workers->functions); slot++) {
		xfn_retired__add(&workers->retired->slots[slot], &page->slots[slot]);
		/* one module: the same names in the same order */
		for (unsigned i = 0; i < XFN_PAGE_COUNTERS; i++) {
			if (page->counters[slot][i].name[0])
				memcpy(workers->retired->counters[slot][i].name,
				       page->counters[slot][i].name,
				       sizeof(page->counters[slot][i].name));
			workers->retired->counters[slot][i].value += page->counters[slot][i].value;
		}
	}
}
