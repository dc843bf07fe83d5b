// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One function's two targets on the same generated frames: the kernel program by BPF_PROG_TEST_RUN,
 * the native code by the worker's call path. Same action, same counted reason, same bytes, or it
 * says which input and ends with 1. Usage: fuzz_differential KERNEL.o NATIVE.so COUNT SEED
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "../userspace/call.h"
#include "fuzz_input.h"

#define NOW (1700000000ull * 1000000000ull)

static struct xfn_page page;
static struct xfn_call call;
static int prog_fd, reasons_fd, cpus;

static uint64_t kernel_count(unsigned reason)
{
	uint64_t values[cpus], sum = 0;
	__u32 key = reason;

	if (bpf_map_lookup_elem(reasons_fd, &key, values))
		return 0;
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

/* 0: alike. */
static int compare(const uint8_t *frame, size_t len)
{
	static uint64_t known[XFN_REASON_SLOTS], was[XFN_REASON_SLOTS];
	static uint8_t out[8192], own[8192];
	struct xfn_datagram d = { .data = own, .len = (uint32_t)len, .capacity = 4096 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = (__u32)len,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = 1);
	unsigned reason = 0;

	memcpy(own, frame, len);
	memset(own + len, 0xa5, 4096 - len);
	memcpy(was, page.reasons, sizeof(was));
	xfn_call__batch(&call, XFN_FRAME, &d, 1);
	for (unsigned i = 1; i < XFN_REASON_COUNT; i++)
		if (page.reasons[i] != was[i])
			reason = i;
	if (bpf_prog_test_run_opts(prog_fd, &run))
		return printf("BPF_PROG_TEST_RUN: %s\n", strerror(errno));
	if (d.send != (run.retval == 3))
		return printf("kernel: XDP action %u, worker %s (reason %u)\n", run.retval,
			      d.send ? "replies" : "does not reply", reason);
	/* each input is counted under one reason: the same on both sides */
	if (reason && kernel_count(reason) != ++known[reason])
		return printf("worker counts reason %u, the kernel does not\n", reason);
	if (!d.send)
		return 0;
	if (d.len != run.data_size_out || memcmp(own, out, d.len))
		return printf("replies differ (%u and %u bytes)\n", run.data_size_out, d.len);
	return 0;
}

int main(int argc, char **argv)
{
	struct xfn_live live = {
		.fixed_real_ns = NOW, .fixed_mono_ns = NOW, .fixed_random = 7, .mtu = 1500
	};
	struct xfn_native native = {};
	unsigned long count, replies;
	struct bpf_object *obj;
	struct bpf_map *map;
	char err[256] = "";
	uint8_t frame[FUZZ_MAX];
	int fd;

	if (argc != 5) {
		fprintf(stderr, "usage: %s KERNEL.o NATIVE.so COUNT SEED\n", argv[0]);
		return 2;
	}
	count = strtoul(argv[3], NULL, 0);
	fuzz_state = strtoul(argv[4], NULL, 0) | 1;
	cpus = libbpf_num_possible_cpus();
	obj = bpf_object__open_file(argv[1], NULL);
	if (!obj || bpf_object__load(obj)) {
		fprintf(stderr, "%s: does not load: %s\n", argv[1], strerror(errno));
		return errno == EPERM ? 77 : 1;
	}
	prog_fd = bpf_program__fd(bpf_object__next_program(obj, NULL));
	reasons_fd = bpf_object__find_map_fd_by_name(obj, "xfn_reasons");
	map = bpf_object__find_map_by_name(obj, "xfn_live");
	if (map)
		bpf_map_update_elem(bpf_map__fd(map), &(__u32){ 0 }, &live, 0);
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (xfn_native__load(fd, argv[2], &native, err, sizeof(err)) ||
	    xfn_call__init(&call, &page) || xfn_call__put(&call, 0, native.module) ||
	    xfn_call__bind(&call, NULL, 1232, 0)) {
		fprintf(stderr, "%s: %s\n", argv[2], err);
		return 1;
	}
	call.thread.fixed_real_ns = call.thread.fixed_mono_ns = NOW;
	call.thread.fixed_random = 7;
	xfn_call__enter(&call);
	for (unsigned long i = 0; i < count; i++) {
		size_t len = fuzz_next(frame);

		/* the dispatcher sends other ports elsewhere; the program alone does not look */
		if (compare(frame, len)) {
			printf("input %lu of seed %s, %zu bytes:", i, argv[4], len);
			for (size_t b = 0; b < len; b++)
				printf(" %02x", frame[b]);
			printf("\n");
			return 1;
		}
	}
	replies = page.slots[0].replies;
	printf("%s: %lu inputs, %lu answered, no difference\n", native.module->attr->name, count,
	       replies);
	xfn_call__free(&call);
	xfn_native__unload(&native);
	close(fd);
	bpf_object__close(obj);
	/* inputs that never reach the function prove nothing */
	return replies > count / 10 ? 0 : 1;
}
