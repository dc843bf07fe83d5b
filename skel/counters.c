// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What kernel programs count, added up over the CPUs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "loader_inside.h"
#include "dispatcher.skel.h"

#define COUNTER_PREFIX "xfn_counter_"

int xfn_map__sum(int fd, __u32 key, int cpus, unsigned words, __u64 *out)
{
	__u64 *values = calloc((size_t)cpus * words, sizeof(*values));
	int ret = values ? bpf_map_lookup_elem(fd, &key, values) : -ENOMEM;

	memset(out, 0, words * sizeof(*out));
	for (int cpu = 0; !ret && cpu < cpus; cpu++) {
		for (unsigned i = 0; i < words; i++)
			out[i] += values[(size_t)cpu * words + i];
	}
	free(values);
	return ret;
}

int xfn_loader__slot_counters(struct xfn_loader *ld, unsigned slot, struct xfn_slot_counters *out)
{
	return xfn_map__sum(bpf_map__fd(ld->skel->maps.xfn_slot_stat), slot, ld->cpus,
			    sizeof(*out) / sizeof(__u64), (__u64 *)out);
}

int xfn_loader__reasons(struct xfn_loader *ld, uint64_t out[XFN_REASON_SLOTS])
{
	for (__u32 i = 0; i < XFN_REASON_SLOTS; i++) {
		__u64 sum;
		int ret =
			xfn_map__sum(bpf_map__fd(ld->skel->maps.xfn_reasons), i, ld->cpus, 1, &sum);

		if (ret)
			return ret;
		out[i] = sum;
	}
	return 0;
}

int xfn_loader__author_counter(struct xfn_loader *ld, unsigned slot, unsigned i, char *name,
			       size_t namelen, uint64_t *value)
{
	struct bpf_map *map;

	if (slot >= XFN_SLOTS || !ld->functions[slot])
		return -ENOENT;
	bpf_object__for_each_map(map, ld->functions[slot]) {
		const char *full = bpf_map__name(map);
		__u64 sum = 0;
		int ret;

		if (strncmp(full, COUNTER_PREFIX, strlen(COUNTER_PREFIX)) || i--)
			continue;
		snprintf(name, namelen, "%s", full + strlen(COUNTER_PREFIX));
		ret = xfn_map__sum(bpf_map__fd(map), 0, ld->cpus, 1, &sum);
		*value = sum;
		return ret;
	}
	return -ENOENT;
}
