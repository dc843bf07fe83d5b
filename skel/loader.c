// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One interface's dispatcher: opened, loaded, set, run once, closed. Must never know of workers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "error.h"
#include "loader_inside.h"
#include "dispatcher.skel.h"
#include "program.h"
#include "slow.skel.h"

/* Counters, and the rate of each source prefix, go on in the maps of the loader before. */
static int take_counters(struct xfn_loader *ld)
{
	struct dispatcher_bpf *now = ld->skel, *was = ld->before->skel;

	return bpf_map__reuse_fd(now->maps.xfn_slot_stat, bpf_map__fd(was->maps.xfn_slot_stat)) ?:
		       bpf_map__reuse_fd(now->maps.xfn_reasons, bpf_map__fd(was->maps.xfn_reasons)) ?:
		       bpf_map__reuse_fd(now->maps.xfn_rates, bpf_map__fd(was->maps.xfn_rates));
}

int xfn_loader__prepare(const struct xfn_loader_options *opts, struct xfn_loader **out,
			struct xfn_error *err)
{
	struct xfn_loader *ld = calloc(1, sizeof(*ld));
	int ret;

	xfn_program__quiet_libbpf();
	if (!ld)
		return xfn_fail(err, -ENOMEM, "out of memory");
	ld->link_fd = -1;
	ld->keeper_pipe = -1;
	ld->ifindex = opts->ifindex;
	ld->before = opts->before;
	ld->mtu = opts->mtu ?: XFN_MTU_DEFAULT;
	ld->cpus = libbpf_num_possible_cpus();
	snprintf(ld->ifname, sizeof(ld->ifname), "%s", opts->ifname ?: "");
	ld->settings.flags = opts->flags;
	ld->settings.rate = opts->rate;
	ld->settings.large = ld->mtu > XFN_MTU_SMALL ? XFN_LARGE : 0;
	ld->skel = dispatcher_bpf__open();
	if (!ld->skel || ld->cpus < 1) {
		ret = -(errno ?: EINVAL);
		if (access("/sys/kernel/btf/vmlinux", R_OK))
			xfn_error__set(
				err,
				"cannot open the dispatcher without /sys/kernel/btf/vmlinux; mount -t "
				"sysfs sysfs /sys, or take a kernel with CONFIG_DEBUG_INFO_BTF");
		else
			xfn_error__set(err, "cannot open the dispatcher: %s; run `xfn check`",
				       strerror(-ret));
		xfn_loader__close(ld);
		return ret;
	}
	memcpy((void *)&ld->skel->rodata->xfn_settings, &ld->settings, sizeof(ld->settings));
	if (opts->flags & XFN_FRAGS)
		bpf_program__set_flags(ld->skel->progs.xfn_dispatcher, BPF_F_XDP_HAS_FRAGS);
	bpf_program__set_autoload(ld->skel->progs.xfn_redirector, false);
	ret = ld->before ? take_counters(ld) : 0;
	if (ret) {
		xfn_error__set(err, "cannot take over the counters: %s", strerror(-ret));
		xfn_loader__close(ld);
		return ret;
	}
	*out = ld;
	return 0;
}

int xfn_loader__begin(struct xfn_loader *ld, struct xfn_error *err)
{
	struct xfn_runtime runtime = { .mtu = ld->mtu };
	int ret = xfn_loader__set_runtime(ld, &runtime);

	if (ret)
		xfn_error__set(err, "cannot set the dispatcher's clock and MTU: %s",
			       strerror(-ret));
	return ret;
}

int xfn_loader__open(const struct xfn_loader_options *opts, struct xfn_loader **out,
		     struct xfn_error *err)
{
	struct xfn_loader *ld;
	int ret = xfn_loader__prepare(opts, &ld, err);

	if (ret)
		return ret;
	ret = dispatcher_bpf__load(ld->skel);
	if (ret)
		xfn_error__set(err, "the kernel does not load the dispatcher: %s; run `xfn check`",
			       strerror(-ret));
	ret = ret ?: xfn_loader__begin(ld, err);
	if (ret)
		xfn_loader__close(ld);
	else
		*out = ld;
	return ret;
}

void xfn_loader__part(struct xfn_loader *ld)
{
	ld->before = NULL;
}

void xfn_loader__close(struct xfn_loader *ld)
{
	if (!ld)
		return;
	xfn_loader__detach(ld);
	for (unsigned slot = 0; slot < XFN_SLOTS; slot++)
		bpf_object__close(ld->functions[slot]);
	slow_bpf__destroy(ld->slow);
	dispatcher_bpf__destroy(ld->skel);
	free(ld);
}

int xfn_loader__write_runtime(const struct xfn_loader *ld)
{
	__u32 key = 0;

	return bpf_map_update_elem(bpf_map__fd(ld->skel->maps.xfn_runtime), &key, &ld->runtime,
				   BPF_ANY);
}

int xfn_loader__set_runtime(struct xfn_loader *ld, const struct xfn_runtime *runtime)
{
	struct xfn_runtime was = ld->runtime;

	ld->runtime = *runtime;
	memcpy(ld->runtime.cached4, was.cached4, sizeof(was.cached4));
	memcpy(ld->runtime.cached6, was.cached6, sizeof(was.cached6));
	memcpy(ld->runtime.mac, was.mac, sizeof(was.mac));
	memcpy(ld->runtime.own, was.own, sizeof(was.own));
	return xfn_loader__write_runtime(ld);
}

/* Long: as bpf(2) takes them for a test run. */
int xfn_loader__test_run(struct xfn_loader *ld, const void *frame, size_t len, void *out,
			 size_t *outlen, unsigned repeat, unsigned *action, unsigned *ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = len, .data_out = out,
		    .data_size_out = *outlen, .repeat = repeat);
	int ret = -EOPNOTSUPP;

	if (!ld->below) /* the kernel runs no extension by itself */
		ret = bpf_prog_test_run_opts(bpf_program__fd(ld->skel->progs.xfn_dispatcher), &run);
	if (ret)
		return ret;
	*outlen = run.data_size_out;
	*action = run.retval;
	*ns = run.duration;
	return 0;
}
