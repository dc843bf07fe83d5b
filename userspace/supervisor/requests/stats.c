// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What runs and what it did: kernel counters and workers' pages, summed. Changes nothing. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../../../skel/reason_text.h"
#include "../../host/printable.h"
#include "../supervisor_inside.h"

/* Set members of `row` of their names: an X-list's counters of `from`. */
#define SET_COUNTER(name, ...)                                                                     \
	json_object_set_new(row, #name, json_integer((json_int_t)from->name));

/* A thread of a worker. */
struct place {
	unsigned worker, thread, past;
	const struct xfn_leaver *leaver;
};

/*
 * The pages of all threads in turn, then those of workers that are ending, then that of those that
 * are no more; NULL at the end.
 */
static const struct xfn_page *next_page(const struct xfn_supervisor *sup, struct place *at)
{
	for (; at->worker < sup->worker_count; at->worker++, at->thread = 0) {
		const struct xfn_worker_process *worker = &sup->workers[at->worker];

		if (worker->page && at->thread < worker->threads)
			return xfn_page_check__sum(worker->checked, at->thread++);
	}
	if (!at->past && !at->leaver)
		at->leaver = sup->leavers;
	for (; at->leaver; at->leaver = at->leaver->next, at->thread = 0)
		if (at->leaver->page && at->thread < at->leaver->threads)
			return xfn_page_check__sum(at->leaver->checked, at->thread++);
	return at->past++ ? NULL : sup->retired;
}

static struct xfn_loader *loader_of(const struct xfn_supervisor *sup)
{
	return sup->loader ?: sup->before;
}

/* What kernel, card and workers counted of a function; the workers' requests are its `outside`. */
static struct xfn_slot_counters counters_of(const struct xfn_supervisor *sup, unsigned slot,
					    uint64_t *outside)
{
	struct xfn_loader *loader = loader_of(sup);
	struct xfn_slot_counters sum = {};
	const struct xfn_page *page;
	struct place at = {};

	*outside = 0;
	if (loader)
		xfn_loader__slot_counters(loader, slot, &sum);
	xfn_offload_device__counters(sup, slot, &sum);
	for (page = next_page(sup, &at); page; page = next_page(sup, &at)) {
		*outside += page->slots[slot].requests;
		xfn_slot_counters_add(&sum, &page->slots[slot]);
	}
	return sum;
}

/* Where a function of tier xdp mostly runs elsewhere, a sentence on it; else "". */
static const char *outside_text(const struct xfn_supervisor *sup, unsigned slot, char *text,
				size_t len)
{
	uint64_t outside;
	struct xfn_slot_counters sum = counters_of(sup, slot, &outside);

	text[0] = '\0';
	if (sup->functions[slot].tier == XFN_TIER_XDP && outside > sum.requests / 2)
		snprintf(
			text, len,
			"%llu of %llu requests ran in a worker, not in the kernel; what `xfn stat` "
			"counts says why (NO_ROOM: want less .grow; PARTIAL_SUM: native mode)",
			(unsigned long long)outside, (unsigned long long)sum.requests);
	return text;
}

json_t *xfn_stats__functions(struct xfn_supervisor *sup)
{
	char whole_text[300];
	const char *whole = xfn_link_state__state(sup, whole_text, sizeof(whole_text));
	json_t *list = json_array(), *data;

	xfn_page_check__read_all(sup);
	for (unsigned i = 0; i < sup->function_count; i++) {
		const struct xfn_deployed *fn = &sup->functions[i];
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
		xfn_quarantine__sentence(sup, fn, why, sizeof(why));
		if (xfn_quarantine__state(fn)[0])
			state = xfn_quarantine__state(fn);
		else if (sup->serving)
			state = xfn_workers__state(sup, fn, why, sizeof(why));
		json_array_append_new(
			list,
			json_pack("{s:s, s:i, s:s, s:i, s:s, s:s, s:o, s:s, s:o, s:s, s:o, s:s}",
				  "name", fn->mod->attr.name, "slot", (int)i, "address", text,
				  "port", (int)fn->addr.port, "tier", xfn_tier_name(fn->tier),
				  "mode", xfn_offload_device__mode(sup, fn), "reason",
				  xfn_control__text(fn->reason), "rule",
				  fn->rule ? fn->rule->id : "", "summary",
				  xfn_control__text(fn->mod->attr.summary), "state", state,
				  "state_reason", xfn_control__text(why), "warning",
				  outside_text(sup, i, outside, sizeof(outside))));
	}
	data = json_pack("{s:s?, s:i, s:s, s:o, s:s, s:s, s:s?, s:s, s:i, s:i, s:o}", "interface",
			 sup->iface.name[0] ? sup->iface.name : NULL, "pid", (int)getpid(), "state",
			 whole, "state_reason", xfn_control__text(whole_text), "mode",
			 xfn_mode_name(sup->mode), "mode_reason", sup->mode_reason.line, "engine",
			 sup->worker_count ? sup->workers[0].engine : NULL, "engine_reason",
			 sup->engine_reason, "sockets", (int)sup->listener_count, "sockets_missing",
			 (int)sup->missing_count, "functions", list);
	xfn_nic_features__report(sup, data);
	return data;
}

/* Author counters of both halves, by name. */
static json_t *author_counters(struct xfn_supervisor *sup, unsigned slot)
{
	struct xfn_loader *loader = loader_of(sup);
	json_t *all = json_object();
	const struct xfn_page *page;
	struct place at = {};
	char name[64];
	uint64_t value;

	if (loader)
		for (unsigned i = 0;
		     !xfn_loader__author_counter(loader, slot, i, name, sizeof(name), &value); i++)
			json_object_set_new(all, name, json_integer(value));
	for (page = next_page(sup, &at); page; page = next_page(sup, &at))
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

static json_t *function(struct xfn_supervisor *sup, unsigned slot)
{
	const struct xfn_deployed *fn = &sup->functions[slot];
	uint64_t outside;
	const struct xfn_slot_counters sum = counters_of(sup, slot, &outside), *from = &sum;
	json_t *row = json_pack("{s:s, s:i, s:s}", "name", fn->mod->attr.name, "slot", (int)slot,
				"tier", xfn_tier_name(fn->tier));
	char text[256];

	XFN_SLOT_COUNTERS(SET_COUNTER)
	json_object_set_new(row, "in_workers", json_integer((json_int_t)outside));
	json_object_set_new(row, "counters", author_counters(sup, slot));
	json_object_set_new(row, "warning",
			    json_string(outside_text(sup, slot, text, sizeof(text))));
	return row;
}

static json_t *functions(struct xfn_supervisor *sup)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < sup->function_count; i++)
		json_array_append_new(list, function(sup, i));
	return list;
}

static json_t *all_reasons(struct xfn_supervisor *sup)
{
	uint64_t count[XFN_REASON_SLOTS] = {};
	json_t *list = json_array();
	const struct xfn_page *page;
	struct place at = {};

	if (loader_of(sup))
		xfn_loader__reasons(loader_of(sup), count);
	xfn_losses__add(sup, count);
	xfn_offload_device__reasons(sup, count);
	for (page = next_page(sup, &at); page; page = next_page(sup, &at))
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

static json_t *worker(const struct xfn_supervisor *sup, const struct xfn_worker_process *worker,
		      unsigned thread)
{
	const struct xfn_page *page = xfn_page_check__sum(worker->checked, thread);
	const struct xfn_engine_stats *from = &page->engine;
	int cpu = worker->cpu[thread];
	char why[300];
	const char *state = xfn_worker_process__state(worker, why, sizeof(why));
	json_t *row = json_pack("{s:o, s:s, s:o, s:i, s:i, s:s, s:s}", "pid",
				worker->pid > 0 ? json_integer(worker->pid) : json_null(), "state",
				state, "state_reason", xfn_control__text(why), "queue",
				(int)worker->queue, "thread", (int)thread, "engine", worker->engine,
				"serves", xfn_pools__serves(sup, worker, thread));

	XFN_ENGINE_COUNTERS(SET_COUNTER)
	json_object_set_new(row, "cpu_ms", json_integer((json_int_t)(page->cpu_ns / 1000000)));
	json_object_set_new(row, "restarts", json_integer(worker->restarts));
	json_object_set_new(row, "cpu", cpu < 0 ? json_null() : json_integer(cpu));
	return row;
}

static json_t *workers(const struct xfn_supervisor *sup)
{
	json_t *list = json_array(), *one;

	for (unsigned c = 0; c < sup->worker_count; c++)
		for (unsigned t = 0; t < sup->workers[c].threads; t++) {
			one = worker(sup, &sup->workers[c], t);
			xfn_nic_features__report_worker(sup, &sup->workers[c], t, one);
			json_array_append_new(list, one);
		}
	return list;
}

json_t *xfn_stats__counters(struct xfn_supervisor *sup)
{
	char text[300];
	const char *state = xfn_link_state__state(sup, text, sizeof(text));

	xfn_page_check__read_all(sup);
	return json_pack("{s:s?, s:i, s:s, s:o, s:o, s:o, s:o}", "interface",
			 sup->iface.name[0] ? sup->iface.name : NULL, "pid", (int)getpid(), "state",
			 state, "state_reason", xfn_control__text(text), "functions",
			 functions(sup), "reasons", all_reasons(sup), "workers", workers(sup));
}
