// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One request on purpose (`xfn invoke NAME`): through the loaded dispatcher, or by its worker
 * (invoke_worker.c). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include "../../../skel/error.h"
#include "../../call/request_frame.h"
#include "../../host/hex.h"
#include "../../host/ip.h"
#include "../supervisor_inside.h"

#define FRAME_PAYLOAD_MAX                                                                          \
	(XFN_FRAME_MAX - XFN_REQUEST_FRAME_HEAD) /* of a frame; a worker takes more */
#define REPEAT_MAX  100000
#define CLIENT_PORT 40000

struct invocation {
	uint8_t payload[XFN_INVOKE_MAX];
	uint32_t len;
	uint32_t repeat;
	uint32_t ns;
	unsigned reason;
	const char *action;
	bool replied;
};

/* An address of IP `version` that this function is served at. */
static bool served_address(const struct xfn_supervisor *sup, const struct xfn_deployed *fn,
			   int version, uint8_t ip[16])
{
	if (!fn->any) {
		memcpy(ip, fn->addr.ip, 16);
		return true;
	}
	for (unsigned i = 0; i < sup->local_count; i++) {
		memcpy(ip, sup->local[i].ip, 16);
		if (!sup->local[i].tag[0] && xfn_ip__is_v4(ip) == (version == 4) &&
		    xfn_deploy__owner(sup, ip, fn->addr.port) == fn - sup->functions)
			return true;
	}
	return false;
}

/* One that may ask: no address of this host, nor a broadcast one. */
static struct xfn_address neighbour(const struct xfn_supervisor *sup,
				    const struct xfn_address *local)
{
	const uint8_t(*own)[16];
	unsigned count = xfn_addresses__own(sup->addresses, &own);
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
static int by_dispatcher(struct xfn_supervisor *sup, unsigned slot, int version,
			 struct invocation *inv, bool *to_worker, struct xfn_error *err)
{
	static const char *const actions[] = { [XDP_DROP] = "drop", [XDP_PASS] = "pass" };
	const struct xfn_deployed *fn = &sup->functions[slot];
	struct xfn_address local = { .port = fn->addr.port }, peer;
	struct test_run run = { .action = XDP_DROP };
	const uint8_t(*macs)[6];
	struct xfn_packet pkt;
	uint8_t *end;
	int ret;

	if (!served_address(sup, fn, version, local.ip))
		return xfn_fail(err, -EADDRNOTAVAIL,
				"%s: no IPv%d address is served; try the other version",
				fn->mod->attr.name, version);
	if (inv->len > FRAME_PAYLOAD_MAX)
		return xfn_fail(err, -EMSGSIZE,
				"a payload of %u bytes does not fit a frame; at most %u do",
				inv->len, FRAME_PAYLOAD_MAX);
	peer = neighbour(sup, &local);
	run.len = xfn_request_frame__build(run.frame, &peer, &local, inv->payload, inv->len);
	if (xfn_addresses__macs(sup->addresses, &macs))
		memcpy(run.frame, macs[0], sizeof(macs[0]));
	ret = run_frame(sup->loader, slot, inv->repeat, &run);
	if (ret)
		return xfn_fail(
			err, ret,
			"%s: the kernel does not run it on demand: %s; ask by datagram: `xfn invoke "
			"HOST:%u`",
			fn->mod->attr.name, strerror(-ret), fn->addr.port);
	inv->ns = run.ns / inv->repeat;
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

json_t *xfn_invoke(struct xfn_supervisor *sup, json_t *args, struct xfn_error *err)
{
	const char *name = NULL, *payload = "";
	int version = 4, repeat = 1, ret = 0;
	struct invocation *inv = NULL;
	bool to_worker = true;
	json_t *data = NULL;
	unsigned slot = 0;
	ssize_t len;

	if (json_unpack(args, "{s:s, s?s, s?i, s?i}", "name", &name, "payload", &payload, "version",
			&version, "repeat", &repeat) ||
	    (version != 4 && version != 6) || repeat < 1 || repeat > REPEAT_MAX) {
		xfn_error__set(
			err,
			"invoke wants name, payload (hex), version 4 or 6, repeat up to %d; see "
			"`xfn invoke --help`",
			REPEAT_MAX);
		return NULL;
	}
	while (slot < sup->function_count && strcmp(sup->functions[slot].mod->attr.name, name))
		slot++;
	if (slot == sup->function_count) {
		xfn_error__set(err, "%.64s: no such function here; `xfn ls` lists them", name);
		return NULL;
	}
	inv = calloc(1, sizeof(*inv));
	len = inv ? xfn_hex__read(payload, inv->payload, XFN_PAYLOAD_MAX) : -ENOMEM;
	if (len < 0) {
		xfn_error__set(
			err,
			"the payload is no hex text of at most %d bytes; send two digits a byte",
			XFN_PAYLOAD_MAX);
		free(inv);
		return NULL;
	}
	inv->len = (uint32_t)len;
	inv->repeat = repeat;
	inv->action = "drop";
	if (sup->functions[slot].tier == XFN_TIER_XDP)
		ret = by_dispatcher(sup, slot, version, inv, &to_worker, err);
	if (!ret && to_worker)
		xfn_invoke__ask(sup, slot, inv->payload, inv->len, inv->repeat, err);
	else if (!ret)
		data = xfn_invoke__data(sup->functions[slot].tier, inv->action, inv->reason,
					inv->payload, inv->replied ? inv->len : 0, inv->ns);
	free(inv);
	return data;
}
