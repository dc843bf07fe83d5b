// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What runs and what it did: kernel counters and workers' pages, summed. Changes nothing. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../../../skel/reason_text.h"
#include "../../host/printable.h"
#include "../../nic/napi.h"
#include "../../sockets/udp_socket.h"
#include "../ingress/listeners.h"
#include "../ingress/losses.h"
#include "../ingress/nic_features.h"
#include "../workers/page_check.h"
#include "../workers/pools.h"
#include "../workers/quarantine.h"
#include "../workers/retired.h"
#include "requests_inside.h"

/* Set members of `row` of their names: an X-list's counters of `from`. */
#define SET_COUNTER(name, ...)                                                                     \
	json_object_set_new(row, #name, json_integer((json_int_t)from->name));

/* What kernel, card and workers counted of a function; the workers' requests are its `outside`. */
static struct xfn_slot_counters counters_of(const struct xfn_requests *requests, unsigned slot,
					    uint64_t *outside)
{
	struct xfn_loader *loader = xfn_attachment__counted(requests->attachment);
	struct xfn_slot_counters sum = {};
	const struct xfn_page *page;
	struct xfn_page_place at = {};

	*outside = 0;
	if (loader)
		xfn_loader__slot_counters(loader, slot, &sum);
	xfn_attachment__device_counters(requests->attachment, slot, &sum);
	for (page = xfn_page_check__next(requests->workers, &at); page;
	     page = xfn_page_check__next(requests->workers, &at)) {
		*outside += page->slots[slot].requests;
		xfn_slot_counters_add(&sum, &page->slots[slot]);
	}
	return sum;
}

/* Where a function of tier xdp mostly runs elsewhere, a sentence on it; else "". */
static const char *outside_text(const struct xfn_requests *requests, unsigned slot, char *text,
				size_t len)
{
	uint64_t outside;
	struct xfn_slot_counters sum = counters_of(requests, slot, &outside);

	text[0] = '\0';
	if (xfn_functions__at(requests->functions, slot)->tier == XFN_TIER_XDP &&
	    outside > sum.requests / 2)
		snprintf(
			text, len,
			"%llu of %llu requests ran in a worker, not in the kernel; what `xfn stat` "
			"counts says why (NO_ROOM: want less .grow; PARTIAL_SUM: native mode)",
			(unsigned long long)outside, (unsigned long long)sum.requests);
	return text;
}

/* What the NIC and its driver do for workers of frames. */
static void add_nic_features(const struct xfn_requests *requests, json_t *data)
{
	int rules = xfn_nic_features__rules(requests->ingress);

	json_object_set_new(data, "zero_copy",
			    xfn_workers__on_frames(requests->workers) ?
				    json_boolean(xfn_workers__zero_copy(requests->workers)) :
				    json_null());
	json_object_set_new(data, "zero_copy_reason",
			    json_string(xfn_nic_features__zero_copy_reason(requests->ingress)));
	if (rules >= 0)
		json_object_set_new(data, "flow_rules", json_integer(rules));
}

json_t *xfn_stats__functions(const struct xfn_requests *requests)
{
	char whole_text[300];
	const char *whole =
		requests->host.state(requests->host.ctx, whole_text, sizeof(whole_text));
	json_t *list = json_array(), *data;
	unsigned sockets;

	xfn_page_check__read_all(requests->workers);
	xfn_listeners__held(requests->ingress, &sockets);
	for (unsigned i = 0; i < xfn_functions__count(requests->functions); i++) {
		const struct xfn_deployed *fn = xfn_functions__at(requests->functions, i);
		struct xfn_address addr = fn->addr;
		char text[64] = "", why[512], outside[256];
		const char *state = whole;

		if (!fn->any || fn->version) {
			xfn_udp_socket__text(&addr, text, sizeof(text));
			*strrchr(text, ':') = 0; /* the port stands in its own field */
			if (*text == '[') {	 /* and needs no brackets between */
				text[strlen(text) - 1] = 0;
				memmove(text, text + 1, strlen(text));
			}
		}
		xfn_quarantine__sentence(requests->workers, i, why, sizeof(why));
		if (xfn_quarantine__state(requests->workers, i)[0])
			state = xfn_quarantine__state(requests->workers, i);
		else if (requests->host.serving(requests->host.ctx))
			state = xfn_workers__state(requests->workers, fn, why, sizeof(why));
		json_array_append_new(
			list,
			json_pack("{s:s, s:i, s:s, s:i, s:s, s:s, s:o, s:s, s:o, s:s, s:o, s:s}",
				  "name", fn->mod->attr.name, "slot", (int)i, "address", text,
				  "port", (int)fn->addr.port, "tier", xfn_tier_name(fn->tier),
				  "mode", xfn_attachment__mode_of(requests->attachment, fn),
				  "reason", xfn_control__text(fn->reason), "rule",
				  fn->rule ? fn->rule->id : "", "summary",
				  xfn_control__text(fn->mod->attr.summary), "state", state,
				  "state_reason", xfn_control__text(why), "warning",
				  outside_text(requests, i, outside, sizeof(outside))));
	}
	data = json_pack(
		"{s:s?, s:i, s:s, s:o, s:s, s:s, s:s?, s:s, s:i, s:i, s:o}", "interface",
		requests->interface->iface.name[0] ? requests->interface->iface.name : NULL, "pid",
		(int)getpid(), "state", whole, "state_reason", xfn_control__text(whole_text),
		"mode", xfn_mode_name(requests->attachment->mode), "mode_reason",
		requests->attachment->mode_reason.line, "engine",
		xfn_workers__count(requests->workers) ?
			xfn_workers__at(requests->workers, 0)->engine :
			NULL,
		"engine_reason", xfn_workers__engine_reason(requests->workers), "sockets",
		(int)sockets, "sockets_missing", (int)xfn_listeners__missing(requests->ingress),
		"functions", list);
	add_nic_features(requests, data);
	return data;
}

/* Author counters of both halves, by name. */
static json_t *author_counters(const struct xfn_requests *requests, unsigned slot)
{
	struct xfn_loader *loader = xfn_attachment__counted(requests->attachment);
	json_t *all = json_object();
	const struct xfn_page *page;
	struct xfn_page_place at = {};
	char name[64];
	uint64_t value;

	if (loader)
		for (unsigned i = 0;
		     !xfn_loader__author_counter(loader, slot, i, name, sizeof(name), &value); i++)
			json_object_set_new(all, name, json_integer(value));
	for (page = xfn_page_check__next(requests->workers, &at); page;
	     page = xfn_page_check__next(requests->workers, &at))
		for (unsigned i = 0; i < XFN_PAGE_COUNTERS; i++) {
			char written[sizeof(page->counters[slot][i].name)];
			char own[sizeof(written) + 1];

			/* a worker may have written anything there */
			memcpy(written, page->counters[slot][i].name, sizeof(written));
			xfn_printable(written, strnlen(written, sizeof(written)), own, sizeof(own));
			if (!own[0])
				break;
			value = page->counters[slot][i].value +
				json_integer_value(json_object_get(all, own));
			json_object_set_new(all, own, json_integer(value));
		}
	return all;
}

static json_t *function(const struct xfn_requests *requests, unsigned slot)
{
	const struct xfn_deployed *fn = xfn_functions__at(requests->functions, slot);
	uint64_t outside;
	const struct xfn_slot_counters sum = counters_of(requests, slot, &outside), *from = &sum;
	json_t *row = json_pack("{s:s, s:i, s:s}", "name", fn->mod->attr.name, "slot", (int)slot,
				"tier", xfn_tier_name(fn->tier));
	char text[256];

	XFN_SLOT_COUNTERS(SET_COUNTER)
	json_object_set_new(row, "in_workers", json_integer((json_int_t)outside));
	json_object_set_new(row, "counters", author_counters(requests, slot));
	json_object_set_new(row, "warning",
			    json_string(outside_text(requests, slot, text, sizeof(text))));
	return row;
}

static json_t *functions(const struct xfn_requests *requests)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < xfn_functions__count(requests->functions); i++)
		json_array_append_new(list, function(requests, i));
	return list;
}

static json_t *all_reasons(const struct xfn_requests *requests)
{
	uint64_t count[XFN_REASON_SLOTS] = {};
	json_t *list = json_array();
	const struct xfn_page *page;
	struct xfn_page_place at = {};

	if (xfn_attachment__counted(requests->attachment))
		xfn_loader__reasons(xfn_attachment__counted(requests->attachment), count);
	xfn_workers__losses(requests->workers, count);
	xfn_losses__add(requests->ingress, count);
	xfn_attachment__device_reasons(requests->attachment, count);
	for (page = xfn_page_check__next(requests->workers, &at); page;
	     page = xfn_page_check__next(requests->workers, &at))
		for (unsigned i = 0; i < XFN_REASON_SLOTS; i++)
			count[i] += xfn_retired__reason(page, i);
	for (unsigned i = 1; i < XFN_REASON_COUNT; i++)
		json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s, s:I}", "code", (int)i,
						      "name", xfn_reason_texts[i].name, "verdict",
						      xfn_reason_texts[i].verdict, "sentence",
						      xfn_reason_texts[i].sentence, "count",
						      (json_int_t)count[i]));
	return list;
}

static json_t *worker(const struct xfn_requests *requests, const struct xfn_worker_process *worker,
		      unsigned thread)
{
	const struct xfn_page *page = xfn_page_check__sum(worker->checked, thread);
	const struct xfn_engine_stats *from = &page->engine;
	int cpu = worker->cpu[thread];
	char why[300];
	const char *state = xfn_worker_process__state(worker, why, sizeof(why));
	const struct xfn_umem *umem = xfn_worker_process__umem(worker);
	json_t *row = json_pack("{s:o, s:s, s:o, s:i, s:i, s:s, s:s}", "pid",
				worker->pid > 0 ? json_integer(worker->pid) : json_null(), "state",
				state, "state_reason", xfn_control__text(why), "queue",
				(int)worker->queue, "thread", (int)thread, "engine", worker->engine,
				"serves", xfn_pools__serves(requests->workers, worker, thread));

	XFN_ENGINE_COUNTERS(SET_COUNTER)
	json_object_set_new(row, "cpu_ms", json_integer((json_int_t)(page->cpu_ns / 1000000)));
	json_object_set_new(row, "restarts", json_integer(worker->restarts));
	json_object_set_new(row, "cpu", cpu < 0 ? json_null() : json_integer(cpu));
	json_object_set_new(row, "zero_copy", umem ? json_boolean(umem->zero_copy) : json_null());
	if (requests->opts->links.busy_poll && umem) {
		unsigned napi = xfn_napi__id(umem->xsk[thread]);

		json_object_set_new(row, "napi", napi ? json_integer(napi) : json_null());
	}
	return row;
}

static json_t *workers(const struct xfn_requests *requests)
{
	json_t *list = json_array();

	for (unsigned c = 0; c < xfn_workers__count(requests->workers); c++)
		for (unsigned t = 0; t < xfn_workers__at(requests->workers, c)->threads; t++)
			json_array_append_new(
				list, worker(requests, xfn_workers__at(requests->workers, c), t));
	return list;
}

json_t *xfn_stats__counters(const struct xfn_requests *requests)
{
	char text[300];
	const char *state = requests->host.state(requests->host.ctx, text, sizeof(text));

	xfn_page_check__read_all(requests->workers);
	return json_pack("{s:s?, s:i, s:s, s:o, s:o, s:o, s:o}", "interface",
			 requests->interface->iface.name[0] ? requests->interface->iface.name :
							      NULL,
			 "pid", (int)getpid(), "state", state, "state_reason",
			 xfn_control__text(text), "functions", functions(requests), "reasons",
			 all_reasons(requests), "workers", workers(requests));
}
