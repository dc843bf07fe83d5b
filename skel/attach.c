// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Attaching the dispatcher: native, else generic, and who holds the interface. Must never
 * touch maps. */
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "error.h"
#include "loader_inside.h"
#include "dispatcher.skel.h"
#include "program.h"

const char *xfn_mode_name(enum xfn_mode mode)
{
	static const char *const names[] = {
		[XFN_MODE_NONE] = "none",	[XFN_MODE_GENERIC] = "generic",
		[XFN_MODE_NATIVE] = "native",	[XFN_MODE_AUTO] = "auto",
		[XFN_MODE_OFFLOAD] = "offload",
	};

	return names[mode];
}

bool xfn_loader__holder(unsigned ifindex, uint32_t *id, char name[XFN_PROGRAM_NAME])
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int fd;

	if (bpf_xdp_query(ifindex, 0, &query) || query.attach_mode == XDP_ATTACHED_NONE)
		return false;
	*id = query.prog_id ?: query.drv_prog_id ?: query.skb_prog_id ?: query.hw_prog_id;
	snprintf(name, XFN_PROGRAM_NAME, "?");
	fd = bpf_prog_get_fd_by_id(*id);
	if (fd >= 0) {
		if (!bpf_obj_get_info_by_fd(fd, &info, &len))
			snprintf(name, XFN_PROGRAM_NAME, "%s", info.name);
		close(fd);
	}
	return true;
}

const char *xfn_loader__off_word(unsigned ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	return !bpf_xdp_query(ifindex, 0, &query) && query.attach_mode == XDP_ATTACHED_HW ?
		       "xdpoffload" :
		       "xdp";
}

void xfn_attach__why(int fd, unsigned ifindex, __u32 flags, int err, struct xfn_error *why)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = fd);
	const char *said;

	xfn_program__kernel_said();
	if (!bpf_xdp_attach(ifindex, fd, flags | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL))
		bpf_xdp_detach(ifindex, flags, &opts); /* nobody holds what netlink attached */
	said = xfn_program__kernel_said();
	xfn_error__set(why, "%s", *said ? said : strerror(-err));
}

static __u32 flags_of(enum xfn_mode mode)
{
	return mode == XFN_MODE_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
}

static int attach_in(struct xfn_loader *ld, enum xfn_mode mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags_of(mode));
	int fd = bpf_link_create(bpf_program__fd(ld->skel->progs.xfn_dispatcher), ld->ifindex,
				 BPF_XDP, &opts);

	if (fd < 0)
		return fd;
	ld->link_fd = fd;
	return 0;
}

static const char *why_not(struct xfn_loader *ld, enum xfn_mode mode, int err,
			   struct xfn_error *why)
{
	xfn_attach__why(bpf_program__fd(ld->skel->progs.xfn_dispatcher), ld->ifindex,
			flags_of(mode), err, why);
	return why->line;
}

int xfn_loader__attach(struct xfn_loader *ld, enum xfn_mode want, enum xfn_mode *got,
		       struct xfn_error *why, struct xfn_error *err)
{
	char name[XFN_PROGRAM_NAME];
	struct xfn_error refused = { 0 };
	int ret = -EOPNOTSUPP;
	__u32 id;

	*got = XFN_MODE_NONE;
	why->line[0] = 0;
	if (!ld->ifindex || ld->link_fd >= 0)
		return xfn_fail(err, -EINVAL, "%s: %s", ld->ifname[0] ? ld->ifname : "no interface",
				ld->ifindex ? "already attached" : "nothing to attach to");
	if (xfn_loader__holder(ld->ifindex, &id, name)) {
		bool shares = !strcmp(name, "xdp_dispatcher"); /* libxdp's */

		return xfn_fail(
			err, -EBUSY,
			"%s: XDP program %s (id %u) holds it; %sstop its owner, or `ip link set dev %s %s off`",
			ld->ifname, name, id, shares ? "join it with --attach libxdp, " : "",
			ld->ifname, xfn_loader__off_word(ld->ifindex));
	}
	if (want == XFN_MODE_NATIVE || want == XFN_MODE_AUTO) {
		ret = attach_in(ld, XFN_MODE_NATIVE);
		if (!ret)
			*got = XFN_MODE_NATIVE;
		else
			xfn_error__set(why, "native mode refused: %s",
				       why_not(ld, XFN_MODE_NATIVE, ret, &refused));
	}
	if (ret && want != XFN_MODE_NATIVE) {
		ret = attach_in(ld, XFN_MODE_GENERIC);
		if (!ret)
			*got = XFN_MODE_GENERIC;
		else
			why_not(ld, XFN_MODE_GENERIC, ret, &refused);
	}
	if ((ret == -ERANGE || ret == -EINVAL || ret == -EOPNOTSUPP) && ld->mtu > XFN_MTU_LINEAR)
		xfn_error__set(
			err,
			"%s: its driver takes no frames of MTU %u in %s mode; `ip link set dev %s mtu %u`, "
			"or generic mode",
			ld->ifname, ld->mtu, xfn_mode_name(want), ld->ifname, XFN_MTU_LINEAR);
	else if (ret)
		xfn_error__set(err, "%s: cannot attach in %s mode: %s; run `xfn check -i %s`",
			       ld->ifname, xfn_mode_name(want), refused.line, ld->ifname);
	return ret;
}

/* Have the keeper detach from libxdp's dispatcher, and wait for its end. */
static void dismiss_keeper(struct xfn_loader *ld)
{
	if (ld->keeper_pipe < 0)
		return;
	close(ld->keeper_pipe);
	ld->keeper_pipe = -1;
	while (waitpid(ld->keeper, NULL, 0) < 0 && errno == EINTR)
		;
}

void xfn_loader__detach(struct xfn_loader *ld)
{
	/* the last descriptor of an unpinned link: closing it detaches */
	if (ld->link_fd >= 0)
		close(ld->link_fd);
	ld->link_fd = -1;
	dismiss_keeper(ld);
}
