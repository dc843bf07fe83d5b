// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One function behind all three doors on the same generated frames: the loaded dispatcher and its
 * tail call by BPF_PROG_TEST_RUN, the worker's call path on the frame, and the same on the bare
 * payload as a UDP socket brings it. Each input has the same action and the same bytes; reasons and
 * the function's counters are the same in both directions: they are read every BATCH inputs, and
 * where they differ the inputs are run again one by one to find which it was. Attaches nothing.
 *
 * What legitimately differs, and is all that is left out:
 *	NOT_LOCAL	destinations not served: only the dispatcher knows them, and a worker is
 *			handed nothing else. Expected of exactly these frames, as is XDP_PASS.
 *	payload path	sees only what the host's stack lets through: well-formed datagrams.
 *
 * Bits of SEED choose settings: 2 a local peer (partial sums are right), 4 a slot whose tail call
 * is not static. Usage: fuzz_differential MODULE.xfn COUNT SEED
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "../../skel/error.h"
#include "../../skel/loader.h"
#include "../../userspace/call/call.h"
#include "../../xdp/packet.h"
#include "fuzz_input.h"

#define NOW   (1700000000ull * 1000000000ull)
#define PORT  1232
#define BATCH 1000

enum {
	WORK = -1, /* not an action: nothing here may end so */
	DROP = 1,
	PASS,
	TX,
};

static const struct {
	const char *name;
	int action;
} reasons[XFN_REASON_COUNT] = {
#define XFN_REASON(code, name, verdict, sentence) [code] = { #name, verdict },
	XFN_REASONS(XFN_REASON)
#undef XFN_REASON
};
static const uint16_t served_tags[][XFN_TAGS] = { { 0 }, { 100 }, { 100, 101 } };

/* What is counted, on either side. */
struct tables {
	uint64_t reasons[XFN_REASON_SLOTS];
	struct xfn_slot_counters slot;
};

static struct xfn_loader *loader;
static struct xfn_page page, socket_page;
static struct xfn_call call, socket_call;
static unsigned slot;

/* Is the destination served? Also true of frames that are refused before that matters. */
static bool served(const uint8_t *frame, size_t len)
{
	struct xfn_packet pkt;
	const uint8_t *ip;
	unsigned count;

	if (xfn_packet_parse(frame, frame + len, &pkt) || pkt.dport != PORT)
		return true;
	for (count = 0; count < 3; count++)
		if (!memcmp(served_tags[count], pkt.tag, sizeof(pkt.tag)))
			break;
	if (count == 3)
		return false;
	ip = frame + pkt.l3_off + (pkt.version == 4 ? 16 : 24);
	for (count = 0; count < 8; count++)
		if (pkt.version == 4 ? !memcmp(fuzz_ips4[count], ip, 4) :
				       !memcmp(fuzz_ips6[count], ip, 16))
			return true;
	return false;
}

/* Runs a call and tells the reason that it counted, 0 if none. */
static unsigned reason_of(struct xfn_call *c, enum xfn_datagram_kind kind, struct xfn_datagram *d)
{
	uint64_t was[XFN_REASON_COUNT];

	memcpy(was, c->page->reasons, sizeof(was));
	xfn_call__batch(c, kind, d, 1);
	for (unsigned i = 1; i < XFN_REASON_COUNT; i++)
		if (c->page->reasons[i] != was[i])
			return i;
	return 0;
}

/* The payload of a well-formed frame behind a socket: what the worker makes of the frame. */
static int compare_payload(const uint8_t *frame, size_t len, const struct xfn_datagram *by_frame,
			   unsigned reason)
{
	static uint8_t payload[8192];
	struct xfn_datagram d = { .data = payload, .slot = slot, .capacity = 4096 };
	struct xfn_packet pkt;
	unsigned own;

	if (reason == XFN_REASON_NOT_OURS || reason == XFN_REASON_BAD_UDP_SUM ||
	    reason == XFN_REASON_PARTIAL_SUM || xfn_packet_parse(frame, frame + len, &pkt) ||
	    xfn_packet_check(frame, frame + len, &pkt))
		return 0;
	d.len = pkt.payload_len;
	memcpy(payload, frame + pkt.payload_off, d.len);
	xfn_packet_address(frame, frame + len, &pkt, 0, d.peer.ip);
	xfn_packet_address(frame, frame + len, &pkt, 1, d.local.ip);
	d.peer.port = pkt.sport;
	d.local.port = pkt.dport;
	own = reason_of(&socket_call, XFN_PAYLOAD, &d);
	if (own != reason || d.send != by_frame->send)
		return printf("payload: %s (%s), frame: %s (%s)\n", d.send ? "reply" : "no reply",
			      reasons[own].name, by_frame->send ? "reply" : "no reply",
			      reasons[reason].name);
	if (d.send && (d.len != by_frame->len - pkt.payload_off ||
		       memcmp(payload, by_frame->data + pkt.payload_off, d.len)))
		return printf("replies to payload and frame differ\n");
	return 0;
}

/* 0: alike. */
static int compare(const uint8_t *frame, size_t len)
{
	static uint8_t out[8192], own[8192];
	struct xfn_datagram d = { .data = own, .len = (uint32_t)len, .capacity = 4096 };
	unsigned reason, ns, action = 0;
	size_t outlen = sizeof(out);
	int expect, ret;

	memcpy(own, frame, len);
	memset(own + len, 0xa5, 4096 - len);
	if (served(frame, len)) {
		reason = reason_of(&call, XFN_FRAME, &d);
		if (compare_payload(frame, len, &d, reason))
			return 1;
	} else {
		reason = XFN_REASON_NOT_LOCAL;
		page.reasons[reason]++;
	}
	expect = d.send ? TX : reason ? reasons[reason].action : DROP;
	ret = xfn_loader__test_run(loader, frame, len, out, &outlen, 1, &action, &ns);
	if (ret)
		return printf("BPF_PROG_TEST_RUN: %s\n", strerror(-ret));
	if ((int)action != expect)
		return printf("kernel: XDP action %u, worker: %s (%s), which is %d\n", action,
			      d.send ? "reply" : "no reply", reasons[reason].name, expect);
	if (action == TX && (outlen != d.len || memcmp(own, out, outlen)))
		return printf("replies differ (%zu and %u bytes)\n", outlen, d.len);
	if (action == PASS && (outlen != len || memcmp(frame, out, len)))
		return printf("the host's stack would see another frame\n");
	return 0;
}

static void kernel_tables(struct tables *t)
{
	int ret = xfn_loader__reasons(loader, t->reasons) ?:
			  xfn_loader__slot_counters(loader, slot, &t->slot);

	if (ret) {
		printf("the kernel's counters: %s\n", strerror(-ret));
		exit(1);
	}
}

static void worker_tables(struct tables *t)
{
	memcpy(t->reasons, page.reasons, sizeof(t->reasons));
	t->slot = page.slots[slot];
}

/* 0: one input counts alike on both sides. */
static int compare_counted(const uint8_t *frame, size_t len)
{
	struct tables was[2], is[2];
	const uint64_t *slots[4] = { (uint64_t *)&was[0].slot, (uint64_t *)&is[0].slot,
				     (uint64_t *)&was[1].slot, (uint64_t *)&is[1].slot };
	int differs = 0;

	kernel_tables(&was[0]);
	worker_tables(&was[1]);
	if (compare(frame, len))
		return 1;
	kernel_tables(&is[0]);
	worker_tables(&is[1]);
	for (unsigned i = 0; i < XFN_REASON_COUNT; i++) {
		uint64_t kernel = is[0].reasons[i] - was[0].reasons[i];
		uint64_t worker = is[1].reasons[i] - was[1].reasons[i];

		if (kernel != worker)
			differs = printf("%s: the kernel counts %lu, the worker %lu\n",
					 reasons[i].name, kernel, worker);
	}
	for (unsigned i = 0; i < sizeof(was[0].slot) / sizeof(uint64_t); i++)
		if (slots[1][i] - slots[0][i] != slots[3][i] - slots[2][i])
			differs = printf("counter %u of the function differs\n", i);
	return differs;
}

static uint8_t inputs[BATCH][FUZZ_MAX];
static size_t lengths[BATCH];

/* 0: alike; else the first input that is not is shown. `first` is the number of inputs before. */
static int compare_batch(unsigned long first, unsigned count, const char *seed)
{
	struct tables kernel, worker;
	unsigned i;

	for (i = 0; i < count; i++) {
		lengths[i] = fuzz_next(inputs[i]);
		if (compare(inputs[i], lengths[i]))
			break;
	}
	if (i == count) {
		kernel_tables(&kernel);
		worker_tables(&worker);
		if (!memcmp(&kernel, &worker, sizeof(kernel)))
			return 0;
		for (i = 0; i < count; i++)
			if (compare_counted(inputs[i], lengths[i]))
				break;
		if (i == count)
			return printf("counters differ after input %lu of seed %s\n", first + i,
				      seed);
	}
	printf("input %lu of seed %s, %zu bytes:", first + i, seed, lengths[i]);
	for (size_t b = 0; b < lengths[i]; b++)
		printf(" %02x", inputs[i][b]);
	printf("\n");
	return 1;
}

/* The generator's addresses are all served, also those that no host has: checks come behind. */
static int serve(void)
{
	uint8_t ip[16] = { [10] = 0xff, 0xff };
	int ret = 0;

	for (unsigned i = 0; !ret && i < 8 * 3; i++) {
		memcpy(ip + 12, fuzz_ips4[i % 8], 4);
		ret = xfn_loader__address_add(loader, ip, served_tags[i / 8]) ?:
			      xfn_loader__address_add(loader, fuzz_ips6[i % 8], served_tags[i / 8]);
	}
	return ret;
}

static int open_worker(struct xfn_call *c, struct xfn_page *p, const struct xfn_native *native,
		       uint32_t flags)
{
	int ret = xfn_call__init(c, p);

	c->flags = flags;
	c->thread.fixed_real_ns = c->thread.fixed_mono_ns = NOW;
	c->thread.fixed_random = 7;
	return ret ?: xfn_call__put(c, slot, native->module) ?: xfn_call__bind(c, NULL, PORT, slot);
}

int main(int argc, char **argv)
{
	struct xfn_runtime live = {
		.fixed_real_ns = NOW, .fixed_mono_ns = NOW, .fixed_random = 7, .mtu = 1500
	};
	struct xfn_loader_options opts = {};
	struct xfn_native native = {};
	unsigned long count, seed, replies, seen = 0;
	struct xfn_refusal refusal;
	struct xfn_module *mod;
	struct xfn_error err = { 0 };
	int ret;

	if (argc != 4) {
		fprintf(stderr, "usage: %s MODULE.xfn COUNT SEED\n", argv[0]);
		return 2;
	}
	count = strtoul(argv[2], NULL, 0);
	seed = strtoul(argv[3], NULL, 0);
	fuzz_state = seed | 1;
	opts.flags = seed & 2 ? XFN_LOCAL_PEER : 0;
	slot = seed & 4 ? XFN_SLOTS_STATIC + 6 : 3;
	mod = xfn_module__open(argv[1], &err);
	if (!mod) {
		fprintf(stderr, "%s\n", err.line);
		return 1;
	}
	ret = xfn_loader__open(&opts, &loader, &err)				     ?:
		      xfn_loader__put(loader, slot, mod, &refusal, &err)	     ?:
		      xfn_loader__bind(loader, NULL, PORT, slot, XFN_TIER_XDP, &err) ?:
		      xfn_loader__set_runtime(loader, &live)			     ?:
		      serve()							     ?:
		      xfn_native__load(mod->fd, mod->attr.name, &native, &err)	     ?:
		      open_worker(&call, &page, &native, opts.flags)		     ?:
		      open_worker(&socket_call, &socket_page, &native, opts.flags);
	if (ret) {
		fprintf(stderr, "%s: %s\n", argv[1], *err.line ? err.line : strerror(-ret));
		return ret == -EPERM ? 77 : 1;
	}
	xfn_call__enter(&call);
	for (unsigned long i = 0; !ret && i < count; i += BATCH)
		ret = compare_batch(i, count - i < BATCH ? (unsigned)(count - i) : BATCH, argv[3]);
	replies = page.slots[slot].replies;
	for (unsigned i = 0; i < XFN_REASON_COUNT; i++)
		seen += !!page.reasons[i];
	if (!ret)
		printf("%s: %lu inputs, %lu answered, the others for %lu reasons, no difference\n",
		       mod->attr.name, count, replies, seen);
	xfn_call__free(&call);
	xfn_call__free(&socket_call);
	xfn_native__unload(&native);
	xfn_loader__close(loader);
	xfn_module__close(mod);
	/* inputs that never reach the function prove nothing */
	return !ret && replies > count / 10 ? 0 : 1;
}
