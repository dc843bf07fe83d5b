// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The way to workers: a queue's AF_XDP sockets, and which of its threads takes a flow. Must never
 * know what a worker is. */
#include <errno.h>
#include <bpf/bpf.h>
#include "loader_inside.h"
#include "dispatcher.skel.h"

int xfn_loader__socket(struct xfn_loader *ld, unsigned queue, unsigned thread, int fd)
{
	__u32 key = XFN_XSK_INDEX(queue, thread);

	if (queue >= XFN_QUEUES || thread >= XFN_THREADS)
		return -ERANGE;
	if (fd < 0)
		return bpf_map_delete_elem(bpf_map__fd(ld->skel->maps.xfn_xsks), &key);
	return bpf_map_update_elem(bpf_map__fd(ld->skel->maps.xfn_xsks), &key, &fd, BPF_ANY);
}

int xfn_loader__indirection(struct xfn_loader *ld, unsigned queue, unsigned pool, unsigned first,
			    unsigned count)
{
	__u32 key = XFN_INDIRECTION_INDEX(queue, pool);
	struct xfn_indirection table;

	if (queue >= XFN_QUEUES || pool >= XFN_POOLS || !count || first + count > XFN_THREADS)
		return -ERANGE;
	for (unsigned i = 0; i < XFN_INDIRECTION_ENTRIES; i++)
		table.thread[i] = first + i % count;
	return bpf_map_update_elem(bpf_map__fd(ld->skel->maps.xfn_indirections), &key, &table,
				   BPF_ANY);
}

int xfn_loader__pool(struct xfn_loader *ld, unsigned slot, unsigned pool)
{
	__u32 key = slot, value = pool;

	if (slot >= XFN_SLOTS || pool >= XFN_POOLS)
		return -ERANGE;
	return bpf_map_update_elem(bpf_map__fd(ld->skel->maps.xfn_pools), &key, &value, BPF_ANY);
}
