// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The generator of the kernel: live frames by BPF_PROG_TEST_RUN, replies into an XDP sink. All
 * counting is done in memory shared with the programs; user space paces, waits and sums. Must never
 * know which server is asked.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <linux/if_ether.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "../../skel/error.h"
#include "../../userspace/host/now.h"
#include "../../xdp/protocols.h"
#include "../../xdp/units.h"
#include "hook.h"
#include "bench_load.h"
#include "bench.skel.h"

#define BATCH	    64
#define AT_ONCE	    8192 /* frames of one call where no pace is kept: half a millisecond's */
#define THREADS	    8
#define PROGRESS_NS (100 * XFN_NSEC_PER_MSEC)

struct bench_live {
	struct bench_bpf *skel;
	struct bpf_link *idle;	/* the generator on lo: makes its runs start in microseconds */
	struct bench_hook hook; /* the sink's */
	struct bench_payload *requests, *replies; /* mapped */
};

struct runner {
	struct bench_live *live;
	const struct bench_plan *plan;
	const struct bench_wire *wire;
	pthread_t thread;
	int cpu;
	uint64_t begin, end;
	struct bench_figures figures;
	int ret;
};

static uint32_t be16_sum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

static void put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Headers, and their sums less what changes from frame to frame. */
static void prepare(struct bench_live *live, const struct bench_wire *w,
		    const struct bench_plan *plan)
{
	volatile struct bench_conf *to = &live->skel->bss->conf;
	size_t addr = w->v6 ? 16 : 4, longest = 0;
	struct bench_conf conf = { .family = w->v6 ? 6 : 4 };
	uint8_t source[16], *ip = conf.head + ETH_HLEN,
			    *udp = ip + (w->v6 ? XFN_IPV6_LEN : XFN_IPV4_LEN);

	memcpy(source, w->source, addr);
	conf.addr_low = (uint16_t)(source[addr - 2] << 8 | source[addr - 1]);
	source[addr - 2] = source[addr - 1] = 0;
	memcpy(conf.head, w->target_mac, ETH_ALEN);
	memcpy(conf.head + ETH_ALEN, w->source_mac, ETH_ALEN);
	put_be16(conf.head + 2 * ETH_ALEN, w->v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (w->v6) {
		ip[0] = XFN_IPV6_FIRST;
		ip[6] = IPPROTO_UDP;
		ip[7] = 64;
		memcpy(ip + 8, source, 16);
		memcpy(ip + 24, w->target, 16);
	} else {
		ip[0] = XFN_IPV4_FIRST;
		put_be16(ip + 6, IP_DF);
		ip[8] = 64;
		ip[9] = IPPROTO_UDP;
		memcpy(ip + 12, source, 4);
		memcpy(ip + 16, w->target, 4);
		conf.head_sum = be16_sum(ip, XFN_IPV4_LEN);
	}
	put_be16(udp + 2, w->port);
	conf.udp_sum = be16_sum(source, addr) + be16_sum(w->target, addr) + IPPROTO_UDP + w->port;
	for (unsigned i = 0; i < plan->set->count; i++)
		if (plan->set->request[i].len > longest)
			longest = plan->set->request[i].len;
	conf.frame_len = (uint32_t)((w->v6 ? XFN_IPV6_LEN : XFN_IPV4_LEN) + ETH_HLEN + XFN_UDP_LEN +
				    longest);
	conf.ifindex = live->hook.ifindex;
	conf.flows = plan->flows;
	conf.window = plan->outstanding;
	conf.timeout_ns = plan->timeout_ms * XFN_NSEC_PER_MSEC;
	conf.interval_ns = plan->rate > 0 ? (uint32_t)(1e9 / plan->rate) ?: 1 : 0;
	conf.limit = (uint32_t)plan->requests;
	conf.cpus = (uint32_t)sysconf(_SC_NPROCESSORS_CONF);
	conf.pool = plan->set->count;
	conf.port = w->port;
	/* the payload that a frame brings is the first request's: one more must be written */
	conf.flags = (plan->check && !plan->set->any_reply ? BENCH_CHECK : 0) |
		     (plan->check || plan->set->count > 1 ? BENCH_REWRITE : 0) |
		     (plan->outstanding || plan->rate > 0 ? BENCH_STAMP : 0) |
		     (w->hairpin ? BENCH_HAIRPIN : 0);
	memcpy((void *)to, &conf, sizeof(conf));
	memcpy(live->requests, plan->set->request, sizeof(plan->set->request));
	memcpy(live->replies, plan->set->reply, sizeof(plan->set->reply));
	memset(live->skel->bss->counters, 0, sizeof(live->skel->bss->counters));
	live->skel->bss->sample_count = 0;
	live->skel->bss->due = live->skel->bss->last = 0;
}

static void sum_up(const struct bench_live *live, struct bench_figures *out)
{
	const volatile struct bench_counters *c = live->skel->bss->counters;

	out->sent = out->replies = out->wrong = out->lost = out->first_wrong = 0;
	for (unsigned i = 0; i < BENCH_CPUS; i++) {
		out->sent += c[i].sent;
		out->replies += c[i].replies;
		out->wrong += c[i].wrong;
		out->lost += c[i].lost;
		if (c[i].first_wrong)
			out->first_wrong = c[i].first_wrong;
	}
	out->replies -= out->wrong;
}

/* Until nothing of an earlier run comes any more: a late reply is nobody's. */
static void settle(const struct bench_live *live)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	struct bench_figures before, after = {};

	for (int i = 0; i < 100; i++) {
		before = after;
		nanosleep(&pause, NULL);
		sum_up(live, &after);
		if (i && after.replies + after.wrong == before.replies + before.wrong)
			return;
	}
}

/* Frames that have left. */
static uint64_t own_sent(const struct runner *r)
{
	struct bench_figures so_far = {};

	sum_up(r->live, &so_far);
	return so_far.sent;
}

/* The generator `n` times on this CPU, flushed after each `batch`. */
static int send_frames(const struct runner *r, uint32_t n, uint32_t batch)
{
	uint8_t frame[ETH_HLEN + XFN_IPV6_LEN + XFN_UDP_LEN + BENCH_PAYLOAD];
	struct bench_live *live = r->live;
	uint32_t len = live->skel->bss->conf.frame_len;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = len, .repeat = (int)n,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = n < batch ? n : batch);
	uint32_t head = ETH_HLEN + (r->wire->v6 ? XFN_IPV6_LEN : XFN_IPV4_LEN) + XFN_UDP_LEN;

	memcpy(frame, live->skel->bss->conf.head, head);
	memcpy(frame + head, r->plan->set->request[0].words, len - head);
	return bpf_prog_test_run_opts(bpf_program__fd(live->skel->progs.bench_generate), &run);
}

static bool over(const struct runner *r, uint64_t now, uint64_t done)
{
	const struct bench_plan *plan = r->plan;

	return plan->requests ? done >= plan->requests :
				now - r->begin >= (uint64_t)(plan->seconds * 1e9);
}

static bool go_on(const struct runner *r, uint64_t now, uint64_t *told)
{
	struct bench_figures so_far = {};

	if (!r->plan->progress || now - *told < PROGRESS_NS)
		return true;
	*told = now;
	sum_up(r->live, &so_far);
	so_far.seconds = (double)(now - r->begin) / 1e9;
	return r->plan->progress(&so_far, r->plan->arg);
}

/* As fast as it goes; windows and intervals are kept by the generator, which lets frames fall. */
static int generate(struct runner *r, struct bench_figures *out)
{
	const struct bench_plan *plan = r->plan;
	bool paced = plan->outstanding || plan->rate > 0;
	uint64_t now = r->begin, told = now, seen = 0, sent = 0;
	int ret = 0;

	while (!ret && !over(r, now, paced ? own_sent(r) : sent) && go_on(r, now, &told)) {
		uint64_t n = AT_ONCE;

		if (!paced && plan->requests && n > plan->requests - sent)
			n = plan->requests - sent;
		ret = send_frames(r, (uint32_t)n, paced ? 1 : BATCH);
		if (ret == -EINTR) /* go_on() knows whether that was meant for us */
			ret = 0;
		else
			sent += n;
		now = xfn_now_ns();
		for (; out->rtt && seen < r->live->skel->bss->sample_count; seen++)
			bench_histogram__add(
				out->rtt, r->live->skel->bss->samples[seen & (BENCH_SAMPLES - 1)]);
	}
	r->end = now;
	return ret;
}

static void *run_apart(void *arg)
{
	struct runner *r = arg;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(r->cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	r->ret = generate(r, &r->figures);
	return NULL;
}

int bench_live__run(struct bench_live *live, const struct bench_wire *wire,
		    const struct bench_plan *plan, unsigned threads, struct bench_figures *out,
		    struct xfn_error *err)
{
	struct bench_histogram *rtt = out->rtt;
	struct runner runners[THREADS] = {};
	int ret = 0, cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	unsigned started = 1;

	*out = (struct bench_figures){ .rtt = rtt };
	if (!threads || threads > THREADS ||
	    (threads > 1 && (plan->outstanding || plan->rate > 0)) || !plan->flows ||
	    plan->flows > BENCH_PORTS * BENCH_ADDRESSES || plan->set->count > BENCH_POOL ||
	    plan->outstanding > BENCH_PORTS || plan->outstanding > plan->flows)
		return xfn_fail(
			err, -EINVAL,
			"live frames: 1 to %d flows, of which at most %d (and no more than there "
			"are) under way; one CPU where there is a rate or a window",
			BENCH_PORTS * BENCH_ADDRESSES, BENCH_PORTS);
	settle(live);
	prepare(live, wire, plan);
	for (unsigned i = 0; i < threads; i++)
		runners[i] = (struct runner){ .live = live,
					      .plan = plan,
					      .wire = wire,
					      .cpu = (sched_getcpu() + (int)i) % cpus,
					      .begin = xfn_now_ns() };
	for (; started < threads; started++)
		if (pthread_create(&runners[started].thread, NULL, run_apart, &runners[started]))
			break;
	ret = generate(&runners[0], out);
	for (unsigned i = 1; i < started; i++) {
		pthread_join(runners[i].thread, NULL);
		ret = ret ?: runners[i].ret;
	}
	sum_up(live, out);
	out->seconds = (double)(runners[0].end - runners[0].begin) / 1e9;
	if (!plan->outstanding && out->sent > out->replies + out->wrong)
		out->lost = out->sent - out->replies - out->wrong;
	if (ret)
		xfn_error__set(err, "live frames: %s; Linux 5.18 and later, as root, have them",
			       strerror(errno));
	return ret ? -errno : 0;
}

int bench_live__bare(const struct bench_live *live, enum bench_bare which)
{
	const struct bpf_program *progs[] = {
		[BENCH_BARE_BOUNCE] = live->skel->progs.bench_bounce,
		[BENCH_BARE_DROP] = live->skel->progs.bench_drop,
		[BENCH_BARE_REDIRECT] = live->skel->progs.bench_redirect,
	};

	return bpf_program__fd(progs[which]);
}

int bench_live__sockets(const struct bench_live *live)
{
	return bpf_map__fd(live->skel->maps.sockets);
}

int bench_live__open(const char *ifname, struct bench_live **out, struct xfn_error *err)
{
	struct bench_live *live = calloc(1, sizeof(*live));
	size_t len = BENCH_POOL * sizeof(struct bench_payload);
	int ret;

	if (!live)
		return xfn_fail(err, -ENOMEM, "out of memory");
	live->requests = live->replies = MAP_FAILED;
	live->skel = bench_bpf__open_and_load();
	if (!live->skel) {
		ret = -(errno ?: EINVAL);
		xfn_error__set(err, "cannot load the generator: %s%s", strerror(-ret),
			       ret == -EPERM ? "; run as root" : "");
		goto fail;
	}
	live->requests = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED,
			      bpf_map__fd(live->skel->maps.requests), 0);
	live->replies = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED,
			     bpf_map__fd(live->skel->maps.replies), 0);
	if (live->requests == MAP_FAILED || live->replies == MAP_FAILED) {
		ret = -errno;
		xfn_error__set(err, "cannot map the requests: %s", strerror(-ret));
		goto fail;
	}
	ret = bench_hook__take(&live->hook, ifname, bpf_program__fd(live->skel->progs.bench_sink),
			       err);
	if (ret)
		goto fail;
	/* for speed only */
	live->idle = bpf_program__attach_xdp(live->skel->progs.bench_generate,
					     (int)if_nametoindex("lo"));
	*out = live;
	return 0;
fail:
	bench_live__close(live);
	return ret;
}

void bench_live__close(struct bench_live *live)
{
	size_t len = BENCH_POOL * sizeof(struct bench_payload);

	if (!live)
		return;
	bench_hook__give_back(&live->hook);
	bpf_link__destroy(live->idle);
	if (live->requests != MAP_FAILED)
		munmap(live->requests, len);
	if (live->replies != MAP_FAILED)
		munmap(live->replies, len);
	bench_bpf__destroy(live->skel);
	free(live);
}
