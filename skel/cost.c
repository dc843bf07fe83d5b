// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a function's program costs per request in this kernel. Must never attach anything. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <bpf/bpf.h>
#include "error.h"
#include "../functions/xfn.h"
#include "../xdp/timing.h"
#include "../xdp/units.h"
#include "cost.h"
#include "program.h"
#include "timing.skel.h"

#define ROUNDS	  15			    /* the shortest counts: the others were disturbed */
#define ROUND_NS  (150 * XFN_NSEC_PER_USEC) /* what a round is to take at most */
#define REPEATS	  1000			    /* in a round, at most */
#define BOUND_NS  (12 * XFN_NSEC_PER_MSEC)  /* for all rounds of one frame */
#define FRAME_OUT 4096			    /* a reply is no longer */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * XFN_NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* The shortest mean of several short runs, in ns. 0 or -errno. */
static int shortest(int fd, const struct xfn_cost *t, uint32_t *ns, uint32_t *action)
{
	uint8_t out[FRAME_OUT];
	uint64_t start = now_ns();
	unsigned repeat = 1;

	*ns = UINT32_MAX;
	/* the first run warms up, and shows how many repetitions make a round */
	for (unsigned round = 0; round <= ROUNDS; round++) {
		LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = t->frame, .data_size_in = t->len,
			    .data_out = out, .data_size_out = sizeof(out), .repeat = (int)repeat);
		int ret = bpf_prog_test_run_opts(fd, &run);

		if (ret)
			return ret;
		*action = run.retval;
		if (round && run.duration < *ns)
			*ns = run.duration;
		repeat = ROUND_NS / (run.duration + 1);
		repeat = repeat < 1 ? 1 : repeat > REPEATS ? REPEATS : repeat;
		if (round && now_ns() - start > BOUND_NS)
			break;
	}
	return 0;
}

/* The requests that the function has consumed, on all CPUs. */
static uint64_t consumed(struct bpf_object *obj)
{
	int cpus = libbpf_num_possible_cpus(), fd;
	struct xfn_slot_counters *stat = cpus > 0 ? calloc((size_t)cpus, sizeof(*stat)) : NULL;
	uint64_t sum = 0;
	__u32 slot = 0;

	fd = bpf_object__find_map_fd_by_name(obj, "xfn_slot_stat");
	if (stat && !bpf_map_lookup_elem(fd, &slot, stat))
		for (int cpu = 0; cpu < cpus; cpu++)
			sum += stat[cpu].consumed;
	free(stat);
	return sum;
}

static int time_one(struct timing_bpf *skel, struct bpf_object *obj, int prog, struct xfn_cost *t)
{
	struct xfn_timing_frame request = { .len = t->len };
	int self = bpf_program__fd(skel->progs.xfn_timing);
	int slots = bpf_map__fd(skel->maps.xfn_timed);
	uint32_t without, with, action;
	uint64_t before = consumed(obj);
	__u32 key = 0;
	int ret;

	if (!t->len || t->len > XFN_TIMING_MAX)
		return -EMSGSIZE;
	memcpy(request.frame, t->frame, t->len);
	ret = bpf_map_update_elem(bpf_map__fd(skel->maps.xfn_request), &key, &request, BPF_ANY);
	bpf_map_delete_elem(slots, &key);
	ret = ret ?: shortest(self, t, &without, &action);
	ret = ret ?: bpf_map_update_elem(slots, &key, &prog, BPF_ANY);
	ret = ret ?: shortest(self, t, &with, &action);
	if (ret)
		return ret;
	t->ns = with > without ? with - without : 1;
	t->action = action == XDP_TX	       ? XFN_REPLY :
		    action == XDP_PASS	       ? XFN_PASS :
		    consumed(obj) - before > 0 ? XFN_CONSUME :
						 XFN_DROP;
	return 0;
}

int xfn_cost__measure(const void *bytes, size_t len, struct xfn_cost *costs, unsigned count,
		      struct xfn_error *err)
{
	struct xfn_settings settings = {};
	struct bpf_program *prog;
	struct timing_bpf *skel;
	struct bpf_object *obj;
	int ret = 0;

	xfn_program__quiet_libbpf();
	obj = xfn_program__open(bytes, len, "function", &settings, &prog, err);
	if (!obj)
		return -EINVAL;
	skel = timing_bpf__open_and_load();
	if (!skel)
		ret = -errno;
	ret = ret ?: bpf_object__load(obj);
	for (unsigned i = 0; !ret && i < count; i++)
		ret = time_one(skel, obj, bpf_program__fd(prog), &costs[i]);
	if (ret)
		xfn_error__set(err, "cannot be timed in this kernel: %s", strerror(-ret));
	timing_bpf__destroy(skel);
	bpf_object__close(obj);
	return ret;
}
