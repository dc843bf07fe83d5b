// expect: fail rule=unchecked_pointer line=13
/* Looks a map of the runtime up by itself, and does not test what comes. */
#include "xfn.h"

XFN_FUNCTION(raw_map, .port = 4000)
{
#ifndef XFN_NATIVE
	uint32_t key = xfn_len(req);
	struct xfn_slot_counters *stat;

	stat = bpf_map_lookup_elem(&xfn_slot_stat, &key);
	/* past the map's end there is none */
	if (stat->requests > 7)
		return XFN_DROP;
#endif
	return XFN_REPLY;
}
