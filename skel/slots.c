// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Functions' programs in the dispatcher's slots. Must never know of ports or addresses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "error.h"
#include "loader_inside.h"
#include "dispatcher.skel.h"
#include "program.h"

/*
 * A map with the name of one of the dispatcher's is the dispatcher's. All others are the function's
 * own: they go on in those of `before`, the object that an earlier loader has in the slot (NULL:
 * none).
 */
static int share_maps(struct xfn_loader *ld, struct bpf_object *obj,
		      const struct bpf_object *before)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		int fd, ret;

		if (bpf_map__is_internal(map))
			continue;
		fd = bpf_object__find_map_fd_by_name(ld->skel->obj, bpf_map__name(map));
		if (fd < 0 && before)
			fd = bpf_object__find_map_fd_by_name(before, bpf_map__name(map));
		if (fd < 0)
			continue;
		ret = bpf_map__reuse_fd(map, fd);
		if (ret)
			return ret;
	}
	return 0;
}

/* Load the object. A verifier's refusal is -EACCES with *refusal filled. */
static int load(struct bpf_object *obj, struct bpf_program *prog, const struct xfn_module *mod,
		struct xfn_refusal *refusal, struct xfn_error *err)
{
	char *log = calloc(1, XFN_LOG_LEN);
	bool refused;
	int ret;

	if (!log)
		return xfn_fail(err, -ENOMEM, "%s: out of memory for the verifier's log",
				mod->attr.name);
	bpf_program__set_log_buf(prog, log, XFN_LOG_LEN);
	/* Writing a log takes longer than verifying: libbpf asks for it where a load is refused. */
	bpf_program__set_log_level(prog, 0);
	ret = bpf_object__load(obj);
	if (ret) {
		refused = log[0] && ret != -EPERM && !xfn_refusal__host_failed(ret);
		if (refused)
			xfn_refusal__from_log(log, mod->meta.file, -ret, refusal);
		xfn_error__set(err, "%s: the kernel does not load it: %s", mod->attr.name,
			       refused ? refusal->reason : strerror(-ret));
		ret = refused ? -EACCES : ret;
	}
	/* libbpf does not write to the buffer after a load */
	free(log);
	return ret;
}

/* Open the object, load it with the dispatcher's maps, and put its program into the slot. */
static int put(struct xfn_loader *ld, const struct xfn_settings *settings,
	       const struct xfn_module *mod, struct bpf_object **out, struct xfn_refusal *refusal,
	       struct xfn_error *err)
{
	const struct bpf_object *before = ld->before ? ld->before->functions[settings->slot] : NULL;
	struct bpf_program *prog;
	__u32 key = settings->slot;
	int ret, fd;

	*out = xfn_program__open(mod->bpf, mod->bpf_len, mod->attr.name, settings, &prog, err);
	if (!*out)
		return -EINVAL;
	/* An extension has neither attach type nor frags, and a prog array takes one kind only. */
	if (ld->below) {
		bpf_program__set_expected_attach_type(prog, 0);
		bpf_program__set_flags(prog, bpf_program__flags(prog) & ~BPF_F_XDP_HAS_FRAGS);
	}
	ret = share_maps(ld, *out, before);
	if (ret)
		return xfn_fail(err, ret,
				"%s: cannot share the dispatcher's maps: %s; build it again",
				mod->attr.name, strerror(-ret));
	ret = load(*out, prog, mod, refusal, err);
	if (ret)
		return ret;
	fd = bpf_program__fd(prog);
	ret = bpf_map_update_elem(bpf_map__fd(ld->skel->maps.xfn_slots), &key, &fd, BPF_ANY);
	if (ret)
		xfn_error__set(err, "%s: the dispatcher does not take it: %s", mod->attr.name,
			       strerror(-ret));
	return ret;
}

int xfn_loader__put(struct xfn_loader *ld, unsigned slot, const struct xfn_module *mod,
		    struct xfn_refusal *refusal, struct xfn_error *err)
{
	struct xfn_settings settings = ld->settings;
	struct bpf_object *obj = NULL;
	int ret;

	memset(refusal, 0, sizeof(*refusal));
	if (!mod->bpf)
		return xfn_fail(err, -ENOENT, "%s: it has no kernel half", mod->attr.name);
	if (slot >= XFN_SLOTS)
		return xfn_fail(err, -ENOSPC, "%s: no slot left; remove a function",
				mod->attr.name);
	if (ld->no_calls) {
		xfn_refusal__set(refusal, XFN_RULE_shared_interface, NULL, mod->meta.file, 0);
		return xfn_fail(err, -EACCES, "%s: %s", mod->attr.name, refusal->reason);
	}
	settings.slot = slot;
	ret = put(ld, &settings, mod, &obj, refusal, err);
	if (ret) {
		bpf_object__close(obj);
		return ret;
	}
	bpf_object__close(ld->functions[slot]);
	ld->functions[slot] = obj;
	return 0;
}
