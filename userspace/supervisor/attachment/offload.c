// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* --mode offload: the functions on the interface's card. Must never know how its object is made. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <syslog.h>
#include "../../../skel/error.h"
#include "../../../skel/offload.h"
#include "../../host/log.h"
#include "../supervisor_inside.h"

static int load(struct xfn_supervisor *sup, struct xfn_error *err)
{
	void *bytes = MAP_FAILED;
	struct stat st;
	int ret;

	if (!fstat(sup->opts->card, &st))
		bytes = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, sup->opts->card, 0);
	if (bytes == MAP_FAILED) {
		ret = -errno;
		return xfn_fail(err, ret, "its object cannot be read: %s", strerror(-ret));
	}
	ret = xfn_offload__load(bytes, st.st_size, "", sup->iface.index, &sup->device, err);
	munmap(bytes, st.st_size);
	return ret;
}

/* What there is to say of the card, before what was said of the host's part. */
static void tell(struct xfn_deployed *fn, const char *why_not)
{
	char was[sizeof(fn->reason)];

	memcpy(was, fn->reason, sizeof(was));
	if (!why_not)
		snprintf(fn->reason, sizeof(fn->reason), "on the card; what that passes on: %.400s",
			 was);
	else if (strstr(why_not, was)) /* one obstacle to both */
		snprintf(fn->reason, sizeof(fn->reason), "not on the card: %.400s", why_not);
	else
		snprintf(fn->reason, sizeof(fn->reason), "not on the card: %.250s; %.220s", why_not,
			 was);
}

int xfn_offload_device__load(struct xfn_supervisor *sup, struct xfn_error *err)
{
	struct xfn_error why = { 0 };
	int ret;

	if (sup->opts->mode != XFN_MODE_OFFLOAD)
		return 0;
	ret = load(sup, &why);
	ret = ret ?: xfn_offload__attach(sup->device, &why);
	if (ret) {
		xfn_offload_device__unload(sup);
		return xfn_fail(err, ret, "%s: nothing can be offloaded: %.300s; leave --mode out",
				sup->iface.name, why.line);
	}
	for (unsigned i = 0; i < sup->function_count; i++) {
		struct xfn_deployed *fn = &sup->functions[i];
		const char *why_not = sup->opts->modules[i].not_on_device;

		fn->on_device = !why_not;
		if (why_not)
			xfn_log__line(LOG_NOTICE, "%s: not on the card: %s; the host serves it",
				      fn->mod->attr.name, why_not);
		tell(fn, why_not);
	}
	return 0;
}

void xfn_offload_device__unload(struct xfn_supervisor *sup)
{
	xfn_offload__close(sup->device);
	sup->device = NULL;
}

void xfn_offload_device__address_changed(const struct xfn_supervisor *sup)
{
	if (sup->device)
		xfn_log__line(LOG_WARNING,
			      "%s: an address changed; the card goes on with those of its start: "
			      "start `xfn run` again",
			      sup->iface.name);
}

const char *xfn_offload_device__mode(const struct xfn_supervisor *sup,
				     const struct xfn_deployed *fn)
{
	if (fn->on_device)
		return xfn_mode_name(XFN_MODE_OFFLOAD);
	return fn->tier == XFN_TIER_SOCKET ? "none" : xfn_mode_name(sup->mode);
}

void xfn_offload_device__counters(const struct xfn_supervisor *sup, unsigned slot,
				  struct xfn_slot_counters *sum)
{
	const char *name = sup->functions[slot].mod->attr.name;

	if (!sup->device || !sup->functions[slot].on_device)
		return;
	/* a function on two ports is one on the card: its first place has the figures */
	for (unsigned i = 0; i < slot; i++)
		if (sup->functions[i].on_device && !strcmp(sup->functions[i].mod->attr.name, name))
			return;
	xfn_offload__add_counters(sup->device, name, sum);
}

void xfn_offload_device__reasons(const struct xfn_supervisor *sup, uint64_t sum[XFN_REASON_SLOTS])
{
	if (sup->device)
		xfn_offload__add_reasons(sup->device, sum);
}
