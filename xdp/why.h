/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counts a reason. To be included behind XFN_MAP_REASONS. */
#ifndef XFN_WHY_H
#define XFN_WHY_H

/* Returns `action`. */
XFN_INLINE int xfn_why(enum xfn_reason reason, int action)
{
	__u32 key = reason;
	__u64 *value = bpf_map_lookup_elem(&xfn_reasons, &key);

	if (value)
		(*value)++;
	return action;
}

#endif
