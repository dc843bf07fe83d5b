// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Verb `invoke`: one request on purpose, through the loaded dispatcher, or by its worker
 * (invoke_worker.c). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include "../../call/request_frame.h"
#include "../../host/hex.h"
#include "../../sockets/udp_socket.h"
#include "requests_inside.h"
#include "verbs.h"
#include "../../../xdp/address.h"
#include "../../../xdp/packet.h"

#define FRAME_PAYLOAD_MAX                                                                          \
	(XFN_FRAME_MAX - XFN_REQUEST_FRAME_HEAD) /* of a frame; a worker takes more */
#define REPEAT_MAX  100000
#define CLIENT_PORT 40000

struct invocation {
	const char *name, *hex;
	int version, repeat;
	int tier;
	/* the payload, and then the reply in its place */
	uint8_t payload[XFN_INVOKE_MAX];
	uint32_t len;
	uint32_t ns;
	unsigned reason;
	const char *action;
	bool replied;
};

static const struct xfn_argument arguments[] = {
	{ "name", XFN_ARGUMENT_TEXT, offsetof(struct invocation, name), .required = true,
	  .what = "the name of a function", .next = "`xfn ls` lists them" },
	{ "payload", XFN_ARGUMENT_TEXT, offsetof(struct invocation, hex),
	  .what = "a payload as hex text", .next = "send two digits a byte" },
	{ "version", XFN_ARGUMENT_NUMBER, offsetof(struct invocation, version), .min = 4, .max = 6,
	  .absent = 4, .what = "an IP version", .next = "take 4 or 6" },
	{ "repeat", XFN_ARGUMENT_NUMBER, offsetof(struct invocation, repeat), .min = 1,
	  .max = REPEAT_MAX, .absent = 1, .what = "a number of calls",
	  .next = "see `xfn invoke --help`" },
	{}
};

/* An address of IP `version` that this function is served at. */
static bool served_address(const struct xfn_requests *requests, unsigned slot, int version,
			   uint8_t ip[16])
{
	const struct xfn_deployed *fn = xfn_functions__at(requests->functions, slot);

	if (!fn->any) {
		memcpy(ip, fn->addr.ip, 16);
		return true;
	}
	for (unsigned i = 0; i < requests->interface->local_count; i++) {
		memcpy(ip, requests->interface->local[i].ip, 16);
		if (!requests->interface->local[i].tag[0] &&
		    xfn_address__is_v4(ip) == (version == 4) &&
		    xfn_functions__owner(requests->functions, ip, fn->addr.port) == (int)slot)
			return true;
	}
	return false;
}

/* One that may ask: no address of this host, nor a broadcast one. */
static struct xfn_address neighbour(const struct xfn_requests *requests,
				    const struct xfn_address *local)
{
	const uint8_t(*own)[16];
	unsigned count = xfn_addresses__own(requests->interface->addresses, &own);
	struct xfn_address peer = *local;
	bool ours = true;

	peer.port = CLIENT_PORT;
	for (unsigned last = 1; ours && last < 255; last++) {
		peer.ip[15] = (uint8_t)last;
		ours = peer.ip[15] == local->ip[15];
		for (unsigned i = 0; i < count && !ours; i++)
			ours = !memcmp(own[i], peer.ip, sizeof(peer.ip));
	}
	return peer;
}

/* A frame of a test run, and what the kernel did with it. */
struct test_run {
	uint8_t frame[XFN_FRAME_MAX], out[8192];
	size_t len, outlen;
	unsigned action;
	uint64_t ns; /* of all rounds */
	bool consumed;
	unsigned reason; /* the last one that was counted; 0: none */
};

static int run_frame(struct xfn_loader *loader, unsigned slot, uint32_t rounds,
		     struct test_run *run)
{
	uint64_t before[XFN_REASON_SLOTS], after[XFN_REASON_SLOTS];
	struct xfn_slot_counters was = {}, is = {};
	int ret = 0;

	xfn_loader__reasons(loader, before);
	xfn_loader__slot_counters(loader, slot, &was);
	/* One run each: a repeated one would work on its own reply. */
	for (uint32_t i = 0; !ret && i < rounds; i++) {
		unsigned ns = 0;

		run->outlen = sizeof(run->out);
		ret = xfn_loader__test_run(loader, run->frame, run->len, run->out, &run->outlen, 1,
					   &run->action, &ns);
		run->ns += ns;
	}
	xfn_loader__reasons(loader, after);
	xfn_loader__slot_counters(loader, slot, &is);
	run->consumed = is.consumed != was.consumed;
	for (unsigned i = 1; i < XFN_REASON_COUNT; i++)
		if (after[i] != before[i])
			run->reason = i;
	return ret;
}

/* Through the dispatcher, as a frame. *to_worker: it was redirected. */
static int by_dispatcher(struct xfn_requests *requests, unsigned slot, struct invocation *inv,
			 bool *to_worker, struct xfn_error *err)
{
	static const char *const actions[] = { [XDP_DROP] = "drop", [XDP_PASS] = "pass" };
	const struct xfn_deployed *fn = xfn_functions__at(requests->functions, slot);
	struct xfn_address local = { .port = fn->addr.port }, peer;
	struct test_run run = { .action = XDP_DROP };
	const uint8_t(*macs)[6];
	struct xfn_packet pkt;
	uint8_t *end;
	int ret;

	if (!served_address(requests, slot, inv->version, local.ip))
		return xfn_fail(err, -EADDRNOTAVAIL,
				"%s: no IPv%d address is served; try the other version",
				fn->mod->attr.name, inv->version);
	if (inv->len > FRAME_PAYLOAD_MAX)
		return xfn_fail(err, -EMSGSIZE,
				"a payload of %u bytes does not fit a frame; at most %u do",
				inv->len, FRAME_PAYLOAD_MAX);
	peer = neighbour(requests, &local);
	run.len = xfn_request_frame__build(run.frame, &peer, &local, inv->payload, inv->len);
	if (xfn_addresses__macs(requests->interface->addresses, &macs))
		memcpy(run.frame, macs[0], sizeof(macs[0]));
	ret = run_frame(requests->attachment->loader, slot, (uint32_t)inv->repeat, &run);
	if (ret)
		return xfn_fail(
			err, ret,
			"%s: the kernel does not run it on demand: %s; ask by datagram: `xfn invoke "
			"HOST:%u`",
			fn->mod->attr.name, strerror(-ret), fn->addr.port);
	inv->ns = run.ns / (unsigned)inv->repeat;
	inv->reason = run.reason ?: inv->reason;
	*to_worker = run.action == XDP_REDIRECT || inv->reason == XFN_REASON_NO_WORKER;
	if (run.action <= XDP_PASS && actions[run.action])
		inv->action = actions[run.action];
	if (run.consumed)
		inv->action = "consume";
	inv->replied = run.action == XDP_TX;
	if (!inv->replied)
		return 0;
	inv->action = "reply";
	end = run.out + run.outlen;
	if (xfn_packet_parse(run.out, end, &pkt) || xfn_packet_check(run.out, end, &pkt))
		return xfn_fail(err, -EBADMSG,
				"%s: its reply is no right packet; report this as a defect",
				fn->mod->attr.name);
	inv->len = pkt.payload_len;
	memcpy(inv->payload, run.out + pkt.payload_off, inv->len);
	return 0;
}

/* 0: the dispatcher did it, XFN_VERB_LATER: a worker does, or -errno with one line in err. */
static int invoke(struct xfn_requests *requests, struct invocation *inv, struct xfn_error *err)
{
	bool to_worker = true;
	unsigned slot = xfn_functions__find(requests->functions, inv->name, 0);
	int ret = 0;

	if (slot == xfn_functions__count(requests->functions))
		return xfn_fail(err, -ENOENT, "%.64s: no such function here; `xfn ls` lists them",
				inv->name);
	inv->action = "drop";
	inv->tier = xfn_functions__at(requests->functions, slot)->tier;
	if (inv->tier == XFN_TIER_XDP)
		ret = by_dispatcher(requests, slot, inv, &to_worker, err);
	if (ret || !to_worker)
		return ret;
	ret = xfn_invoke__ask(requests, slot, inv->payload, inv->len, (uint32_t)inv->repeat, err);
	return ret ?: XFN_VERB_LATER;
}

static int call(struct xfn_requests *requests, void *request, struct xfn_error *err)
{
	struct invocation *inv = request;
	char text[300];
	ssize_t len;

	if (!requests->host.serving(requests->host.ctx)) {
		requests->host.state(requests->host.ctx, text, sizeof(text));
		return xfn_fail(err, -EAGAIN, "%s; `xfn ls` says when it is", text);
	}
	if (inv->version == 5)
		return xfn_fail(err, -EINVAL, "invoke wants an IP version; take 4 or 6");
	len = inv->hex ? xfn_hex__read(inv->hex, inv->payload, XFN_PAYLOAD_MAX) : 0;
	if (len < 0)
		return xfn_fail(
			err, -EINVAL,
			"the payload is no hex text of at most %d bytes; send two digits a byte",
			XFN_PAYLOAD_MAX);
	inv->len = (uint32_t)len;
	return invoke(requests, inv, err);
}

static json_t *encode(struct xfn_requests *requests, const void *request)
{
	const struct invocation *inv = request;

	(void)requests;
	return xfn_invoke__data(inv->tier, inv->action, inv->reason, inv->payload,
				inv->replied ? inv->len : 0, inv->ns);
}

const struct xfn_verb_ops xfn_verb_ops_invoke = { sizeof(struct invocation), arguments, call,
						  encode };
