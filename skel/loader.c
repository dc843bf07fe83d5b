// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One interface's dispatcher, maps and functions. Must never know of workers or of the control
 * socket. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include "error.h"
#include "loader_inside.h"
#include "dispatcher.skel.h"
#include "program.h"
#include "slow.skel.h"

#define COUNTER_PREFIX "xfn_counter_"

int xfn_loader__map(const struct xfn_loader *ld, const char *name)
{
	return bpf_object__find_map_fd_by_name(ld->skel->obj, name);
}

/* What was counted, and the requests of each prefix, stay what they are. */
static int take_counters(struct xfn_loader *ld)
{
	static const char *const names[] = { "xfn_slot_stat", "xfn_reasons", "xfn_rates" };
	int ret = 0;

	for (unsigned i = 0; !ret && i < sizeof(names) / sizeof(names[0]); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(ld->skel->obj, names[i]);

		if (map)
			ret = bpf_map__reuse_fd(map, xfn_loader__map(ld->before, names[i]));
	}
	return ret;
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
	ld->settings.iface = opts->iface;
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

/*
 * Maps of the dispatcher's names are the dispatcher's; all others are the function's own: those of
 * `own`, which may be NULL, go on.
 */
static int share_maps(struct xfn_loader *ld, struct bpf_object *obj, const struct bpf_object *own)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		int fd, ret;

		if (bpf_map__is_internal(map))
			continue;
		fd = xfn_loader__map(ld, bpf_map__name(map));
		if (fd < 0 && own)
			fd = bpf_object__find_map_fd_by_name(own, bpf_map__name(map));
		if (fd < 0)
			continue;
		ret = bpf_map__reuse_fd(map, fd);
		if (ret)
			return ret;
	}
	return 0;
}

/* Long: each step undoes those before it when it fails, in one place. */
int xfn_loader__put(struct xfn_loader *ld, unsigned slot, const struct xfn_module *mod,
		    struct xfn_refusal *refusal, struct xfn_error *err)
{
	struct xfn_settings settings = ld->settings;
	struct bpf_program *prog;
	struct bpf_object *obj;
	__u32 key = slot;
	char *log;
	int ret, fd;

	memset(refusal, 0, sizeof(*refusal));
	if (slot >= XFN_SLOTS || !mod->bpf) {
		xfn_error__set(err, "%s: %s", mod->attr.name,
			       mod->bpf ? "no slot left; remove a function" :
					  "it has no kernel half");
		return mod->bpf ? -ENOSPC : -ENOENT;
	}
	if (ld->no_calls) {
		xfn_refusal__set(refusal, XFN_RULE_shared_interface, NULL, mod->meta.file, 0);
		return xfn_fail(err, -EACCES, "%s: %s", mod->attr.name, refusal->reason);
	}
	settings.slot = slot;
	obj = xfn_program__open(mod->bpf, mod->bpf_len, mod->attr.name, &settings, &prog, err);
	if (!obj)
		return -EINVAL;
	/* An extension has neither attach type nor frags, and a prog array takes one kind only. */
	if (ld->below) {
		bpf_program__set_expected_attach_type(prog, 0);
		bpf_program__set_flags(prog, bpf_program__flags(prog) & ~BPF_F_XDP_HAS_FRAGS);
	}
	log = calloc(1, XFN_LOG_LEN);
	ret = log ? share_maps(ld, obj, ld->before ? ld->before->functions[slot] : NULL) : -ENOMEM;
	if (ret) {
		xfn_error__set(err, "%s: cannot share the dispatcher's maps: %s; build it again",
			       mod->attr.name, strerror(-ret));
		goto fail;
	}
	bpf_program__set_log_buf(prog, log, XFN_LOG_LEN);
	/* Writing the log takes longer than verifying: libbpf asks for it where a load is refused.
	 */
	bpf_program__set_log_level(prog, 0);
	ret = bpf_object__load(obj);
	if (ret) {
		bool refused = log[0] && ret != -EPERM && !xfn_refusal__host_failed(ret);

		if (refused)
			xfn_refusal__from_log(log, mod->meta.file, -ret, refusal);
		xfn_error__set(err, "%s: the kernel does not load it: %s", mod->attr.name,
			       refused ? refusal->reason : strerror(-ret));
		ret = refused ? -EACCES : ret;
		goto fail;
	}
	fd = bpf_program__fd(prog);
	ret = bpf_map_update_elem(xfn_loader__map(ld, "xfn_slots"), &key, &fd, BPF_ANY);
	if (ret) {
		xfn_error__set(err, "%s: the dispatcher does not take it: %s", mod->attr.name,
			       strerror(-ret));
		goto fail;
	}
	free(log);
	/* the log buffer is gone: libbpf must not write to it again (it does not after load) */
	bpf_object__close(ld->functions[slot]);
	ld->functions[slot] = obj;
	return 0;
fail:
	free(log);
	bpf_object__close(obj);
	return ret;
}

void xfn_loader__clear(struct xfn_loader *ld, unsigned slot)
{
	__u32 key = slot;

	if (slot >= XFN_SLOTS || !ld->functions[slot])
		return;
	bpf_map_delete_elem(xfn_loader__map(ld, "xfn_slots"), &key);
	bpf_object__close(ld->functions[slot]);
	ld->functions[slot] = NULL;
}

/* By these the dispatcher finds what is not bound to the address itself. */
static const uint8_t every[2][16] = { { [10] = 0xff, 0xff }, {} };

static struct xfn_binding_key binding_key(const struct xfn_loader *ld, const uint8_t ip[16],
					  uint16_t port)
{
	struct xfn_binding_key key = { .port = port, .iface = ld->settings.iface };

	memcpy(key.ip, ip, sizeof(key.ip));
	return key;
}

/* Bind the port at every address of both versions. */
static int bind_every(const struct xfn_loader *ld, uint16_t port, const __u32 *value)
{
	int ret = 0;

	for (unsigned i = 0; !ret && i < 2; i++) {
		struct xfn_binding_key key = binding_key(ld, every[i], port);

		ret = bpf_map_update_elem(xfn_loader__map(ld, "xfn_bindings"), &key, value,
					  BPF_ANY);
	}
	return ret;
}

int xfn_loader__bind(struct xfn_loader *ld, const uint8_t *ip, uint16_t port, unsigned slot,
		     int tier, struct xfn_error *err)
{
	__u32 key = port, value = XFN_PORT_VALUE(tier, slot), now = 0, shared = XFN_PORT_SHARED;
	int ports = xfn_loader__map(ld, "xfn_ports"), ret;

	if (tier == XFN_TIER_SOCKET)
		value = 0;
	ret = bpf_map_lookup_elem(ports, &key, &now);
	if (!ret && !ip) {
		ret = now == XFN_PORT_SHARED ? bind_every(ld, port, &value) :
					       bpf_map_update_elem(ports, &key, &value, BPF_ANY);
	} else if (!ret) {
		struct xfn_binding_key one = binding_key(ld, ip, port);

		/* the bindings first: no request may meet a shared port without them */
		if (now && now != XFN_PORT_SHARED)
			ret = bind_every(ld, port, &now);
		if (!ret)
			ret = bpf_map_update_elem(xfn_loader__map(ld, "xfn_bindings"), &one, &value,
						  BPF_ANY);
		if (!ret)
			ret = bpf_map_update_elem(ports, &key, &shared, BPF_ANY);
	}
	if (ret)
		xfn_error__set(err, "port %u: the dispatcher does not take it: %s", port,
			       strerror(-ret));
	return ret;
}

int xfn_loader__unbind(struct xfn_loader *ld, const uint8_t *ip, uint16_t port)
{
	int bindings = xfn_loader__map(ld, "xfn_bindings"), ret;
	__u32 key = port, zero = 0, now = 0;

	ret = bpf_map_lookup_elem(xfn_loader__map(ld, "xfn_ports"), &key, &now);
	if (!ret && now != XFN_PORT_SHARED)
		return bpf_map_update_elem(xfn_loader__map(ld, "xfn_ports"), &key, &zero, BPF_ANY);
	for (unsigned i = 0; !ret && i < (ip ? 1 : 2); i++) {
		struct xfn_binding_key binding = binding_key(ld, ip ?: every[i], port);

		ret = bpf_map_delete_elem(bindings, &binding);
	}
	return ret;
}

static struct xfn_address_key address_key(const struct xfn_loader *ld, const uint8_t ip[16],
					  const uint16_t tag[XFN_TAGS])
{
	struct xfn_address_key key = { .iface = ld->settings.iface };

	memcpy(key.ip, ip, sizeof(key.ip));
	for (int i = 0; i < XFN_TAGS; i++)
		key.tag[i] = tag[i];
	return key;
}

int xfn_loader__write_runtime(const struct xfn_loader *ld)
{
	__u32 key = 0;

	return bpf_map_update_elem(xfn_loader__map(ld, "xfn_runtime"), &key, &ld->runtime, BPF_ANY);
}

/* Keep the first addresses at hand (xfn_runtime): take this one in, or out. What finds no place is in
 * the hash only. */
static void near(struct xfn_loader *ld, const struct xfn_address_key *key, bool in)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	bool v4 = !memcmp(key->ip, mapped, 12);
	void *places = v4 ? (void *)ld->runtime.cached4 : (void *)ld->runtime.cached6;
	const void *ip = v4 ? key->ip + 12 : key->ip;
	size_t len = v4 ? 4 : 16;
	char none[16] = {}, *at = NULL;

	if (key->tag[0] || key->tag[1])
		return;
	for (unsigned i = 0; i < XFN_ADDRESS_CACHE; i++) {
		char *place = (char *)places + i * len;

		if (!memcmp(place, ip, len)) {
			if (!in)
				memset(place, 0, len);
			at = NULL;
			break;
		}
		if (in && !at && !memcmp(place, none, len))
			at = place;
	}
	if (at)
		memcpy(at, ip, len);
	xfn_loader__write_runtime(ld);
}

int xfn_loader__address_add(struct xfn_loader *ld, const uint8_t ip[16],
			    const uint16_t tag[XFN_TAGS])
{
	struct xfn_address_key key = address_key(ld, ip, tag);
	__u8 served = 1;

	near(ld, &key, true);
	return bpf_map_update_elem(xfn_loader__map(ld, "xfn_addresses"), &key, &served, BPF_ANY);
}

int xfn_loader__address_del(struct xfn_loader *ld, const uint8_t ip[16],
			    const uint16_t tag[XFN_TAGS])
{
	struct xfn_address_key key = address_key(ld, ip, tag);

	near(ld, &key, false);
	return bpf_map_delete_elem(xfn_loader__map(ld, "xfn_addresses"), &key);
}

/* The filter's program, loaded when it is first wanted. */
static int open_slow(struct xfn_loader *ld)
{
	int ret;

	if (ld->slow)
		return 0;
	ld->slow = slow_bpf__open();
	if (!ld->slow)
		return -errno;
	memcpy((void *)&ld->slow->rodata->xfn_settings, &ld->settings, sizeof(ld->settings));
	bpf_program__set_autoload(ld->slow->progs.xfn_own_socket, false);
	ret = share_maps(ld, ld->slow->obj, NULL);
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

	memcpy(device.tag, tag, sizeof(device.tag));
	return ret   ?:
		       bpf_map_update_elem(bpf_map__fd(ld->slow->maps.xfn_devices), &key, &device,
					   BPF_ANY);
}

int xfn_loader__socket(struct xfn_loader *ld, unsigned queue, unsigned thread, int fd)
{
	__u32 key = XFN_XSK_INDEX(ld->settings.iface, queue, thread);

	if (queue >= XFN_QUEUES || thread >= XFN_THREADS)
		return -ERANGE;
	if (fd < 0)
		return bpf_map_delete_elem(xfn_loader__map(ld, "xfn_xsks"), &key);
	return bpf_map_update_elem(xfn_loader__map(ld, "xfn_xsks"), &key, &fd, BPF_ANY);
}

int xfn_loader__indirection(struct xfn_loader *ld, unsigned queue, unsigned crew, unsigned first,
			    unsigned count)
{
	__u32 key = XFN_SPREAD_INDEX(queue, crew);
	struct xfn_indirection spread;

	if (queue >= XFN_QUEUES || crew >= XFN_POOLS || !count || first + count > XFN_THREADS)
		return -ERANGE;
	for (unsigned i = 0; i < XFN_SPREAD; i++)
		spread.thread[i] = first + i % count;
	return bpf_map_update_elem(xfn_loader__map(ld, "xfn_indirections"), &key, &spread, BPF_ANY);
}

int xfn_loader__pool(struct xfn_loader *ld, unsigned slot, unsigned crew)
{
	__u32 key = slot, value = crew;

	if (slot >= XFN_SLOTS || crew >= XFN_POOLS)
		return -ERANGE;
	return bpf_map_update_elem(xfn_loader__map(ld, "xfn_pools"), &key, &value, BPF_ANY);
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
	return xfn_map__sum(xfn_loader__map(ld, "xfn_slot_stat"), slot, ld->cpus,
			    sizeof(*out) / sizeof(__u64), (__u64 *)out);
}

int xfn_loader__reasons(struct xfn_loader *ld, uint64_t out[XFN_REASON_SLOTS])
{
	for (__u32 i = 0; i < XFN_REASON_SLOTS; i++) {
		__u64 sum;
		int ret = xfn_map__sum(xfn_loader__map(ld, "xfn_reasons"), i, ld->cpus, 1, &sum);

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
