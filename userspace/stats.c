// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What runs and what it did: kernel counters and workers' pages, summed. Changes nothing. */
#include <stdlib.h>
#include <string.h>
#include "supervisor_inside.h"

static const struct {
	const char *name, *verdict, *sentence;
} reasons[] = {
#define XFN_REASON(code, name, verdict, sentence) [code] = { #name, #verdict, sentence },
	XFN_REASONS(XFN_REASON)
#undef XFN_REASON
};

static const char *mode_of(const struct xfn_supervisor *sup, const struct xfn_deployed *fn)
{
	return fn->tier == XFN_TIER_SOCKET ? "none" : xfn_mode_name(sup->mode);
}

json_t *xfn_stats__functions(struct xfn_supervisor *sup)
{
	char whole_text[300];
	const char *whole = xfn_presence__state(sup, whole_text, sizeof(whole_text));
	json_t *list = json_array();

	for (unsigned i = 0; i < sup->function_count; i++) {
		const struct xfn_deployed *fn = &sup->functions[i];
		struct xfn_address addr = fn->addr;
		char text[64] = "", state[300];

		if (!fn->any) {
			xfn_udp_socket__text(&addr, text, sizeof(text));
			*strrchr(text, ':') = 0; /* the port stands in its own field */
		}
		xfn_quarantine__sentence(sup, fn, state, sizeof(state));
		json_array_append_new(
			list,
			json_pack("{s:s, s:i, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name",
				  fn->mod->attr.name, "slot", (int)i, "address", text, "port",
				  (int)fn->addr.port, "tier", xfn_tier_name(fn->tier), "mode",
				  mode_of(sup, fn), "reason", fn->reason, "rule", fn->rule,
				  "summary", fn->mod->attr.summary, "state",
				  fn->quarantined ? "quarantined" : whole, "state_reason", state));
	}
	return json_pack("{s:s?, s:s, s:s, s:s, s:s, s:s?, s:s, s:o}", "interface",
			 sup->iface.name[0] ? sup->iface.name : NULL, "state", whole,
			 "state_reason", whole_text, "mode", xfn_mode_name(sup->mode),
			 "mode_reason", sup->mode_reason, "engine",
			 sup->child_count ? sup->children[0].engine : NULL, "engine_reason",
			 sup->engine_reason, "functions", list);
}

static void add(struct xfn_slot_counters *sum, const struct xfn_slot_counters *more)
{
	sum->requests += more->requests;
	sum->replies += more->replies;
	sum->dropped += more->dropped;
	sum->consumed += more->consumed;
	sum->passed += more->passed;
	sum->bytes_in += more->bytes_in;
	sum->bytes_out += more->bytes_out;
}

/* Counters of the i-th worker, and behind the last those of all that are no more. NULL: no i-th. */
static const struct xfn_page *page_of(const struct xfn_supervisor *sup, unsigned i)
{
	return i < sup->child_count  ? sup->children[i].page :
	       i == sup->child_count ? sup->past :
				       NULL;
}

static struct xfn_loader *loader_of(const struct xfn_supervisor *sup)
{
	return sup->loader ?: sup->before;
}

/* The engine, not the call, hears that the kernel refused a reply. */
static uint64_t reason_of(const struct xfn_page *page, unsigned reason)
{
	return page->reasons[reason] + (reason == XFN_REASON_SEND ? page->engine.send_failed : 0);
}

void xfn_stats__keep(struct xfn_supervisor *sup, const struct xfn_page *page)
{
	if (!sup->past)
		sup->past = calloc(1, sizeof(*sup->past));
	if (!sup->past)
		return;
	for (unsigned i = 0; i < XFN_REASON_SLOTS; i++)
		sup->past->reasons[i] += reason_of(page, i);
	for (unsigned slot = 0; slot < sup->function_count; slot++) {
		add(&sup->past->slots[slot], &page->slots[slot]);
		/* one module: the same names in the same order */
		for (unsigned i = 0; i < XFN_PAGE_COUNTERS; i++) {
			if (page->counters[slot][i].name[0])
				memcpy(sup->past->counters[slot][i].name,
				       page->counters[slot][i].name,
				       sizeof(page->counters[slot][i].name));
			sup->past->counters[slot][i].value += page->counters[slot][i].value;
		}
	}
}

/* Author counters of both halves, by name. */
static json_t *author_counters(struct xfn_supervisor *sup, unsigned slot)
{
	struct xfn_loader *loader = loader_of(sup);
	json_t *all = json_object();
	const struct xfn_page *page;
	char name[64];
	uint64_t value;

	if (loader)
		for (unsigned i = 0;
		     !xfn_loader__author_counter(loader, slot, i, name, sizeof(name), &value); i++)
			json_object_set_new(all, name, json_integer(value));
	for (unsigned c = 0; (page = page_of(sup, c)); c++)
		for (unsigned i = 0; i < XFN_PAGE_COUNTERS; i++) {
			const char *own = page->counters[slot][i].name;

			if (!own[0])
				break;
			value = page->counters[slot][i].value +
				json_integer_value(json_object_get(all, own));
			json_object_set_new(all, own, json_integer(value));
		}
	return all;
}

static json_t *functions(struct xfn_supervisor *sup)
{
	struct xfn_loader *loader = loader_of(sup);
	json_t *list = json_array();
	const struct xfn_page *page;

	for (unsigned i = 0; i < sup->function_count; i++) {
		struct xfn_slot_counters sum = {};

		if (loader)
			xfn_loader__slot_counters(loader, i, &sum);
		for (unsigned c = 0; (page = page_of(sup, c)); c++)
			add(&sum, &page->slots[i]);
		json_array_append_new(
			list,
			json_pack("{s:s, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "name",
				  sup->functions[i].mod->attr.name, "slot", (int)i, "tier",
				  xfn_tier_name(sup->functions[i].tier), "requests",
				  (json_int_t)sum.requests, "replies", (json_int_t)sum.replies,
				  "dropped", (json_int_t)sum.dropped, "consumed",
				  (json_int_t)sum.consumed, "passed", (json_int_t)sum.passed,
				  "bytes_in", (json_int_t)sum.bytes_in, "bytes_out",
				  (json_int_t)sum.bytes_out, "counters", author_counters(sup, i)));
	}
	return list;
}

static json_t *all_reasons(struct xfn_supervisor *sup)
{
	uint64_t count[XFN_REASON_SLOTS] = {};
	json_t *list = json_array();
	const struct xfn_page *page;

	if (loader_of(sup))
		xfn_loader__reasons(loader_of(sup), count);
	for (unsigned c = 0; (page = page_of(sup, c)); c++)
		for (unsigned i = 0; i < XFN_REASON_SLOTS; i++)
			count[i] += reason_of(page, i);
	for (unsigned i = 1; i < XFN_REASON_COUNT; i++)
		json_array_append_new(
			list, json_pack("{s:i, s:s, s:s, s:s, s:I}", "code", (int)i, "name",
					reasons[i].name, "verdict", reasons[i].verdict, "sentence",
					reasons[i].sentence, "count", (json_int_t)count[i]));
	return list;
}

static json_t *workers(struct xfn_supervisor *sup)
{
	json_t *list = json_array();

	for (unsigned c = 0; c < sup->child_count; c++) {
		const struct xfn_child *child = &sup->children[c];
		const struct xfn_engine_stats *e = &child->page->engine;

		json_array_append_new(
			list,
			json_pack("{s:i, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:i, s:o}", "pid",
				  (int)child->pid, "queue", (int)child->queue, "engine",
				  child->engine, "received", (json_int_t)e->received, "sent",
				  (json_int_t)e->sent, "send_failed", (json_int_t)e->send_failed,
				  "wakeups", (json_int_t)e->wakeups, "stalls",
				  (json_int_t)e->stalls, "restarts", (int)child->restarts, "cpu",
				  child->cpu < 0 ? json_null() : json_integer(child->cpu)));
	}
	return list;
}

json_t *xfn_stats__counters(struct xfn_supervisor *sup, bool audit)
{
	char text[300];
	const char *state = xfn_presence__state(sup, text, sizeof(text));
	json_t *all = json_pack("{s:s?, s:s, s:s, s:o, s:o, s:o}", "interface",
				sup->iface.name[0] ? sup->iface.name : NULL, "state", state,
				"state_reason", text, "functions", functions(sup), "reasons",
				all_reasons(sup), "workers", workers(sup));

	if (audit)
		json_object_set_new(all, "frames", xfn_audit(sup));
	return all;
}
