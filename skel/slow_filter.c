// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The filter of UDP sockets (slow.bpf.c). Must never know which sockets those are. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <bpf/bpf.h>
#include "error.h"
#include "loader_inside.h"
#include "dispatcher.skel.h"
#include "slow.skel.h"

/* The filter judges by the dispatcher's own addresses, and counts where the dispatcher does. */
static int share_maps(struct xfn_loader *ld)
{
	struct dispatcher_bpf *from = ld->skel;
	struct slow_bpf *to = ld->slow;

	return bpf_map__reuse_fd(to->maps.xfn_addresses, bpf_map__fd(from->maps.xfn_addresses)) ?:
		       bpf_map__reuse_fd(to->maps.xfn_own, bpf_map__fd(from->maps.xfn_own))	?:
		       bpf_map__reuse_fd(to->maps.xfn_reasons, bpf_map__fd(from->maps.xfn_reasons));
}

/* Load the filter's program when it is first asked for. */
static int open_slow(struct xfn_loader *ld)
{
	int ret;

	if (ld->slow)
		return 0;
	ld->slow = slow_bpf__open();
	if (!ld->slow)
		return -errno;
	bpf_program__set_autoload(ld->slow->progs.xfn_own_socket, false);
	ret = share_maps(ld);
	ret = ret ?: slow_bpf__load(ld->slow);
	if (ret) {
		slow_bpf__destroy(ld->slow);
		ld->slow = NULL;
	}
	return ret;
}

int xfn_loader__filter(struct xfn_loader *ld, int sock, struct xfn_error *err)
{
	int ret = open_slow(ld), fd;

	if (!ret) {
		fd = bpf_program__fd(ld->slow->progs.xfn_slow);
		if (setsockopt(sock, SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)))
			ret = -errno;
	}
	if (ret)
		xfn_error__set(err, "cannot filter a slow socket: %s; run `xfn check`",
			       strerror(-ret));
	return ret;
}

int xfn_loader__device(struct xfn_loader *ld, unsigned ifindex, const uint16_t tag[XFN_TAGS])
{
	struct xfn_device device;
	__u32 key = ifindex;
	int ret = open_slow(ld);

	if (ret)
		return ret;
	memcpy(device.tag, tag, sizeof(device.tag));
	return bpf_map_update_elem(bpf_map__fd(ld->slow->maps.xfn_devices), &key, &device, BPF_ANY);
}
