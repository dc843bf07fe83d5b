// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program on an offload device: loading it for the driver, attaching it, and the words of a
 * refusal. */
#include "array_size.h"
#include "error.h"
#include "offload.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "confined.h"
#include "loader_inside.h"
#include "program.h"

struct xfn_offload {
	struct bpf_object *obj;
	struct bpf_program *prog;
	unsigned ifindex;
	int link_fd; /* -1: not attached */
};

/* The driver's own line in the verifier's log, such as "[nfp] unsupported function id: 12"; length
 * 0: none. netdevsim writes such a line for programs that it accepts too. */
static int driver_words(const char *log, const char **words)
{
	int len = 0;

	for (const char *at = log; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
		if (*at == '[' && !strstr(at, "Hello from")) {
			*words = at;
			len = (int)strcspn(at, "\n");
		}
	return len;
}

static void explain(const struct bpf_object *obj, const char *log, const char *source, int ret,
		    struct xfn_error *err)
{
	const char *words, *said = xfn_program__kernel_said();
	struct xfn_refusal refusal = {};
	const struct bpf_map *map;
	int len = driver_words(log, &words);
	char name[64];

	if (len) {
		xfn_error__set(err, "the card's driver refuses it: %.*s", len, words);
		return;
	}
	if (sscanf(said, "map '%63[^']", name) == 1) {
		map = bpf_object__find_map_by_name(obj, name);
		xfn_error__set(err, "the card's driver does not take the map %s of %u entries: %s",
			       name, map ? bpf_map__max_entries(map) : 0, strerror(-ret));
		return;
	}
	if (!*log) {
		xfn_error__set(err, "the card's driver does not take it: %s", strerror(-ret));
		return;
	}
	xfn_refusal__from_log(log, source, -ret, &refusal);
	if (refusal.line)
		xfn_error__set(err, "%s (%s:%u)", refusal.reason, refusal.file, refusal.line);
	else
		xfn_error__set(err, "%s", refusal.reason);
}

struct reading {
	const void *bytes;
	size_t len;
	bool *right; /* shared with the process that reads */
};

static void read_object(void *ctx)
{
	const struct reading *r = ctx;
	struct bpf_object *obj = bpf_object__open_mem(r->bytes, r->len, NULL);

	*r->right = obj && bpf_object__next_program(obj, NULL);
	bpf_object__close(obj);
}

int xfn_offload__check(const void *bytes, size_t len, struct xfn_error *err)
{
	struct reading r = { bytes, len,
			     mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0) };
	int ret = -ENOMEM;

	xfn_program__quiet_libbpf();
	if (r.right != MAP_FAILED) {
		ret = xfn_confined(read_object, &r);
		if (!ret && !*r.right)
			ret = -EINVAL;
		munmap(r.right, sizeof(bool));
	}
	if (ret)
		xfn_error__set(err, "%s",
			       ret == -EBADMSG ? "is damaged: reading it crashes" :
			       ret == -EINVAL  ? "is no BPF object with a program" :
						 strerror(-ret));
	return ret;
}

int xfn_offload__load(const void *bytes, size_t len, const char *source, unsigned ifindex,
		      struct xfn_offload **out, struct xfn_error *err)
{
	struct xfn_offload *off = calloc(1, sizeof(*off));
	char *log = calloc(1, XFN_LOG_LEN);
	struct bpf_map *map;
	int ret = -ENOMEM;

	xfn_program__quiet_libbpf();
	if (!off || !log) {
		xfn_error__set(err, "out of memory");
		goto out;
	}
	off->link_fd = -1;
	off->ifindex = ifindex;
	ret = -EINVAL;
	off->obj = xfn_program__open(bytes, len, "offload", NULL, &off->prog, err);
	if (!off->obj)
		goto out;
	bpf_program__set_ifindex(off->prog, ifindex);
	bpf_object__for_each_map(map, off->obj)
		bpf_map__set_ifindex(map, ifindex);
	bpf_program__set_log_buf(off->prog, log, XFN_LOG_LEN);
	xfn_program__kernel_said();
	ret = bpf_object__load(off->obj);
	if (ret)
		explain(off->obj, log, source, ret, err);
	/* libbpf does not write to it after a load */
	bpf_program__set_log_buf(off->prog, NULL, 0);
out:
	free(log);
	if (ret) {
		xfn_offload__close(off);
		return ret;
	}
	*out = off;
	return 0;
}

int xfn_offload__attach(struct xfn_offload *off, struct xfn_error *err)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_HW_MODE);
	int prog = bpf_program__fd(off->prog);
	int fd = bpf_link_create(prog, off->ifindex, BPF_XDP, &opts);
	struct xfn_error why;

	if (fd < 0) {
		xfn_attach__why(prog, off->ifindex, XDP_FLAGS_HW_MODE, fd, &why);
		xfn_error__set(err, "the card does not take the program: %s", why.line);
		return fd;
	}
	off->link_fd = fd;
	return 0;
}

void xfn_offload__add_counters(const struct xfn_offload *off, const char *name,
			       struct xfn_slot_counters *sum)
{
	struct xfn_slot_counters got;
	struct bpf_map *map;
	char full[32];
	__u32 key = 0;

	snprintf(full, sizeof(full), "%s_stat", name);
	map = bpf_object__find_map_by_name(off->obj, full);
	if (!map || bpf_map__value_size(map) != sizeof(got) ||
	    bpf_map_lookup_elem(bpf_map__fd(map), &key, &got))
		return;
	xfn_slot_counters_add(sum, &got);
}

void xfn_offload__add_reasons(const struct xfn_offload *off, uint64_t sum[XFN_REASON_SLOTS])
{
	__u64 words[XFN_REASON_SLOTS];
	struct bpf_map *map;
	unsigned first;

	bpf_object__for_each_map(map, off->obj) {
		unsigned n = bpf_map__value_size(map) / sizeof(*words);

		if (sscanf(bpf_map__name(map), "xfn_reasons_%u", &first) != 1 ||
		    n > XFN_REASON_SLOTS)
			continue;
		for (__u32 key = 0; key < bpf_map__max_entries(map); key++, first += n) {
			if (bpf_map_lookup_elem(bpf_map__fd(map), &key, words))
				continue;
			for (unsigned i = 0; i < n && first + i < XFN_REASON_SLOTS; i++)
				sum[first + i] += words[i];
		}
	}
}

void xfn_offload__close(struct xfn_offload *off)
{
	if (!off)
		return;
	/* the last descriptor of an unpinned link: closing it detaches */
	if (off->link_fd >= 0)
		close(off->link_fd);
	bpf_object__close(off->obj);
	free(off);
}

int xfn_offload__possible(unsigned ifindex)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_ifindex = ifindex);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "xfn_card", "Dual BSD/GPL", pass,
			       ARRAY_SIZE(pass), &opts);

	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : fd == -EPERM ? -EPERM : -EOPNOTSUPP;
}
