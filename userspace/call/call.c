// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One datagram -> parser, guards, function, reply, in place. The native twin of xdp/function_bpf.h:
 * same parser, checks in the same order, same reasons. Must never know of engines' rings or
 * sockets.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <linux/types.h>
#include "call.h"
#include "keyed_hash.h"
#include "../host/now.h"
#include "../../xdp/checksum.h"
#include "../../xdp/guard.h"
#include "../../xdp/address.h"
#include "../../xdp/packet.h"
#include "../../xdp/reply.h"

__thread struct xfn_thread *xfn_thread __attribute__((tls_model("initial-exec")));

#define AHEAD	    4 /* frames between the one worked on and the one asked for from memory */
#define HEADERS_MAX (XFN_ETH_LEN + XFN_TAGS * XFN_TAG_LEN + XFN_IPV6_LEN + XFN_UDP_LEN)

_Static_assert(XFN_GUARD == sizeof(uint64_t), "a guard holds the canary");

/* What stands right before a payload while its function runs, kept where that cannot reach it. */
struct before {
	uint32_t len; /* 0: nothing is known of it */
	uint8_t bytes[HEADERS_MAX];
};

/* A function bound to one address of a port, or to all that are not named so. */
struct xfn_call_binding {
	uint8_t ip[16];
	uint32_t exact; /* 2: that address; 1: every one of its version; 0: of both */
	uint16_t port;
	uint16_t slot;
};

static uint64_t secret(void)
{
	uint64_t word;

	if (getrandom(&word, sizeof(word), GRND_NONBLOCK) != sizeof(word))
		word = (uint64_t)time(NULL) * 0x9e3779b97f4a7c15ull ^ (uintptr_t)&word;
	return word;
}

int xfn_call__init(struct xfn_call *c, struct xfn_page *page)
{
	memset(c, 0, sizeof(*c));
	c->page = page;
	c->mtu = XFN_MTU_DEFAULT;
	c->ports = calloc(XFN_PORTS, sizeof(*c->ports));
	if (!c->ports)
		return -ENOMEM;
	c->thread.random_state = secret() | 1; /* the generator never leaves 0 */
	c->canary = secret();		       /* not what functions may tell of */
	page->abi = XFN_ABI;
	return 0;
}

int xfn_call__bound(struct xfn_call *c, uint32_t rate)
{
	c->rate = rate;
	c->rate_key[0] = secret();
	c->rate_key[1] = secret();
	if (rate && !c->rates)
		c->rates = calloc(XFN_RATES, sizeof(*c->rates));
	return rate && !c->rates ? -ENOMEM : 0;
}

void xfn_call__free(struct xfn_call *c)
{
	free(c->rates);
	c->rates = NULL;
	free(c->ports);
	free(c->bindings);
	c->ports = NULL;
	c->bindings = NULL;
}

void xfn_call__enter(struct xfn_call *c)
{
	xfn_thread = &c->thread;
}

int xfn_call__put(struct xfn_call *c, unsigned slot, const struct xfn_native_module *mod)
{
	struct xfn_native_counter *const *counter = mod->counters;

	if (slot >= XFN_SLOTS)
		return -EINVAL;
	if (mod->counters_end - counter > XFN_PAGE_COUNTERS)
		return -E2BIG;
	c->slots[slot].module = mod;
	for (unsigned i = 0; counter && counter < mod->counters_end; i++, counter++) {
		strncpy(c->page->counters[slot][i].name, (*counter)->name,
			sizeof(c->page->counters[slot][i].name) - 1);
		(*counter)->value = &c->page->counters[slot][i].value;
	}
	return 0;
}

static bool same_version(const uint8_t *a, const uint8_t *b)
{
	return xfn_address__is_v4(a) == xfn_address__is_v4(b);
}

/* 0.0.0.0 and :: stand for every address of their version. */
static uint32_t exactness(const uint8_t *ip)
{
	static const uint8_t none[4];

	if (!ip)
		return 0;
	if (memcmp(ip + 12, none, sizeof(none)))
		return 2;
	for (unsigned i = 0; i < 10; i++)
		if (ip[i])
			return 2;
	return (ip[10] || ip[11]) && !xfn_address__is_v4(ip) ? 2 : 1;
}

int xfn_call__bind(struct xfn_call *c, const uint8_t *ip, uint16_t port, unsigned slot)
{
	struct xfn_call_binding *more;

	if (!port || slot >= XFN_SLOTS || (!c->slots[slot].module && !c->slots[slot].quarantined))
		return -EINVAL;
	if (!ip && !c->ports[port]) {
		c->ports[port] = slot + 1;
		return 0;
	}
	for (unsigned i = 0; i < c->binding_count; i++) {
		struct xfn_call_binding *b = &c->bindings[i];

		if (b->port == port && !b->exact == !ip && (!ip || !memcmp(b->ip, ip, 16)))
			return -EEXIST;
	}
	if (c->ports[port] && c->ports[port] != XFN_PORT_SHARED) {
		unsigned all = c->ports[port] - 1; /* was the port's only function */

		if (!ip)
			return -EEXIST;
		c->ports[port] = XFN_PORT_SHARED;
		if (xfn_call__bind(c, NULL, port, all))
			return -ENOMEM;
	}
	more = reallocarray(c->bindings, c->binding_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	c->bindings = more;
	more += c->binding_count++;
	memset(more, 0, sizeof(*more));
	if (ip)
		memcpy(more->ip, ip, 16);
	more->exact = exactness(ip);
	more->port = port;
	more->slot = slot;
	c->ports[port] = XFN_PORT_SHARED;
	return 0;
}

void xfn_call__quarantine(struct xfn_call *c, unsigned slot, bool on)
{
	/* one that could not be loaded stays in it */
	if (slot < XFN_SLOTS)
		c->slots[slot].quarantined = on || !c->slots[slot].module;
}

/* The slot of (address, port), or -1. */
static int find_slot(const struct xfn_call *c, const struct xfn_address *local)
{
	const struct xfn_call_binding *best = NULL;
	uint32_t value = c->ports[local->port];

	if (value != XFN_PORT_SHARED)
		return (int)value - 1;
	for (unsigned i = 0; i < c->binding_count; i++) {
		const struct xfn_call_binding *b = &c->bindings[i];

		if (b->port != local->port || (best && best->exact >= b->exact))
			continue;
		if (b->exact == 2 ? !memcmp(b->ip, local->ip, 16) :
				    !b->exact || same_version(b->ip, local->ip))
			best = b;
	}
	return best ? best->slot : -1;
}

static void refuse(struct xfn_call *c, struct xfn_slot_counters *stat, enum xfn_reason reason)
{
	c->page->reasons[reason]++;
	if (stat)
		stat->dropped++;
}

/* Call it, and follow what its calls cost: an eighth of each new one counts. */
static int timed(struct xfn_function *fn, struct xfn_req *req)
{
	uint64_t begin = xfn_now_ns(), ns;
	int action = fn->module->body(req);

	ns = xfn_now_ns() - begin;
	if (ns > UINT32_MAX)
		ns = UINT32_MAX;
	fn->cost_ns =
		fn->cost_ns ? fn->cost_ns - fn->cost_ns / 8 + (uint32_t)(ns / 8) : (uint32_t)ns;
	return action;
}

static void keep_before(struct before *b, const uint8_t *from, uint32_t len)
{
	b->len = len;
	/* nearly all are untagged IPv4: a length that the compiler knows */
	if (len == XFN_ETH_LEN + XFN_IPV4_LEN + XFN_UDP_LEN)
		memcpy(b->bytes, from, XFN_ETH_LEN + XFN_IPV4_LEN + XFN_UDP_LEN);
	else
		memcpy(b->bytes, from, len);
}

static bool same_before(const struct before *b, const uint8_t *payload)
{
	return !memcmp(b->bytes, payload - b->len, b->len);
}

/*
 * The function wrote outside its payload and the room it has: what lies there now is nobody's any
 * more. Ends the process in its name.
 */
static void overrun(struct xfn_call *c, enum xfn_overrun where)
{
	c->page->overrun = where;
	abort();
}

/*
 * Set req->room and *room, how far the function may write. Returns the canary that is written behind it;
 * NULL: the buffer ends before.
 */
static uint8_t *give_room(const struct xfn_call *c, const struct xfn_attributes *attr,
			  uint32_t version, struct xfn_req *req, const uint8_t *end, uint32_t *room)
{
	uint8_t *canary;

	req->room = req->len;
	if (attr->grow) {
		req->room = xfn_guard_room(req->len, attr->grow, attr->amplify, c->mtu, version);
		if (req->room > req->capacity)
			req->room = req->capacity;
	}
	*room = req->room > req->len ? req->room : req->len;
	canary = (uint8_t *)req->payload + *room;
	if (end - canary < (ptrdiff_t)sizeof(c->canary))
		return NULL;
	return memcpy(canary, &c->canary, sizeof(c->canary));
}

/*
 * Guards, room and the function itself. True: a reply of req->len bytes is to be sent. `end` is
 * where the buffer ends, `before` what must still stand before the payload afterwards.
 */
static bool answer(struct xfn_call *c, unsigned slot, uint32_t version, struct xfn_req *req,
		   const uint8_t *end, const struct before *before)
{
	const struct xfn_native_module *mod = c->slots[slot].module;
	struct xfn_slot_counters *stat = &c->page->slots[slot];
	const struct xfn_attributes *attr = mod->attr;
	uint8_t *const payload = req->payload;
	const uint32_t len = req->len;
	uint32_t room;
	uint8_t *canary = give_room(c, attr, version, req, end, &room);
	int action;

	stat->requests++;
	stat->bytes_in += req->len;
	/* The supervisor reads this after a crash; the barriers keep it around the call. */
	c->page->running_slot = slot + 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	action = c->watched ? timed(&c->slots[slot], req) : mod->body(req);
	if ((canary && memcmp(canary, &c->canary, sizeof(c->canary))) || req->len > room ||
	    req->payload != payload)
		overrun(c, XFN_OVERRUN_BEHIND);
	if (!same_before(before, payload))
		overrun(c, XFN_OVERRUN_BEFORE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (c->careful)
		c->page->after_slot = slot + 1;
	c->page->running_slot = 0;
	switch (action) {
	case XFN_REPLY:
		stat->replies++;
		stat->bytes_out += req->len;
		return true;
	case XFN_CONSUME:
		stat->consumed++;
		return false;
	case XFN_DROP:
		refuse(c, stat,
		       req->refused ? xfn_guard_why(req->refused, len, attr->grow, attr->amplify,
						    version) :
				      XFN_REASON_FUNCTION);
		return false;
	case XFN_PUNT: /* a slow half is only reached from tier xdp: this is the function's own
			  worker */
		refuse(c, stat, XFN_REASON_NO_SLOW);
		return false;
	}
	refuse(c, stat, XFN_REASON_BAD_ACTION);
	return false;
}

/*
 * Is the sender's prefix within --rate? A prefix has one place; another that falls on it takes it
 * once the first one's time is over, and shares its bound until then. Nobody outside can tell which
 * prefixes share one.
 */
static bool within_rate(struct xfn_call *c, const uint8_t ip[16], uint32_t version)
{
	uint64_t prefix = xfn_guard_prefix(ip, version);
	struct xfn_rate *rate = &c->rates[xfn_keyed_hash(c->rate_key, prefix) & (XFN_RATES - 1)];
	uint64_t now = c->thread.fixed_mono_ns ?: xfn_now(CLOCK_BOOTTIME);

	if (rate->prefix != prefix && rate->due_ns <= now)
		*rate = (struct xfn_rate){ .prefix = prefix };
	return xfn_guard_rate((__u64 *)&rate->due_ns, now, c->rate);
}

/* Verify the request's checksum; *keep is the field a reply with the same payload may keep, or 0.
 */
static enum xfn_reason verify(const struct xfn_call *c, const struct xfn_datagram *d,
			      const struct xfn_packet *pkt, uint16_t *keep)
{
	const uint8_t *frame = d->data;
	const uint8_t *udp = frame + pkt->l4_off;
	uint32_t udp_len = pkt->payload_len + XFN_UDP_LEN;
	uint64_t pseudo = xfn_sum_pseudo(frame + pkt->l3_off, pkt->version, udp_len);
	uint16_t field = XFN_LOAD(__u16, udp + 6);

	*keep = 0;
	if (d->sum == XFN_FRAME_SUM_PARTIAL ||
	    xfn_sum_kind(field, pseudo, c->flags) != XFN_SUM_FULL)
		return XFN_REASON_NONE;
	*keep = field;
	if (c->flags & XFN_TRUST_CHECKSUM || d->sum == XFN_FRAME_SUM_VALID)
		return XFN_REASON_NONE;
	return xfn_sum_right(field, pseudo, XFN_LOAD(__u32, udp), udp_len,
			     xfn_sum_payload(frame + pkt->payload_off, pkt->payload_len)) ?
		       XFN_REASON_NONE :
	       xfn_sum_unfinished(field, pseudo) ? XFN_REASON_PARTIAL_SUM :
						   XFN_REASON_BAD_UDP_SUM;
}

/* What is dropped before its checksum is looked at, in the order in which program_bpf.h asks. */
static enum xfn_reason guarded(struct xfn_call *c, unsigned slot, const struct xfn_address *peer,
			       uint32_t version)
{
	const struct xfn_function *fn = &c->slots[slot];

	if (fn->quarantined)
		return XFN_REASON_QUARANTINE;
	if (xfn_guard_responder(fn->module->attr->responders, XFN_RESPONDERS_MAX, peer->port))
		return XFN_REASON_RESPONDER;
	if (c->rate && !within_rate(c, peer->ip, version))
		return XFN_REASON_RATE;
	return XFN_REASON_NONE;
}

/* Whose request is it? *slot and both ends of `req` are set where XFN_REASON_NONE is returned. */
static enum xfn_reason locate(const struct xfn_call *c, const struct xfn_datagram *d,
			      struct xfn_packet *pkt, struct xfn_req *req, int *slot)
{
	const uint8_t *end = d->data + d->len;
	enum xfn_reason reason = xfn_packet_parse(d->data, end, pkt);

	if (reason)
		return reason;
	xfn_packet_address(d->data, end, pkt, 1, req->local.ip);
	xfn_packet_address(d->data, end, pkt, 0, req->peer.ip);
	req->local.port = pkt->dport;
	req->peer.port = pkt->sport;
	*slot = find_slot(c, &req->local);
	return *slot < 0 ? XFN_REASON_NOT_OURS : xfn_packet_check(d->data, end, pkt);
}

static void call_frame(struct xfn_call *c, struct xfn_datagram *d)
{
	struct xfn_packet pkt;
	struct xfn_req req = {};
	enum xfn_reason reason;
	struct before headers;
	uint16_t field;
	int slot;

	d->send = false;
	reason = locate(c, d, &pkt, &req, &slot);
	if (reason) {
		refuse(c, NULL, reason);
		return;
	}
	if (c->watched && d->may_wait && c->slots[slot].cost_ns > XFN_SLOW_NS) {
		d->waits = true;
		d->slot = (uint32_t)slot;
		return;
	}
	reason = guarded(c, (unsigned)slot, &req.peer, pkt.version);
	if (reason) {
		refuse(c, &c->page->slots[slot], reason);
		return;
	}
	reason = verify(c, d, &pkt, &field);
	if (reason) {
		refuse(c, NULL, reason);
		return;
	}
	req.payload = d->data + pkt.payload_off;
	req.len = pkt.payload_len;
	req.capacity = d->capacity - pkt.payload_off;
	c->running = d;
	keep_before(&headers, d->data, pkt.payload_off);
	if (!answer(c, slot, pkt.version, &req, d->data + d->capacity, &headers))
		return;
	if (!field || req.written || req.resized) {
		uint32_t udp_len = req.len + XFN_UDP_LEN;

		field = xfn_sum_field(
			xfn_sum_pseudo(headers.bytes + pkt.l3_off, pkt.version, udp_len),
			XFN_LOAD(__u32, headers.bytes + pkt.l4_off), udp_len,
			xfn_sum_payload(req.payload, req.len));
	}
	/* The headers were inside the frame when it was parsed, and still are. */
	xfn_reply_headers_from(d->data, d->data + d->capacity, headers.bytes, &pkt, req.len, field);
	d->len = pkt.payload_off + req.len;
	d->send = true;
}

/* What the kernel's stack let through to a UDP socket: it has checked headers and sums. */
static void call_payload(struct xfn_call *c, struct xfn_datagram *d)
{
	struct xfn_req req = {
		.payload = d->data,
		.len = d->len,
		.capacity = d->capacity,
		.peer = d->peer,
		.local = d->local,
	};
	struct before guard = { .len = 0 };
	enum xfn_reason reason;
	uint32_t version;

	d->send = false;
	if (d->broadcast) {
		refuse(c, NULL, XFN_REASON_MULTICAST);
		return;
	}
	if (!d->peer.port) {
		refuse(c, NULL, XFN_REASON_PORT_ZERO);
		return;
	}
	version = xfn_address__is_v4(d->peer.ip) ? 4 : 6;
	reason = guarded(c, d->slot, &d->peer, version);
	if (reason) {
		refuse(c, &c->page->slots[d->slot], reason);
		return;
	}
	c->running = d;
	if (d->guarded) {
		XFN_STORE(uint64_t, d->data - XFN_GUARD, c->canary);
		keep_before(&guard, d->data - XFN_GUARD, XFN_GUARD);
	}
	if (!answer(c, d->slot, version, &req, d->data + d->capacity + (d->guarded ? XFN_GUARD : 0),
		    &guard))
		return;
	d->len = req.len;
	d->send = true;
}

void xfn_call__batch(struct xfn_call *c, enum xfn_datagram_kind kind, struct xfn_datagram *batch,
		     unsigned count)
{
	c->kind = kind;
	for (unsigned i = 0; i < count; i++) {
		if (kind == XFN_FRAME) {
			if (i + AHEAD < count)
				__builtin_prefetch(batch[i + AHEAD].data);
			call_frame(c, &batch[i]);
		} else {
			call_payload(c, &batch[i]);
		}
	}
}
