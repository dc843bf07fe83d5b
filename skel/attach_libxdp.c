// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `--attach libxdp`: our dispatcher below libxdp's, which calls the programs of several owners in
 * turn (libxdp, protocol.org). Ours becomes an extension (freplace) of libxdp's, which has two
 * limits:
 *
 * - Some kernels refuse an extension that changes packets where its target does not (6.13, and
 *   stable ones with that change), and take a tail call for such a change. There the form without
 *   tail calls is attached, and all functions run in workers.
 * - Where the kernel has no extensions, libxdp attaches our program alone.
 *
 * libxdp's links are pinned, so the kernel does not detach when we end. A process of our own, the
 * keeper, waits for our end and detaches. Must never know of functions.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <linux/capability.h>
#include <xdp/libxdp.h>
#include "array_size.h"
#include "error.h"
#include "loader_inside.h"
#include "privileges.h"
#include "dispatcher.skel.h"

static int show(enum libxdp_print_level level, const char *format, va_list args)
{
	(void)level;
	if (!getenv("XFN_DEBUG"))
		return 0;
	fputs("  ", stderr);
	return vfprintf(stderr, format, args);
}

/* Take the program `id` off the interface, and libxdp's dispatcher with the last one. */
static int detach(unsigned ifindex, uint32_t id, enum xdp_attach_mode mode)
{
	struct xdp_multiprog *all = xdp_multiprog__get_from_ifindex((int)ifindex);
	struct xdp_program *prog = NULL;
	int ret = 0;

	if (libxdp_get_error(all))
		return 0; /* gone, or the interface is */
	if (xdp_multiprog__is_legacy(all)) {
		prog = xdp_multiprog__main_prog(all);
		if (prog && xdp_program__id(prog) != id)
			prog = NULL; /* another's by now */
	} else {
		do
			prog = xdp_multiprog__next_prog(prog, all);
		while (prog && xdp_program__id(prog) != id);
	}
	if (prog)
		ret = xdp_program__detach(prog, (int)ifindex, mode, 0);
	xdp_multiprog__close(all);
	return ret;
}

/* The keeper. All that it has of its parent is a pipe: it detaches when the pipe's other end is
 * closed. */
static void keep(const struct xfn_loader *ld, int fd, uint32_t id, enum xdp_attach_mode mode)
{
	/* CAP_SYS_ADMIN: to look up by their ids the programs that others attached */
	static const unsigned kept[] = { CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN };
	sigset_t all;
	char byte;
	int ret;

	/* Ctrl-C, and other signals to the process group, are for the parent */
	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "xfn-keeper");
	xfn_privileges__keep(kept, ARRAY_SIZE(kept));
	if (dup2(fd, STDIN_FILENO) < 0)
		_exit(1);
	close(STDOUT_FILENO);
	close_range(STDERR_FILENO + 1, ~0u, 0);
	while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR)
		;
	ret = detach(ld->ifindex, id, mode);
	if (ret)
		fprintf(stderr,
			"xfn: %s: cannot detach by libxdp: %s; `xdp-loader unload %s -i %u`\n",
			ld->ifname, strerror(-ret), ld->ifname, id);
	_exit(ret ? 1 : 0);
}

static int start_keeper(struct xfn_loader *ld, uint32_t id, enum xdp_attach_mode mode)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	ld->keeper = fork();
	if (ld->keeper < 0) {
		int ret = -errno;

		close(fds[0]);
		close(fds[1]);
		return ret;
	}
	if (!ld->keeper)
		keep(ld, fds[0], id, mode);
	close(fds[0]);
	ld->keeper_pipe = fds[1];
	return 0;
}

/* Does our program's prog array accept an XDP program? */
static bool takes_functions(const struct xfn_loader *ld)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int slots = bpf_map__fd(ld->skel->maps.xfn_slots), ret = -1;
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "xfn_probe", "GPL", pass, 2, NULL);
	__u32 key = 0;

	if (fd >= 0)
		ret = bpf_map_update_elem(slots, &key, &fd, BPF_ANY);
	if (!ret)
		bpf_map_delete_elem(slots, &key);
	if (fd >= 0)
		close(fd);
	return !ret;
}

/* Load and attach one form of our program. -EOPNOTSUPP: it attached, but can call no function. */
static int attach_form(struct xfn_loader *ld, bool calls, enum xdp_attach_mode mode)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts, .obj = ld->skel->obj,
			    .prog_name = calls ? "xfn_dispatcher" : "xfn_redirector");
	struct xdp_multiprog *all;
	struct xdp_program *prog;
	uint32_t id;
	int ret;

	bpf_program__set_autoload(ld->skel->progs.xfn_dispatcher, calls);
	bpf_program__set_autoload(ld->skel->progs.xfn_redirector, !calls);
	prog = xdp_program__create(&opts);
	ret = (int)libxdp_get_error(prog);
	if (ret)
		return ret;
	if (ld->settings.flags & XFN_FRAGS)
		xdp_program__set_xdp_frags_support(prog, true);
	ret = xdp_program__attach(prog, (int)ld->ifindex, mode, 0);
	if (!ret) {
		id = xdp_program__id(prog);
		all = xdp_multiprog__get_from_ifindex((int)ld->ifindex);
		ld->below = !libxdp_get_error(all) && !xdp_multiprog__is_legacy(all);
		if (!libxdp_get_error(all))
			xdp_multiprog__close(all);
		ld->no_calls = !calls;
		if (calls && ld->below && !takes_functions(ld))
			ret = -EOPNOTSUPP;
		ret = ret ?: start_keeper(ld, id, mode);
		if (ret)
			detach(ld->ifindex, id, mode);
	}
	xdp_program__close(prog);
	return ret;
}

/* Is there a program without libxdp's dispatcher? It does not share the interface. */
static bool held(unsigned ifindex)
{
	struct xdp_multiprog *all = xdp_multiprog__get_from_ifindex((int)ifindex);
	bool legacy;

	if (libxdp_get_error(all))
		return false;
	legacy = xdp_multiprog__is_legacy(all) && xdp_multiprog__main_prog(all);
	xdp_multiprog__close(all);
	return legacy;
}

int xfn_loader__open_shared(const struct xfn_loader_options *opts, enum xfn_mode mode,
			    struct xfn_loader **out, struct xfn_error *why, struct xfn_error *err)
{
	enum xdp_attach_mode way = mode == XFN_MODE_NATIVE ? XDP_MODE_NATIVE : XDP_MODE_SKB;
	char name[XFN_PROGRAM_NAME];
	struct xfn_loader *ld;
	int ret = 0, first = 0;
	__u32 id;

	libxdp_set_print(show);
	xfn_error__set(why, "%s", "");
	if (held(opts->ifindex) && xfn_loader__holder(opts->ifindex, &id, name))
		return xfn_fail(
			err, -EBUSY,
			"%s: XDP program %s (id %u) holds it, and was not attached by libxdp; stop "
			"its owner, or `ip link set dev %s xdp off`",
			opts->ifname, name, id, opts->ifname);
	for (int calls = 1; calls >= 0; calls--) {
		ret = xfn_loader__prepare(opts, &ld, err);
		if (ret)
			return ret;
		ret = attach_form(ld, calls, way);
		if (!ret)
			break;
		first = first ?: ret;
		xfn_loader__close(ld);
	}
	if (ret) {
		xfn_error__set(
			err,
			"%s: libxdp cannot attach in %s mode: %s; leave --attach out (XFN_DEBUG=1 "
			"shows libxdp's words)",
			opts->ifname, xfn_mode_name(mode), strerror(-first));
		return first == -EBUSY ? -EIO : first; /* another mode may do */
	}
	ret = xfn_loader__begin(ld, err);
	if (ret) {
		xfn_loader__close(ld);
		return ret;
	}
	if (!ld->below)
		xfn_error__set(
			why,
			"this kernel lets no program be called by libxdp's dispatcher (freplace): "
			"attached alone, no other can join");
	else if (ld->no_calls)
		xfn_error__set(
			why,
			"this kernel allows no tail call below libxdp's dispatcher: all functions "
			"run in workers");
	*out = ld;
	return 0;
}
