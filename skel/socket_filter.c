// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The filter of UDP sockets with maps of its own. Must never know of interfaces or slots. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <bpf/bpf.h>
#include "loader_inside.h"
#include "program.h"
#include "slow.skel.h"
#include "socket_filter.h"

struct xfn_socket_filter {
	struct slow_bpf *skel;
	int cpus; /* possible ones */
};

int xfn_socket_filter__open(struct xfn_socket_filter **out)
{
	struct xfn_socket_filter *filter = calloc(1, sizeof(*filter));
	int ret;

	if (!filter)
		return -ENOMEM;
	xfn_program__quiet_libbpf();
	filter->cpus = libbpf_num_possible_cpus();
	filter->skel = slow_bpf__open();
	if (!filter->skel || filter->cpus < 1) {
		ret = -(errno ?: EINVAL);
	} else {
		bpf_program__set_autoload(filter->skel->progs.xfn_slow, false);
		bpf_map__set_autocreate(filter->skel->maps.xfn_addresses, false);
		bpf_map__set_autocreate(filter->skel->maps.xfn_devices, false);
		ret = slow_bpf__load(filter->skel);
	}
	if (ret)
		xfn_socket_filter__close(filter);
	else
		*out = filter;
	return ret;
}

int xfn_socket_filter__own(struct xfn_socket_filter *filter, const uint8_t (*ips)[16],
			   unsigned count)
{
	return xfn_map__own(bpf_map__fd(filter->skel->maps.xfn_own), ips, count);
}

int xfn_socket_filter__attach(const struct xfn_socket_filter *filter, int sock)
{
	int fd = bpf_program__fd(filter->skel->progs.xfn_own_socket);

	return setsockopt(sock, SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)) ? -errno : 0;
}

void xfn_socket_filter__reasons(const struct xfn_socket_filter *filter,
				uint64_t sum[XFN_REASON_SLOTS])
{
	int fd = bpf_map__fd(filter->skel->maps.xfn_reasons);
	__u64 one;

	for (__u32 i = 0; i < XFN_REASON_SLOTS; i++)
		if (!xfn_map__sum(fd, i, filter->cpus, 1, &one))
			sum[i] += one;
}

void xfn_socket_filter__close(struct xfn_socket_filter *filter)
{
	if (!filter)
		return;
	slow_bpf__destroy(filter->skel);
	free(filter);
}
