// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* An interface's XDP hook, borrowed and given back. Must never know what for. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "../../skel/error.h"
#include "hook.h"

int bench_hook__take(struct bench_hook *hook, const char *ifname, int prog, struct xfn_error *err)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	int ret;

	*hook = (struct bench_hook){ .ifindex = if_nametoindex(ifname),
				     .mode = XDP_FLAGS_DRV_MODE,
				     .before = -1 };
	if (!hook->ifindex)
		return xfn_fail(err, -ENODEV, "%s: no such interface; `ip link` lists them",
				ifname);
	if (!bpf_xdp_query((int)hook->ifindex, 0, &query)) {
		if (query.drv_prog_id) {
			hook->before = bpf_prog_get_fd_by_id(query.drv_prog_id);
		} else if (query.skb_prog_id) {
			hook->before = bpf_prog_get_fd_by_id(query.skb_prog_id);
			hook->mode = XDP_FLAGS_SKB_MODE;
		}
	}
	ret = bpf_xdp_attach((int)hook->ifindex, prog, hook->mode, NULL);
	if (ret == -EOPNOTSUPP) {
		hook->mode = XDP_FLAGS_SKB_MODE;
		ret = bpf_xdp_attach((int)hook->ifindex, prog, hook->mode, NULL);
	}
	hook->attached = !ret;
	if (ret)
		xfn_error__set(
			err, "%s: cannot attach the sink of replies: %s%s", ifname, strerror(-ret),
			ret == -EBUSY ? "; another program holds its XDP hook by a link" : "");
	return ret;
}

void bench_hook__give_back(struct bench_hook *hook)
{
	if (!hook->attached)
		return;
	bpf_xdp_attach((int)hook->ifindex, hook->before, hook->mode, NULL);
	if (hook->before >= 0)
		close(hook->before);
	hook->attached = false;
}
